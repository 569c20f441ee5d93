/** How all nodes become voters again: look, ask for one thing, look again. */
import { sleep } from '../../harness/core/clock.ts';
import { invariant } from '../../harness/core/invariant.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type { Membership, MemberView } from '../../harness/protocols/membership.ts';
import type { Evidence, NemesisContext } from '../../harness/protocols/nemesis.ts';
import type { Outcome, RoleSample } from '../../harness/protocols/system.ts';
import { disturbedByOthers, hitByOthers, leadersOf, NO_LEADER } from '../targets.ts';
import { failed, installed } from './evidence.ts';

export const MEMBERSHIP = 'membership';

const BETWEEN_LOOKS_MS = 100;
/** Election timeouts that a change may take to be answered, and the least. */
const ANSWER_ELECTIONS = 4;
const ANSWER_MS_MIN = 2_000;
const LIST_MS_MAX = 500;

export function membershipOf({ cluster }: NemesisContext): Membership {
  const { membership } = cluster;
  invariant(membership !== undefined, 'a change of the members was decided without members');
  return membership;
}

export function answerMs({ cluster }: NemesisContext): number {
  return Math.max(ANSWER_MS_MIN, ANSWER_ELECTIONS * cluster.timing.electionMs);
}

/** What each node that answers believes of the members. */
export type Lists = ReadonlyMap<NodeName, readonly MemberView[]>;

export async function listsOf(ctx: NemesisContext): Promise<Lists> {
  const membership = membershipOf(ctx);
  const asked = ctx.cluster.nodes.map(
    async (node) => [node, await membership.list(node, LIST_MS_MAX)] as const,
  );
  const lists = new Map<NodeName, readonly MemberView[]>();
  for (const [node, outcome] of await Promise.all(asked))
    if (outcome.type === 'ok') lists.set(node, outcome.value);
  return lists;
}

/** `peer-url-exists`, with the server's words where it has some. */
export function whyNot(outcome: Exclude<Outcome<unknown>, { readonly type: 'ok' }>): string {
  const { code, message } = outcome.error;
  return message === undefined ? code : `${code} (${message})`;
}

/**
 * Who may be believed to lead. A deposed leader knows old members: whoever asked it would add those
 * that came back meanwhile once more. So nobody counts whose term is older than one that was seen.
 */
export class NewestLeader {
  #term = 0;

  of(roles: readonly RoleSample[]): NodeName | undefined {
    for (const { term = 0 } of roles) this.#term = Math.max(this.#term, term);
    const [leader] = leadersOf(roles);
    const term = roles.find(({ node }) => node === leader)?.term ?? 0;
    return term < this.#term ? undefined : leader;
  }
}

/** A member that ended so often while it joined is replaced: what it was told may be out of date. */
const STARTS_MAX = 2;

export interface Restoring {
  readonly as: 'voter' | 'learner';
  /** Who was changed: these have to be seen to serve again. */
  readonly targets: readonly NodeName[];
  readonly newest: NewestLeader;
  /** In nanoseconds of the run; asked again and again, since a heal may bring it forward. */
  readonly deadline: () => number;
}

/**
 * Brings every node back as a voter, as an operator would: one who looks after each refusal and each
 * silence, and asks again. Installed: the leader lists them all, and each answers that no other
 * fault holds.
 */
export async function restoreAll(ctx: NemesisContext, restoring: Restoring): Promise<Evidence> {
  const starts = new Map<NodeName, number>();
  for (;;) {
    const state = await nextStep(ctx, { ...restoring, starts });
    if ('evidence' in state) return state.evidence;
    if (ctx.clock.now() >= restoring.deadline()) return failed(state.reason);
    await sleep(ctx.clock, BETWEEN_LOOKS_MS);
  }
}

type State = { readonly evidence: Evidence } | { readonly reason: string };

interface Attempt extends Restoring {
  /** How often a member that ended was started again. */
  readonly starts: Map<NodeName, number>;
}

/** Does the first thing that is missing: what comes after it may depend on it. */
async function nextStep(ctx: NemesisContext, attempt: Attempt): Promise<State> {
  const roles = await ctx.cluster.roles();
  const leader = attempt.newest.of(roles);
  if (leader === undefined) return { reason: NO_LEADER };
  const listed = await membershipOf(ctx).list(leader, LIST_MS_MAX);
  if (listed.type !== 'ok') return { reason: `${leader} lists no members: ${whyNot(listed)}` };
  const probe: Record<string, string> = {};
  for (const node of ctx.cluster.nodes) {
    const member = listed.value.find((each) => each.node === node);
    const reason =
      member === undefined
        ? await bringBack(node, leader, attempt, ctx)
        : await makeWhole(member, { node, leader, roles }, attempt, ctx);
    if (reason !== undefined) return { reason: `${node}: ${reason}` };
    probe[node] = `voter ${member?.id ?? ''}`;
  }
  return { evidence: installed({ ...probe, 'listed by': leader }) };
}

async function bringBack(
  node: NodeName,
  via: NodeName,
  { as, starts }: Attempt,
  ctx: NemesisContext,
): Promise<string> {
  // It asks the others who they are: without its links it would have to give up.
  if (isHeld(node, ctx)) return 'no member, and other faults hold it';
  starts.delete(node);
  const how = { via, asLearner: as === 'learner', timeoutMs: answerMs(ctx) };
  const outcome = await membershipOf(ctx).add(node, how);
  return outcome.type === 'ok' ? 'just added' : `not added through ${via}: ${whyNot(outcome)}`;
}

/** Undefined: nothing is missing that this lane has to do. */
async function makeWhole(
  { isLearner }: MemberView,
  seen: {
    readonly node: NodeName;
    readonly leader: NodeName;
    readonly roles: readonly RoleSample[];
  },
  attempt: Attempt,
  ctx: NemesisContext,
): Promise<string | undefined> {
  const { node, leader, roles } = seen;
  const isServing = answers(node, roles);
  if (isServing && isLearner) {
    const outcome = await membershipOf(ctx).promote(node, leader, answerMs(ctx));
    return outcome.type === 'ok' ? 'just promoted' : `not promoted: ${whyNot(outcome)}`;
  }
  const isOurs = isLearner || attempt.targets.includes(node);
  if (isServing || (!isOurs && isHeld(node, ctx))) return undefined;
  if (isHeld(node, ctx)) return 'not seen to serve yet, and other faults hold it';
  const isDown = (await ctx.cluster.processes?.state(node))?.state === 'gone';
  if (isDown && isOurs) return startAgain(node, leader, attempt, ctx);
  return 'a member, but it does not answer yet';
}

/** One that joined may have given up, because nobody let it in while other faults held its links. */
async function startAgain(
  node: NodeName,
  via: NodeName,
  { starts }: Attempt,
  ctx: NemesisContext,
): Promise<string> {
  const before = starts.get(node) ?? 0;
  starts.set(node, before + 1);
  if (before < STARTS_MAX) {
    await ctx.cluster.processes?.start(node);
    return 'ended while it joined, and was started again';
  }
  const outcome = await membershipOf(ctx).remove(node, via, answerMs(ctx));
  return `ended while it joined, again and again: ${
    outcome.type === 'ok' ? 'removed, to be added anew' : whyNot(outcome)
  }`;
}

export function answers(node: NodeName, roles: readonly RoleSample[]): boolean {
  return roles.some((sample) => sample.node === node && sample.state === 'answered');
}

/** Whether another lane has stopped it, or anything of its links. */
function isHeld(node: NodeName, { board }: NemesisContext): boolean {
  if (hitByOthers(board, MEMBERSHIP).has(node)) return true;
  return [...disturbedByOthers(board, MEMBERSHIP)].some((link) => link.split('>').includes(node));
}
