import type { NodeName } from '../../harness/core/units.ts';
import type { Evidence, Nemesis, NemesisContext } from '../../harness/protocols/nemesis.ts';
import type { ProcessState } from '../../harness/protocols/system.ts';
import { hitByOthers } from '../targets.ts';
import {
  actAndProve,
  type ProcessFaultOptions,
  type ProcessHeld,
  processesOf,
  processNemesis,
  proveStates,
  stateText,
} from './process-fault.ts';

/** How long the machine may take to show that a process stopped, or goes on. */
const STATE_MS_MAX = 3000;
const NAME = 'pause';

/**
 * SIGSTOP, and at the end SIGCONT: the node keeps its memory, its connections and its beliefs, and
 * loses time. Proven by the state that the machine reports for the process.
 */
export function pause(options: ProcessFaultOptions = {}): Nemesis {
  const kind = {
    lane: NAME,
    verb: 'pause',
    can: ['running'],
    // Each thread of a container needs its turn to be frozen, and with hardly a processor gets none.
    notWith: 'cpu-squeeze',
  } as const;
  return processNemesis({ kind, install, remove }, options);
}

async function install(held: ProcessHeld, ctx: NemesisContext): Promise<{ evidence: Evidence }> {
  const processes = processesOf(ctx);
  const nodes = [...held.before.keys()];
  const prove = (): Promise<Evidence> =>
    proveStates(nodes, ctx, STATE_MS_MAX, (node, state) => {
      if (state.state === 'paused') return { is: 'proof', text: stateText(state) };
      if (isGoneByOthers(node, state, ctx)) return { is: 'other', text: 'gone (another fault)' };
      return { is: 'against', text: `should be paused, but is ${stateText(state)}` };
    });
  return { evidence: await actAndProve(nodes, (node) => processes.pause(node), prove) };
}

async function remove(held: ProcessHeld, ctx: NemesisContext): Promise<{ evidence: Evidence }> {
  const processes = processesOf(ctx);
  const nodes = [...held.before.keys()];
  const resume = async (node: NodeName): Promise<void> => {
    // A node that was killed meanwhile runs afresh, or is for the lane that killed it to start.
    if ((await processes.state(node)).state === 'paused') await processes.resume(node);
  };
  const prove = (): Promise<Evidence> =>
    proveStates(nodes, ctx, STATE_MS_MAX, (node, state) => {
      if (state.state === 'running') return { is: 'proof', text: stateText(state) };
      if (isGoneByOthers(node, state, ctx)) return { is: 'other', text: 'gone (another fault)' };
      return { is: 'against', text: `should run again, but is ${stateText(state)}` };
    });
  return { evidence: await actAndProve(nodes, resume, prove) };
}

/** Both lanes may choose a node in the same moment; a process that is gone proves no pause. */
function isGoneByOthers(node: NodeName, state: ProcessState, ctx: NemesisContext): boolean {
  return state.state === 'gone' && hitByOthers(ctx.board, ctx.lane ?? NAME).has(node);
}
