/** The `docker` backend: each node is a container in a network namespace that outlives it. */
import { join } from 'node:path';
import { HarnessError } from '../../../harness/core/errors.ts';
import type { NodeName } from '../../../harness/core/units.ts';
import { allDone } from '../../network/served-links.ts';
import { type Life, type LifePlan, type LivesContext, startLives } from '../lives.ts';
import type { RunningNodes } from '../nodes.ts';
import { type Container, createContainer } from './container.ts';
import type { MachineOptions } from './machine-options.ts';
import type { Machines } from './machines.ts';
import { labelsOf, type Made } from './made.ts';
import type { OpenDisk } from './node-disk.ts';
import type { Topology } from './topology.ts';

/** What runs in a node's container. */
export interface ContainerSpec {
  /** Its id, so that nobody can change it in mid-run. */
  readonly image: string;
  /** Instead of the image's own. */
  readonly entrypoint?: readonly string[];
  readonly args: readonly string[];
  /** Added to the image's own; undefined takes a variable away. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

export type ContainerPlan = Omit<LifePlan<ContainerSpec>, 'logPath'>;

export interface ContainersContext extends Pick<LivesContext<ContainerSpec>, 'mayEnd'> {
  readonly made: Made;
  readonly machines: Machines;
  readonly limits: MachineOptions;
  /** Folder of logs: `<dir>/<node>/<logName>`. */
  readonly dir: string;
  readonly logName: string;
}

export interface NodeContainers extends RunningNodes<ContainerSpec> {
  readonly topology: Topology;
}

/** A node's container as it is now, with what it was made of. */
interface Current {
  readonly spec: ContainerSpec;
  readonly container: Container;
  readonly disk: OpenDisk | undefined;
}

/** Starts all nodes at once. When one cannot be started, none is left. */
export async function startContainers(
  plans: readonly ContainerPlan[],
  context: ContainersContext,
): Promise<NodeContainers> {
  const { made, machines, dir, logName, mayEnd } = context;
  const { clock, log } = made;
  const current = new Map<NodeName, Current>();
  const lives = await startLives(
    plans.map((plan) => ({ ...plan, logPath: join(dir, plan.node, logName) })),
    {
      start: (node, spec) => startLife(node, spec, current, context),
      clock,
      log,
      ...(mayEnd !== undefined && { mayEnd }),
    },
  );
  const now = (node: NodeName): Current => {
    const found = current.get(node);
    if (found === undefined)
      throw new HarnessError('process-failed', `${node} has no container: it is made anew now`);
    return found;
  };
  return {
    ...lives,
    topology: {
      ...machines,
      nodeContainer: (node) => now(node).container.id,
      disk: (node) => now(node).disk,
    },
    [Symbol.asyncDispose]: async () => {
      try {
        await lives[Symbol.asyncDispose]();
      } finally {
        await allDone([...current.values()].map(discard));
      }
    },
  };
}

/** In the container that there is, with what it kept; for another spec in a new one, with nothing. */
async function startLife(
  node: NodeName,
  spec: ContainerSpec,
  current: Map<NodeName, Current>,
  context: ContainersContext,
): Promise<Life> {
  const before = current.get(node);
  if (before?.spec === spec) return before.container.start();
  if (before !== undefined) {
    current.delete(node);
    await discard(before);
  }
  const fresh = await create(node, spec, context);
  current.set(node, fresh);
  return fresh.container.start();
}

async function create(
  node: NodeName,
  spec: ContainerSpec,
  { made, machines, limits, dir, logName }: ContainersContext,
): Promise<Current> {
  const { cpus, memoryBytes, dataBytes } = limits;
  const disk = dataBytes === undefined ? undefined : await machines.openDisk(node, dataBytes);
  const { image, entrypoint, args, env } = spec;
  try {
    const options = {
      name: `${machines.network}-${node}`,
      Image: image,
      ...(entrypoint !== undefined && { Entrypoint: [...entrypoint] }),
      Cmd: [...args],
      // One without a value takes the image's own away.
      Env: Object.entries(env).map(([name, value]) =>
        value === undefined ? name : `${name}=${value}`,
      ),
      Labels: labelsOf(made, 'node', node),
      HostConfig: {
        NetworkMode: `container:${machines.linksContainer(node)}`,
        SecurityOpt: ['no-new-privileges'],
        ...(disk !== undefined && { Mounts: [disk.mount] }),
        ...(cpus !== undefined && { NanoCpus: Math.round(cpus * 1e9) }),
        // No swap: a squeezed node is to end, not to crawl.
        ...(memoryBytes !== undefined && { Memory: memoryBytes, MemorySwap: memoryBytes }),
      },
    };
    return {
      spec,
      disk,
      container: await createContainer(made, options, join(dir, node, logName)),
    };
  } catch (error) {
    await disk?.[Symbol.asyncDispose]();
    throw error;
  }
}

async function discard({ container, disk }: Current): Promise<void> {
  await container[Symbol.asyncDispose]();
  await disk?.[Symbol.asyncDispose]();
}
