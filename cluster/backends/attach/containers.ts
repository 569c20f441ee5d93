/** Nodes in containers that somebody else made: killed, frozen and started again, never removed. */

import type { Clock } from '../../../harness/core/clock.ts';
import { HarnessError } from '../../../harness/core/errors.ts';
import type { Log } from '../../../harness/core/log.ts';
import type { NodeName } from '../../../harness/core/units.ts';
import type { ProcessState } from '../../../harness/protocols/system.ts';
import { engineAddress } from '../docker/cleanup.ts';
import { callEngine, type Engine } from '../docker/engine.ts';
import { statusOf } from '../docker/images.ts';
import type { NodeHandle } from './handle.ts';
import { restoring } from './restore.ts';

export interface ContainerContext {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly log: Log;
}

/** A container that the config names, by the id that it had when the run began. */
export interface FoundContainer {
  readonly node: NodeName;
  readonly name: string;
  readonly id: string;
  /** Whether its output is one stream with nothing around it. */
  readonly isTty: boolean;
}

/**
 * Looks the container up. Throws `bad-option` when the engine has none of this full name, and
 * `process-failed` when it does not run: a run leaves a cluster as it found it.
 */
export async function findContainer(
  { engine, clock }: ContainerContext,
  node: NodeName,
  name: string,
): Promise<FoundContainer> {
  const found = await inspect(engine, clock, name);
  if (found === undefined)
    throw new HarnessError(
      'bad-option',
      `attach.nodes.${node}.container: the container engine has no '${name}'; see docker ps`,
    );
  // The engine takes the beginning of an id, too: that may come to mean another one.
  if (found.Name !== `/${name}` && found.Id !== name)
    throw new HarnessError(
      'bad-option',
      `attach.nodes.${node}.container: '${name}' is no full name; ` +
        `write '${found.Name.slice(1)}'`,
    );
  const { Running: isRunning, Paused: isPaused, Status: status } = found.State;
  if (!isRunning || isPaused)
    throw new HarnessError(
      'process-failed',
      `container ${name} of ${node} is ${status}: start the cluster first`,
    );
  return { node, name, id: found.Id, isTty: found.Config.Tty };
}

/**
 * Acts on that very container: one that was made anew under its name is another. Calls `expectEnd`
 * before it ends a process that runs.
 */
export function containerHandle(
  context: ContainerContext,
  found: FoundContainer,
  expectEnd: () => void,
): NodeHandle {
  const { engine, clock } = context;
  const { name, id } = found;
  const handle = engine.docker.getContainer(id);
  const undo = restoring({ kind: 'container', engine: engineAddress(engine), id });
  const call = (what: string, act: () => Promise<unknown>): Promise<void> =>
    callEngine(clock, `${what} container ${name}`, () => unlessItIs([304, 409], act()));
  return {
    ending: {
      begin: async () => {
        if ((await stateOf(context, id)).state === 'gone') return;
        expectEnd();
        await call('kill', () => handle.kill({ signal: 'SIGKILL' }));
        await callEngine(clock, `the end of container ${name}`, (abortSignal) =>
          handle.wait({ abortSignal }),
        );
      },
      end: () => call('start', () => handle.start()),
      undo,
    },
    freezing: {
      begin: () => call('pause', () => handle.pause()),
      end: async () => {
        if ((await stateOf(context, id)).state === 'paused')
          await call('unpause', () => handle.unpause());
      },
      undo,
    },
    state: () => stateOf(context, id),
  };
}

async function stateOf({ engine, clock }: ContainerContext, id: string): Promise<ProcessState> {
  const found = await inspect(engine, clock, id);
  if (found?.State.Running !== true) return { state: 'gone' };
  const { Paused: isPaused, Pid: pid } = found.State;
  return { state: isPaused ? 'paused' : 'running', pid };
}

type Inspected = Awaited<ReturnType<ReturnType<Engine['docker']['getContainer']>['inspect']>>;

/** Undefined: there is no such container. */
function inspect(engine: Engine, clock: Clock, name: string): Promise<Inspected | undefined> {
  return callEngine(clock, `look at container ${name}`, async (abortSignal) => {
    try {
      return await engine.docker.getContainer(name).inspect({ abortSignal });
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  });
}

/** Does nothing about answers that say: it is so already. */
async function unlessItIs(statuses: readonly number[], call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    const status = statusOf(error);
    if (status === undefined || !statuses.includes(status)) throw error;
  }
}
