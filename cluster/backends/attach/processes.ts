/** Kill and pause on nodes that somebody else started, and everything put back in the end. */
import { HarnessError, messageOf } from '../../../harness/core/errors.ts';
import { invariant } from '../../../harness/core/invariant.ts';
import type { Log } from '../../../harness/core/log.ts';
import type { NodeName } from '../../../harness/core/units.ts';
import type { ProcessControl } from '../../../harness/protocols/system.ts';
import type { UndoRegistry } from '../../../harness/protocols/undo.ts';
import type { Fault, NodeHandle } from './handle.ts';

/** Disposing of it starts what is still killed, and wakes what is still paused. */
export interface AttachedProcesses extends AsyncDisposable {
  readonly control: ProcessControl;
}

type FaultName = 'kill' | 'pause';

interface Slot {
  readonly node: NodeName;
  readonly handle: NodeHandle;
  /** Faults that hold this node, each with how to withdraw its undo entry. */
  readonly held: Map<FaultName, () => void>;
  /** What is done to one node follows each other. */
  queue: Promise<unknown>;
}

export function attachedProcesses(
  handles: ReadonlyMap<NodeName, NodeHandle>,
  context: { readonly undo: UndoRegistry; readonly log: Log },
): AttachedProcesses {
  const slots = new Map(
    [...handles].map(([node, handle]): [NodeName, Slot] => [
      node,
      { node, handle, held: new Map(), queue: Promise.resolve() },
    ]),
  );
  const of = (node: NodeName): Slot => {
    const slot = slots.get(node);
    invariant(slot !== undefined, `there is no node '${node}'`);
    return slot;
  };
  const begin = (node: NodeName, name: FaultName): Promise<void> =>
    inTurn(of(node), async () => {
      const { held, handle } = of(node);
      const fault = faultOf(node, handle, name);
      // Before the act: no moment may be without a way back.
      if (!held.has(name)) held.set(name, await context.undo.add(fault.undo));
      await fault.begin();
    });
  const end = (node: NodeName, name: FaultName): Promise<void> =>
    inTurn(of(node), () => endFault(of(node), name));
  return {
    control: {
      refused: refusedBy(handles),
      kill: (node) => begin(node, 'kill'),
      start: (node) => end(node, 'kill'),
      pause: (node) => begin(node, 'pause'),
      resume: (node) => end(node, 'pause'),
      state: (node) => of(node).handle.state(),
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...slots.values()].map((slot) => putBack(slot, context.log)));
    },
  };
}

async function endFault(slot: Slot, name: FaultName): Promise<void> {
  const { node, handle, held } = slot;
  await faultOf(node, handle, name).end();
  held.get(name)?.();
  held.delete(name);
  // A process that was started afresh is none that was paused.
  if (name !== 'kill') return;
  held.get('pause')?.();
  held.delete('pause');
}

/** What cannot be put back now stays with the watchdog, which tries once more. */
function putBack(slot: Slot, log: Log): Promise<void> {
  return inTurn(slot, async () => {
    for (const name of ['kill', 'pause'] as const) {
      if (!slot.held.has(name)) continue;
      try {
        await endFault(slot, name);
      } catch (error) {
        log.error('a node could not be put back', { node: slot.node, error: messageOf(error) });
      }
    }
  });
}

function inTurn(slot: Slot, act: () => Promise<void>): Promise<void> {
  const turn = slot.queue.then(act);
  slot.queue = turn.catch(() => undefined);
  return turn;
}

function faultOf(node: NodeName, handle: NodeHandle, name: FaultName): Fault {
  const fault = faultIn(handle, name);
  if (fault === undefined) throw new HarnessError('unsupported', lackText(node, name));
  return fault;
}

function faultIn(handle: NodeHandle, name: FaultName): Fault | undefined {
  return name === 'kill' ? handle.ending : handle.freezing;
}

/** A fault picks its nodes: it can be had on all of them, or not at all. */
function refusedBy(handles: ReadonlyMap<NodeName, NodeHandle>): Record<string, string> {
  const refused: Record<string, string> = {};
  for (const name of ['kill', 'pause'] as const)
    for (const [node, handle] of handles)
      if (faultIn(handle, name) === undefined) refused[name] ??= lackText(node, name);
  return refused;
}

function lackText(node: NodeName, name: FaultName): string {
  const commands = name === 'kill' ? 'kill and start' : 'pause and resume';
  return `the config gives ${node} neither a container nor the commands ${commands}`;
}
