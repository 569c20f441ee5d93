/** What a node may use of its host, as the engine limits it: processors and memory. */
import { z } from 'zod';
import { sleep } from '../../../harness/core/clock.ts';
import { messageOf } from '../../../harness/core/errors.ts';
import type { NodeName } from '../../../harness/core/units.ts';
import type {
  ResourceControl,
  ResourceUsage,
  UndoFault,
} from '../../../harness/protocols/machines.ts';
import type { ProcessControl } from '../../../harness/protocols/system.ts';
import { callEngine, type Docker } from './engine.ts';
import type { Excuses } from './excuses.ts';
import type { Made } from './made.ts';
import type { Topology } from './topology.ts';

export interface ResourceOptions {
  readonly made: Made;
  readonly topology: Topology;
  readonly processes: Pick<ProcessControl, 'start'>;
  readonly excuses: Excuses;
}

/** In the engine's words. Zero: no limit. */
interface Limits {
  /** Billionths of a processor. A container has either this or a quota. */
  readonly NanoCpus: number;
  /** Microseconds in each period. */
  readonly CpuQuota: number;
  readonly CpuPeriod: number;
  readonly Memory: number;
}

type Handle = ReturnType<Docker['getContainer']>;

const PERIOD_US = 100_000;
/** The kernel takes no less. */
const QUOTA_US_MIN = 1_000;
/** The engine takes no less. */
const MEMORY_MIN = 6 * 2 ** 20;
/** With control groups of version 1 the kernel refuses a limit below what is in use. */
const IN_USE = /current usage|resource busy|unable to set memory limit/i;
const ENDING = /cannot update a stopped container/;
const ENDING_TRIES_MAX = 20;
const TRY_AGAIN_MS = 100;
const MEMORY_STEP = 2 ** 18;
const MEMORY_EXTRA_MAX = 2 ** 28;

/** Limits are absolute: a second squeeze takes the place of the first. */
export function resourceControl(options: ResourceOptions): ResourceControl {
  const squeezed = new Squeezed(options);
  return {
    squeezeCpu: async (node, cpus) => {
      const { handle, original } = await squeezed.take(node);
      await squeezed.update(node, handle, cpuLimit(original, cpus));
      return () => squeezed.update(node, handle, cpuRestored(original));
    },
    squeezeMemory: (node) => squeezeMemory(node, squeezed, options),
    usage: async (node) => {
      const handle = squeezed.handleOf(node);
      const { State, HostConfig } = await squeezed.inspect(node, handle);
      const now = await readStats(node, handle, options);
      return {
        cpuLimit: cpusOf(HostConfig as Limits),
        throttled: now.throttled,
        memoryBytes: now.memoryBytes,
        memoryLimitBytes: await squeezed.memoryOf(HostConfig as Limits),
        ranOutOfMemory: !State.Running && State.OOMKilled,
      } satisfies ResourceUsage;
    },
    installed: () => squeezed.installed(),
  };
}

/** Knows what the containers were limited to before anything was squeezed. */
class Squeezed {
  readonly #options: ResourceOptions;
  /** By the container's id: a node that is renewed comes in one that nobody has squeezed. */
  readonly #originals = new Map<string, Limits>();
  #total: Promise<number> | undefined;

  constructor(options: ResourceOptions) {
    this.#options = options;
  }

  handleOf(node: NodeName): Handle {
    const { made, topology } = this.#options;
    return made.engine.docker.getContainer(topology.nodeContainer(node));
  }

  async take(node: NodeName): Promise<{ readonly handle: Handle; readonly original: Limits }> {
    const handle = this.handleOf(node);
    const known = this.#originals.get(handle.id);
    if (known !== undefined) return { handle, original: known };
    const { HostConfig } = await this.inspect(node, handle);
    const { NanoCpus = 0, CpuQuota = 0, CpuPeriod = 0, Memory = 0 } = HostConfig;
    const original = { NanoCpus, CpuQuota, CpuPeriod, Memory };
    this.#originals.set(handle.id, original);
    return { handle, original };
  }

  inspect(node: NodeName, handle: Handle): ReturnType<Handle['inspect']> {
    return callEngine(this.#options.made.clock, `inspect ${node}`, () => handle.inspect());
  }

  /**
   * Does nothing about a container that is gone: its limits went with it. One that just ends is
   * refused until the engine knows that it has ended, and then takes them for its next life.
   */
  async update(node: NodeName, handle: Handle, limits: Partial<Limits>): Promise<void> {
    const { clock } = this.#options.made;
    await callEngine(clock, `limit ${node}`, async () => {
      for (let tries = 1; ; tries++) {
        try {
          await handle.update(limits);
          return;
        } catch (error) {
          if (isGone(error)) return;
          if (tries === ENDING_TRIES_MAX || !ENDING.test(messageOf(error))) throw error;
          await sleep(clock, TRY_AGAIN_MS);
        }
      }
    });
  }

  /** Zero where the limit is all that the machine has: an engine cannot quite take a limit away. */
  async memoryOf({ Memory = 0 }: Partial<Limits>): Promise<number> {
    return Memory >= (await this.total()) ? 0 : Memory;
  }

  /** Bytes of memory of the engine's machine. */
  async total(): Promise<number> {
    const { engine, clock } = this.#options.made;
    this.#total ??= callEngine(clock, 'ask for its machine', async () => {
      const { MemTotal } = z.object({ MemTotal: z.number() }).parse(await engine.docker.info());
      return MemTotal;
    });
    return await this.#total;
  }

  /** As the engine has it now. */
  async installed(): Promise<readonly string[]> {
    const { nodes } = this.#options.topology;
    const found = await Promise.all(
      nodes.map(async (node) => {
        const handle = this.handleOf(node);
        const original = this.#originals.get(handle.id);
        if (original === undefined) return [];
        const { HostConfig } = await this.inspect(node, handle);
        const now = HostConfig as Limits;
        const memory = await this.memoryOf(now);
        return [
          ...(cpusOf(now) === cpusOf(original) ? [] : [`cpu limit of ${node}: ${cpusOf(now)}`]),
          ...(memory === (await this.memoryOf(original))
            ? []
            : [`memory limit of ${node}: ${memory} bytes`]),
        ];
      }),
    );
    return found.flat();
  }
}

async function squeezeMemory(
  node: NodeName,
  squeezed: Squeezed,
  options: ResourceOptions,
): Promise<UndoFault> {
  const { excuses, processes } = options;
  const { handle, original } = await squeezed.take(node);
  // Before the act: it may end the node in the same moment.
  const excuse = excuses.excuse(node, () => processes.start(node), isKilled);
  const undo = async (): Promise<void> => {
    await restoreMemory(node, handle, original, squeezed);
    await excuse();
  };
  try {
    await limitToUse(node, handle, squeezed, options);
  } catch (error) {
    await undo();
    throw error;
  }
  return undo;
}

/** A limit as low as the kernel takes without many questions; it may end the node at once. */
async function limitToUse(
  node: NodeName,
  handle: Handle,
  squeezed: Squeezed,
  options: ResourceOptions,
): Promise<void> {
  const { neededBytes } = await readStats(node, handle, options);
  // A container that does not run uses nothing, and would only fail to start.
  if (neededBytes === 0) return;
  const { HostConfig } = await squeezed.inspect(node, handle);
  const { Memory: now = 0 } = HostConfig;
  const lowest = Math.max(MEMORY_MIN, neededBytes);
  for (let extra = 0; ; extra = extra * 2 + MEMORY_STEP) {
    if (now > 0 && lowest + extra >= now) return;
    try {
      await squeezed.update(node, handle, memoryLimit(lowest + extra));
      return;
    } catch (error) {
      if (extra > MEMORY_EXTRA_MAX || !IN_USE.test(messageOf(error))) throw error;
    }
  }
}

async function restoreMemory(
  node: NodeName,
  handle: Handle,
  original: Limits,
  squeezed: Squeezed,
): Promise<void> {
  const bytes = original.Memory > 0 ? original.Memory : await squeezed.total();
  await squeezed.update(node, handle, memoryLimit(bytes));
}

/** Without swap, so that a node that needs more ends instead of crawling. */
function memoryLimit(bytes: number): Partial<Limits> & { readonly MemorySwap: number } {
  return { Memory: bytes, MemorySwap: bytes };
}

function cpuLimit({ NanoCpus }: Limits, cpus: number): Partial<Limits> {
  if (NanoCpus > 0) return { NanoCpus: Math.round(cpus * 1e9) };
  const quota = Math.max(QUOTA_US_MIN, Math.round(cpus * PERIOD_US));
  return { CpuPeriod: PERIOD_US, CpuQuota: quota };
}

function cpuRestored({ NanoCpus, CpuQuota, CpuPeriod }: Limits): Partial<Limits> {
  if (NanoCpus > 0) return { NanoCpus };
  // To the engine zero means: as it is.
  if (CpuQuota <= 0) return { CpuQuota: -1 };
  return { CpuQuota, CpuPeriod: CpuPeriod > 0 ? CpuPeriod : PERIOD_US };
}

function cpusOf({ NanoCpus = 0, CpuQuota = 0, CpuPeriod = 0 }: Partial<Limits>): number {
  if (NanoCpus > 0) return NanoCpus / 1e9;
  return CpuQuota > 0 ? CpuQuota / (CpuPeriod > 0 ? CpuPeriod : PERIOD_US) : 0;
}

const statsReply = z.object({
  cpu_stats: z.object({
    throttling_data: z.object({ throttled_periods: z.number().default(0) }).prefault({}),
  }),
  memory_stats: z.object({
    usage: z.number().default(0),
    stats: z
      .object({ active_file: z.number().default(0), inactive_file: z.number().default(0) })
      .prefault({}),
  }),
});

interface Stats {
  readonly throttled: number;
  readonly memoryBytes: number;
  /** Without what the kernel keeps of files as long as there is room. */
  readonly neededBytes: number;
}

/** All zero for a container that does not run. */
async function readStats(
  node: NodeName,
  handle: Handle,
  { made }: ResourceOptions,
): Promise<Stats> {
  const reply: unknown = await callEngine(made.clock, `read the usage of ${node}`, () =>
    // Without the second one the engine takes a second to compare two samples.
    handle.stats({ stream: false, 'one-shot': true }),
  );
  const { cpu_stats, memory_stats } = statsReply.parse(reply);
  const { usage, stats } = memory_stats;
  return {
    throttled: cpu_stats.throttling_data.throttled_periods,
    memoryBytes: usage,
    neededBytes: usage - stats.active_file - stats.inactive_file,
  };
}

/** As the kernel ends who has no memory left; a panic meanwhile is a crash all the same. */
function isKilled(how: string): boolean {
  return how.startsWith('signal SIGKILL') || how.includes('for lack of memory');
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'statusCode' in error && error.statusCode === 404;
}
