/** What may be drawn: what system and backend can do, less what somebody fixed. */
import { VirtualClock } from '../../harness/core/clock.ts';
import { HarnessError } from '../../harness/core/errors.ts';
import { silentLog } from '../../harness/core/log.ts';
import { Random, seedFrom } from '../../harness/core/prng.ts';
import { NETWORK_ABILITIES } from '../../harness/protocols/network.ts';
import type { RunConfig } from '../../harness/protocols/run.ts';
import type { BackendName, System, Timing } from '../../harness/protocols/system.ts';
import { noUndo } from '../../harness/protocols/undo.ts';
import type { Flags } from '../flags.ts';
import { type Catalogue, makeNemesis } from '../registry.ts';
import { FAULT_HELP } from '../summaries.ts';

export interface Space {
  readonly system: System;
  readonly backend: BackendName;
  readonly catalogue: Catalogue;
  /** What every run is told, and what it is told where nothing is drawn. */
  readonly flags: Flags;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timing: Timing;
  /** Kinds of fault; empty: clients only. */
  readonly faults: readonly string[];
  /** Those of which two must not overlap. */
  readonly single: ReadonlySet<string>;
  /** Names of workloads, of which one or two are asked at once. */
  readonly workloads: readonly string[];
  readonly fixed: {
    readonly nodes?: number;
    readonly workload?: string;
    readonly rate?: number;
    readonly clientTimeoutMs?: number;
    /** In elections. */
    readonly length?: number;
  };
}

/** `link` draws what other kinds are, too: beside them it says nothing more. */
const OF_OTHERS: readonly string[] = ['link'];

export interface SpaceRequest extends Pick<Space, 'system' | 'catalogue' | 'flags' | 'env'> {
  /** One run under these flags, resolved: what is wrong with them was told. */
  readonly config: RunConfig;
  /** Whether flag or config says it. */
  readonly isSaid: (option: string) => boolean;
}

export async function spaceOf(request: SpaceRequest): Promise<Space> {
  const { system, catalogue, flags, env, config, isSaid } = request;
  const { backend } = config;
  const timing = system.timing(config.systemOptions);
  const able = catalogue.workloads.filter(({ needs }) =>
    needs.every((need) => system.capabilities.includes(need)),
  );
  const faults = isSaid('fault') || !flags.faults ? config.faults : await faultsOf(request);
  return {
    system,
    backend,
    catalogue,
    flags,
    env,
    timing,
    faults,
    single: new Set(faults.filter((fault) => makeNemesis(fault, catalogue).single !== undefined)),
    workloads: able.map(({ name }) => name),
    fixed: {
      ...(isSaid('nodes') && { nodes: config.nodes.length }),
      ...(isSaid('workload') && { workload: flags.workload }),
      ...(isSaid('rate') && { rate: config.workloadOptions.rate }),
      ...(isSaid('clientTimeout') && { clientTimeoutMs: config.workloadOptions.clientTimeoutMs }),
      ...(isSaid('duration') && { length: config.durationMs / timing.electionMs }),
    },
  };
}

/** All that this kind of cluster can have, which a simulated one is asked for. */
async function faultsOf(request: SpaceRequest): Promise<readonly string[]> {
  const { system, catalogue, config } = request;
  const all = Object.keys(catalogue.nemeses).filter(
    (fault) => !OF_OTHERS.includes(fault) && onLinksOf(system, fault),
  );
  const can = config.backend === 'sim' ? await simulatedFaults(request, all) : all;
  const found = config.backend === 'sim' ? can : can.filter((fault) => onReal(fault, config));
  if (found.length === 0)
    throw new HarnessError('unsupported', `${system.name} can have no fault on ${config.backend}`);
  return found;
}

function onLinksOf({ network }: System, fault: string): boolean {
  const needed = NETWORK_ABILITIES.find((each) => each === (fault === 'partition' ? 'cut' : fault));
  return needed === undefined || network.has(needed);
}

/** By what is said of them: to start containers for the question would take longer than it is worth. */
function onReal(fault: string, { backend, system }: RunConfig): boolean {
  const where = FAULT_HELP[fault]?.where ?? 'everywhere';
  if (where === 'everywhere') return true;
  if (where.includes(system)) return true;
  if (backend === 'docker' && /^containers$/.test(where)) return true;
  return where.startsWith('clusters with links');
}

async function simulatedFaults(
  { system, catalogue, config }: SpaceRequest,
  all: readonly string[],
): Promise<readonly string[]> {
  const clock = new VirtualClock();
  const deployed = clock.run(
    system.deploy({
      backend: config.backend,
      nodes: ['n1', 'n2', 'n3'],
      clock,
      log: silentLog,
      random: Random.stream(seedFrom(0), 'explore'),
      runId: 'explore',
      dir: '',
      undo: noUndo,
      options: config.systemOptions,
    }),
  );
  const cluster = await deployed;
  const can = all.filter((fault) => makeNemesis(fault, catalogue).available(cluster) === true);
  await clock.run(cluster[Symbol.asyncDispose]() as Promise<void>);
  return can;
}
