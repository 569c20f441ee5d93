import { availability } from '../checkers/availability.ts';
import { evidence } from '../checkers/evidence.ts';
import { hash } from '../checkers/hash.ts';
import { invariants } from '../checkers/invariants.ts';
import { linearizable } from '../checkers/linearizable/checker.ts';
import { logPattern } from '../checkers/log-pattern.ts';
import { stats } from '../checkers/stats.ts';
import type { Workload } from '../harness/protocols/workload.ts';
import { canHash, thenHashes, withHashes } from './final-hashes.ts';
import { finalReads } from './final-reads.ts';
import { registerClient } from './register-client.ts';
import type { MixEntry } from './register-generator.ts';
import { LOAD_OPTIONS, registerLoad } from './register-load.ts';

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
  options: LOAD_OPTIONS,
  build: (options, random) => {
    const { nodes, clientTimeoutMs } = options;
    return {
      main: registerLoad(options, MIX, random),
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
