import { availability } from '../checkers/availability.ts';
import { evidence } from '../checkers/evidence.ts';
import { hash } from '../checkers/hash.ts';
import { invariants } from '../checkers/invariants.ts';
import { linearizable } from '../checkers/linearizable/checker.ts';
import { logPattern } from '../checkers/log-pattern.ts';
import { stats } from '../checkers/stats.ts';
import { stagger } from '../harness/generator/rate.ts';
import type { Workload } from '../harness/protocols/workload.ts';
import { canHash, thenHashes, withHashes } from './final-hashes.ts';
import { finalReads } from './final-reads.ts';
import { registerClient } from './register-client.ts';
import { type MixEntry, registerMix } from './register-generator.ts';
import { valuesOption, wholeNumber } from './register-options.ts';

/** Half reads, so that what was written is seen; enough `cas` to catch two winners. */
const MIX: readonly MixEntry[] = [
  { f: 'read', mode: 'linearizable', weight: 5 },
  { f: 'write', weight: 3 },
  { f: 'cas', weight: 2 },
];

/** Many registers, each judged for linearizability on its own. */
export const register: Workload = {
  name: 'register',
  summary: 'reads, writes and compare-and-sets over many keys; linearizable per key',
  needs: ['register'],
  readModes: ['linearizable'],
  options: {
    keys: 'keys in use at the same time (default 8)',
    'ops-per-key': 'operations until a key is replaced by a fresh one (default 200)',
    values: 'unique, or the number of different values (default unique)',
    deletes: 'percent of the writes that delete the key (default 0)',
  },
  build: (options, random) => {
    const { own, rate, nodes, clientTimeoutMs } = options;
    const mix = registerMix(
      {
        keys: wholeNumber(own, 'keys', 8, 1, 10_000),
        opsPerKey: wholeNumber(own, 'ops-per-key', 200, 1, 1_000_000),
        values: valuesOption(own),
        deletes: wholeNumber(own, 'deletes', 0, 0, 100) / 100,
        mix: () => MIX,
      },
      random.fork('mix'),
    );
    return {
      main: rate === 0 ? mix : stagger(1000 / rate, mix, random.fork('rate')),
      final: (keys) => thenHashes(finalReads(keys, nodes), options),
      probe: { f: 'read', key: 'k0', value: null, mode: 'linearizable' },
      client: (apis) =>
        withHashes(
          registerClient(apis, { readMs: clientTimeoutMs, writeMs: clientTimeoutMs }),
          apis,
          clientTimeoutMs,
        ),
    };
  },
  checkers: (options) => [
    linearizable({}),
    ...(canHash(options) ? [hash()] : []),
    stats(),
    availability(),
    evidence(),
    invariants(),
    logPattern({}),
  ],
};
