/** A configuration for tests that play nothing. */
import type { RunConfig } from '../../harness/protocols/run.ts';

export function aConfig(partial: Partial<RunConfig>): RunConfig {
  const nodes = partial.nodes ?? ['n1', 'n2', 'n3'];
  return {
    system: 'raftkv',
    systemOptions: {},
    backend: 'sim',
    nodes,
    workload: 'register',
    workloadOptions: {
      clients: 6,
      nodes,
      rate: 200,
      clientTimeoutMs: 1000,
      readModes: ['linearizable'],
      capabilities: ['register', 'hash'],
      own: {},
    },
    faults: [],
    requireFaults: false,
    seed: 7,
    durationMs: 20_000,
    quietMs: 500,
    faultIntervalMs: 5000,
    faultDurationMs: 4000,
    promises: { linearizable: 'linearizable', serializable: 'serializable' },
    checkLimits: { timeoutMs: 300_000, memoryBytes: 4 * 2 ** 30 },
    unknown: 'fail',
    ...partial,
  };
}
