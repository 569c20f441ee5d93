import { availability } from '../checkers/availability.ts';
import { evidence } from '../checkers/evidence.ts';
import { linearizable } from '../checkers/linearizable/checker.ts';
import { logPattern } from '../checkers/log-pattern.ts';
import { stats } from '../checkers/stats.ts';
import { stagger } from '../harness/generator/rate.ts';
import type { Workload } from '../harness/protocols/workload.ts';
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
  },
  build: (options, random) => {
    const { own, rate, nodes, clientTimeoutMs } = options;
    const mix = registerMix(
      {
        keys: wholeNumber(own, 'keys', 8, 1, 10_000),
        opsPerKey: wholeNumber(own, 'ops-per-key', 200, 1, 1_000_000),
        values: valuesOption(own),
        mix: () => MIX,
      },
      random.fork('mix'),
    );
    return {
      main: rate === 0 ? mix : stagger(1000 / rate, mix, random.fork('rate')),
      final: (keys) => finalReads(keys, nodes),
      probe: { f: 'read', key: 'k0', value: null, mode: 'linearizable' },
      client: (apis) => registerClient(apis, { readMs: clientTimeoutMs, writeMs: clientTimeoutMs }),
    };
  },
  checkers: () => [linearizable({}), stats(), availability(), evidence(), logPattern({})],
};
