/**
 * Runs of the simulated raftkv in which everything is drawn from one seed: cluster, options, load, and
 * which faults hit it how often. The correct store must keep its promise in all of them.
 */
import { NEMESES } from '../cli/registry.ts';
import { raftkv } from '../cluster/systems/raftkv.ts';
import { Random, seedFrom } from '../harness/core/prng.ts';
import type { NodeName } from '../harness/core/units.ts';
import type { RunConfig } from '../harness/protocols/run.ts';
import { reads } from '../workloads/reads.ts';
import { register } from '../workloads/register.ts';
import { together } from '../workloads/together.ts';
import { playVirtually } from './virtual-run.ts';

/** What no simulated link can do. */
const NOT_SIMULATED = ['bandwidth', 'slow-close'];
const FAULTS = Object.keys(NEMESES).filter((name) => !NOT_SIMULATED.includes(name));
const WORKLOADS = [register, reads, together([register, reads])];

export interface MixedRun {
  readonly seed: number;
  /** For people: what was drawn. */
  readonly what: string;
  /** Kinds of what the store is accused of. */
  readonly anomalies: readonly string[];
  /** What is wrong with store or harness, a line each; empty: nothing. */
  readonly wrong: readonly string[];
  /** Names of checkers that could not decide. */
  readonly undecided: readonly string[];
  readonly operations: number;
  /** Faults that took effect. */
  readonly installed: number;
  readonly virtualMs: number;
}

/** `bug`: to see that what is planted is found. */
export async function mixedRun(seed: number, bug?: string): Promise<MixedRun> {
  const config = mixedConfig(seed, bug);
  const workload = WORKLOADS.find(({ name }) => name === config.workload) ?? register;
  const { checks, problems, history, virtualMs } = await playVirtually(
    config,
    raftkv,
    workload,
    'workload',
  );
  const invalid = checks.flatMap(({ anomalies }) => anomalies);
  const ops = [...history.ops()];
  return {
    seed,
    what: textOf(config),
    anomalies: invalid.map(({ kind }) => kind),
    wrong: [
      ...invalid.map(({ kind, explanation }) => `${kind}: ${explanation}`),
      ...problems.map(({ step, message }) => `${step}: ${message}`),
    ],
    undecided: checks.filter(({ verdict }) => verdict === 'unknown').map(({ checker }) => checker),
    operations: ops.filter(({ process, type }) => typeof process === 'number' && type === 'ok')
      .length,
    installed: ops.filter(
      ({ process, type, value }) =>
        process === 'nemesis' &&
        type === 'info' &&
        JSON.stringify(value).includes('"stage":"begin"') &&
        JSON.stringify(value).includes('"result":"installed"'),
    ).length,
    virtualMs,
  };
}

const NODES: readonly NodeName[] = ['n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7'];

/** Clusters of one node to seven. */
const SIZE_WEIGHTS = [1, 1, 8, 3, 8, 1, 1];

function mixedConfig(seed: number, bug: string | undefined): RunConfig {
  const random = Random.stream(seedFrom(seed), 'mixed');
  const nodes = NODES.slice(0, 1 + random.weighted(SIZE_WEIGHTS));
  const workload = random.pick(WORKLOADS);
  const faults = random.shuffle(FAULTS).slice(0, random.int(1, 5));
  return {
    system: raftkv.name,
    systemOptions: { ...drawOptions(random), ...(bug !== undefined && { bug }) },
    backend: 'sim',
    nodes,
    workload: workload.name,
    workloadOptions: {
      clients: random.int(2, 12),
      nodes,
      rate: random.pick([50, 100, 200, 400]),
      clientTimeoutMs: random.pick([200, 1_000, 3_000]),
      readModes: ['linearizable', 'serializable'],
      capabilities: raftkv.capabilities,
      own: {},
    },
    faults,
    requireFaults: false,
    seed,
    durationMs: random.int(2_000, 8_000),
    quietMs: 200,
    faultIntervalMs: random.pick([150, 400, 1_000]),
    faultDurationMs: random.pick([100, 600, 1_500]),
    promises: raftkv.promises,
    checkLimits: { timeoutMs: 60_000, memoryBytes: 2 ** 30 },
    unknown: 'fail',
  };
}

/** Small numbers, so that snapshots, catching up and partial appends happen within seconds. */
function drawOptions(random: Random): Record<string, string> {
  const some = (name: string, values: readonly string[]): Record<string, string> =>
    random.chance(0.4) ? { [name]: random.pick(values) } : {};
  return {
    ...some('snapshot-count', ['20', '50', '200']),
    ...some('snapshot-catchup-entries', ['0', '5', '50']),
    ...some('max-append-entries', ['1', '3']),
    ...some('pre-vote', ['false']),
    // Else most changes of the members are refused: nobody is well for five seconds.
    ...(random.fork('members').chance(0.5) && { 'strict-reconfig-check': 'false' }),
  };
}

function textOf(config: RunConfig): string {
  const { nodes, workload, workloadOptions, faults, systemOptions, durationMs } = config;
  const options = Object.entries(systemOptions).map(([name, value]) => `${name}=${value}`);
  const { clients, rate, clientTimeoutMs } = workloadOptions;
  return [
    `${nodes.length} nodes, ${workload} for ${durationMs} ms`,
    `${clients} clients at ${rate}/s with ${clientTimeoutMs} ms`,
    faults.join('+'),
    ...options,
  ].join(', ');
}
