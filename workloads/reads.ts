import { availability } from '../checkers/availability.ts';
import { evidence } from '../checkers/evidence.ts';
import { hash } from '../checkers/hash.ts';
import { invariants } from '../checkers/invariants.ts';
import { logPattern } from '../checkers/log-pattern.ts';
import { readModes } from '../checkers/read-modes.ts';
import { stats } from '../checkers/stats.ts';
import { lagMs } from '../harness/core/passages.ts';
import { stagger } from '../harness/generator/rate.ts';
import type { Workload, WorkloadOptions } from '../harness/protocols/workload.ts';
import { canHash, thenHashes, withHashes } from './final-hashes.ts';
import { finalReads } from './final-reads.ts';
import { registerClient } from './register-client.ts';
import { type MixEntry, type RegisterMixOptions, registerMix } from './register-generator.ts';
import { valuesOption, wholeNumber } from './register-options.ts';

const WRITES: readonly MixEntry[] = [
  { f: 'write', weight: 8 },
  { f: 'cas', weight: 2 },
];

const READ_MS = 200;

/**
 * Every read mode through every node, beside a stream of writes. Reads have a short timeout of
 * their own and their own threads, so that a node that is cut off is asked *during* the cut:
 * clients that wait for old requests could never show that it answers with old values.
 */
export const reads: Workload = {
  name: 'reads',
  summary: 'writes, and reads in every mode through every node; what each mode guarantees',
  needs: ['register'],
  readModes: ['linearizable', 'serializable'],
  options: {
    keys: 'keys in use at the same time (default 4)',
    'ops-per-key': 'operations until a key is replaced by a fresh one (default 400)',
    values: 'unique, or the number of different values (default unique)',
    'read-timeout': 'milliseconds that a read waits (default 200, more with --latency)',
  },
  build: (options, random) => {
    const { own, rate, nodes, clientTimeoutMs, latencyMs } = options;
    const mix = registerMix(
      {
        keys: wholeNumber(own, 'keys', 4, 1, 10_000),
        opsPerKey: wholeNumber(own, 'ops-per-key', 400, 1, 1_000_000),
        values: valuesOption(own),
        mix: mixByThread(options),
      },
      random.fork('mix'),
    );
    const readMs = wholeNumber(own, 'read-timeout', READ_MS + lagMs(latencyMs), 1, 60_000);
    return {
      main: rate === 0 ? mix : stagger(1000 / rate, mix, random.fork('rate')),
      final: (keys) => thenHashes(finalReads(keys, nodes), options),
      probe: { f: 'read', key: 'k0', value: null, mode: 'linearizable' },
      client: (apis) =>
        withHashes(
          registerClient(apis, { readMs, writeMs: clientTimeoutMs }),
          apis,
          clientTimeoutMs,
        ),
    };
  },
  checkers: (options) => [
    readModes(),
    ...(canHash(options) ? [hash()] : []),
    stats(),
    availability(),
    evidence(),
    invariants(),
    logPattern({}),
  ],
};

/** The first thread of each node writes, and reads a little; all others only read. */
function mixByThread(options: WorkloadOptions): RegisterMixOptions['mix'] {
  const onlyReads = options.readModes.map((mode): MixEntry => ({ f: 'read', mode, weight: 1 }));
  const both = [...WRITES, ...onlyReads];
  // Threads go round the nodes: as many as there are nodes are one for each.
  return (thread, { threads }) =>
    threads.indexOf(thread) < options.nodes.length ? both : onlyReads;
}
