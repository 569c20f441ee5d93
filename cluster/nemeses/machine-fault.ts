/** What faults on machines share: they act on every node, and look at each from outside. */
import { sleep } from '../../harness/core/clock.ts';
import { HarnessError } from '../../harness/core/errors.ts';
import { type NodeName, nanosFromMs } from '../../harness/core/units.ts';
import type { UndoFault } from '../../harness/protocols/machines.ts';
import type { Evidence, NemesisContext } from '../../harness/protocols/nemesis.ts';
import { hitByOthers } from '../targets.ts';
import { failed, installed, skipped } from './evidence.ts';
import { ANSWER_MS_MAX, awaitAnswers } from './kill.ts';
import { type Finding, proveStates, stateText } from './process-fault.ts';

/** How long a process may take to run again on a machine that is well. */
const STATE_MS_MAX = 5000;
const LOOK_EVERY_MS = 250;

/** A fault on machines, while it lasts. */
export interface MachineHeld<Own> {
  readonly own: Own;
  readonly nodes: readonly NodeName[];
  /** Those that were installed and not taken away since. */
  readonly undos: Map<NodeName, UndoFault>;
}

export function machineHeld<Own>(own: Own, nodes: readonly NodeName[]): MachineHeld<Own> {
  return { own, nodes, undos: new Map() };
}

/** Every node is tried, whatever becomes of the others; then the first refusal is thrown. */
export async function onAll(
  nodes: readonly NodeName[],
  act: (node: NodeName) => Promise<void>,
): Promise<void> {
  // Async, so that one refusal never keeps the others from being tried.
  const results = await Promise.allSettled(nodes.map(async (node) => act(node)));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

export async function installAll<Own>(
  held: MachineHeld<Own>,
  install: (node: NodeName, own: Own) => Promise<UndoFault>,
): Promise<void> {
  await onAll(held.nodes, async (node) => {
    held.undos.set(node, await install(node, held.own));
  });
}

/** What could not be taken away is left for the next call. */
export async function undoAll({ undos }: MachineHeld<unknown>): Promise<void> {
  await onAll([...undos.keys()], async (node) => {
    await undos.get(node)?.();
    undos.delete(node);
  });
}

/**
 * Looks at every node until none speaks against the fault, or `withinMs` have passed. A node that
 * speaks against it while another lane holds it proves nothing.
 */
export async function proveMachines(
  lane: string,
  nodes: readonly NodeName[],
  ctx: NemesisContext,
  withinMs: number,
  find: (node: NodeName) => Promise<Finding>,
): Promise<Evidence> {
  const deadline = ctx.clock.now() + nanosFromMs(withinMs);
  for (;;) {
    const before = hitByOthers(ctx.board, ctx.lane ?? lane);
    const seen = await Promise.all(
      nodes.map(async (node) => [node, await look(node, find)] as const),
    );
    // Whoever was held when the look began may be free by now.
    const others = new Set([...before, ...hitByOthers(ctx.board, ctx.lane ?? lane)]);
    const findings = seen.map(
      ([node, finding]) => [node, others.has(node) ? excused(finding) : finding] as const,
    );
    const against = findings.find(([, { is }]) => is === 'against');
    if (against === undefined) return verdictOf(findings);
    if (ctx.clock.now() >= deadline) return failed(`${against[0]} ${against[1].text}`);
    await sleep(ctx.clock, LOOK_EVERY_MS);
  }
}

/** A machine that cannot be looked at, such as one that another lane makes anew, proves nothing. */
async function look(node: NodeName, find: (node: NodeName) => Promise<Finding>): Promise<Finding> {
  try {
    return await find(node);
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    return { is: 'against', text: `cannot be looked at: ${error.message}` };
  }
}

function excused(finding: Finding): Finding {
  if (finding.is !== 'against') return finding;
  return { is: 'other', text: `${finding.text} (another fault)` };
}

function verdictOf(findings: readonly (readonly [NodeName, Finding])[]): Evidence {
  const probe = Object.fromEntries(findings.map(([node, { text }]) => [node, text]));
  return findings.some(([, { is }]) => is === 'proof') || findings.length === 0
    ? installed(probe)
    : skipped(`other faults hold ${findings.map(([node]) => node).join(', ')}`);
}

/**
 * What is wrong with nodes that were to go on when the fault was over: nothing, or one line. `when`
 * completes it: `the disk was well`.
 */
export async function awaitRunning(
  lane: string,
  nodes: readonly NodeName[],
  ctx: NemesisContext,
  when: string,
): Promise<string | undefined> {
  if (ctx.cluster.processes !== undefined) {
    const others = hitByOthers(ctx.board, ctx.lane ?? lane);
    const proof = await proveStates(nodes, ctx, STATE_MS_MAX, (node, state) => {
      if (state.state === 'running') return { is: 'proof', text: stateText(state) };
      if (others.has(node)) return { is: 'other', text: `${stateText(state)} (another fault)` };
      return { is: 'against', text: `should run again, but is ${stateText(state)}` };
    });
    if (proof.result === 'failed') return proof.why;
  }
  const silent = await awaitAnswers(nodes, ctx, lane);
  if (silent.length === 0) return undefined;
  return `${silent.join(', ')} did not answer within ${ANSWER_MS_MAX} ms after ${when}`;
}
