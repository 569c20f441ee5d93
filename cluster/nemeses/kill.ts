import { sleep } from '../../harness/core/clock.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type { Evidence, Nemesis, NemesisContext } from '../../harness/protocols/nemesis.ts';
import type { ProcessControl } from '../../harness/protocols/system.ts';
import { hitByOthers, keepsQuorum } from '../targets.ts';
import { failed } from './evidence.ts';
import {
  actAndProve,
  type ProcessFaultKind,
  type ProcessFaultOptions,
  type ProcessHeld,
  pidOf,
  processesOf,
  processNemesis,
  proveStates,
  stateText,
} from './process-fault.ts';

/** How long the machine may take to show that a process is gone, or there again. */
const STATE_MS_MAX = 5000;
/** How long a started node may take to answer: it reads its data back first. */
export const ANSWER_MS_MAX = 12_000;
const ASK_EVERY_MS = 100;

/**
 * `kill -9`, and at the end a start on the old data. It has taken effect when the machine no
 * longer knows the process; it has ended when each node runs under another pid and answers.
 */
export function kill(options: ProcessFaultOptions = {}): Nemesis {
  const end: End = (node, processes) => processes.kill(node);
  return endingNemesis({ lane: 'kill', verb: 'kill -9' }, end, options);
}

/** Ends one node's process. */
export type End = (node: NodeName, processes: ProcessControl) => Promise<void>;

/** A fault that ends processes in some way, and starts them again when it is over. */
export function endingNemesis(
  kind: Omit<ProcessFaultKind, 'can'>,
  end: End,
  options: ProcessFaultOptions,
): Nemesis {
  return processNemesis(
    {
      // A stopped process dies as well as a running one.
      kind: { ...kind, can: ['running', 'paused'] },
      install: (held, ctx) => install(held, ctx, end),
      remove: (held, ctx) => remove(held, ctx, kind.lane),
    },
    options,
  );
}

async function install(
  held: ProcessHeld,
  ctx: NemesisContext,
  end: End,
): Promise<{ evidence: Evidence }> {
  const processes = processesOf(ctx);
  const nodes = [...held.before.keys()];
  const prove = (): Promise<Evidence> =>
    proveStates(nodes, ctx, STATE_MS_MAX, (node, state) => {
      const before = stateText(held.before.get(node) ?? { state: 'gone' });
      if (state.state !== 'gone')
        return { is: 'against', text: `should be gone, but is ${stateText(state)}` };
      held.proven.add(node);
      return { is: 'proof', text: `gone (was ${before})` };
    });
  return { evidence: await actAndProve(nodes, (node) => end(node, processes), prove) };
}

async function remove(
  held: ProcessHeld,
  ctx: NemesisContext,
  lane: string,
): Promise<{ evidence: Evidence }> {
  const processes = processesOf(ctx);
  const nodes = [...held.before.keys()];
  const start = async (node: NodeName): Promise<void> => {
    if ((await processes.state(node)).state === 'gone') await processes.start(node);
  };
  const others = hitByOthers(ctx.board, ctx.lane ?? lane);
  const prove = (): Promise<Evidence> =>
    proveStates(nodes, ctx, STATE_MS_MAX, (node, state) => {
      const pid = pidOf(state);
      // A node whose death was never seen may still be what it was: then there is nothing to undo.
      const same =
        held.proven.has(node) && pid !== undefined && pid === pidOf(held.before.get(node));
      if (state.state === 'running' && !same) return { is: 'proof', text: stateText(state) };
      // Paused by another lane; or removed from the cluster, so that it ends again at once.
      if (state.state !== 'running' && others.has(node))
        return { is: 'other', text: `${stateText(state)} (another fault)` };
      const seen = same ? `still the same process, ${stateText(state)}` : stateText(state);
      return { is: 'against', text: `should run again, but is ${seen}` };
    });
  const evidence = await actAndProve(nodes, start, prove);
  if (evidence.result === 'failed') return { evidence };
  const silent = await awaitAnswers(nodes, ctx, lane);
  if (silent.length === 0) return { evidence };
  const why = `${silent.join(', ')} started, but did not answer within ${ANSWER_MS_MAX} ms`;
  return { evidence: failed(why) };
}

/**
 * The nodes that answer nobody in time, though no other lane holds them. Where other lanes hold so
 * many that there may be no majority, nobody who was started can be expected to answer.
 */
export async function awaitAnswers(
  nodes: readonly NodeName[],
  ctx: NemesisContext,
  lane: string,
): Promise<NodeName[]> {
  const deadline = ctx.clock.now() + ANSWER_MS_MAX * 1e6;
  for (;;) {
    const roles = await ctx.cluster.roles();
    const answered = new Set(
      roles.filter(({ state }) => state === 'answered').map(({ node }) => node),
    );
    const others = hitByOthers(ctx.board, ctx.lane ?? lane);
    const isPossible = keepsQuorum([], others, ctx.cluster.nodes);
    const silent = nodes.filter((node) => isPossible && !answered.has(node) && !others.has(node));
    if (silent.length === 0 || ctx.clock.now() >= deadline) return silent;
    await sleep(ctx.clock, ASK_EVERY_MS);
  }
}
