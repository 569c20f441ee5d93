/** How all nodes become voters again: look, ask for one thing, look again. */
import { sleep } from '../../harness/core/clock.ts';
import { invariant } from '../../harness/core/invariant.ts';
import { lagMs } from '../../harness/core/passages.ts';
import { type NodeName, nanosFromMs } from '../../harness/core/units.ts';
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

/** A list is as sure as a linearizable read, and takes as long. */
function listMs({ cluster }: NemesisContext): number {
  return LIST_MS_MAX + lagMs(cluster.network?.latencyMs);
}

/** What each node that answers believes of the members. */
export type Lists = ReadonlyMap<NodeName, readonly MemberView[]>;

export async function listsOf(ctx: NemesisContext): Promise<Lists> {
  const membership = membershipOf(ctx);
  const asked = ctx.cluster.nodes.map(
    async (node) => [node, await membership.list(node, listMs(ctx))] as const,
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
 * that came back meanwhile once more. So nobody counts whose term is older than one in which another
 * was seen to lead. A term alone proves nothing: one that is cut off, or was removed, asks for votes
 * in new terms and gets none.
 */
export class NewestLeader {
  #term = 0;

  of(roles: readonly RoleSample[]): NodeName | undefined {
    for (const sample of roles)
      if (isLed(sample)) this.#term = Math.max(this.#term, sample.term ?? 0);
    const [leader] = leadersOf(roles);
    const term = roles.find(({ node }) => node === leader)?.term ?? 0;
    return term < this.#term ? undefined : leader;
  }
}

/** Somebody was elected in its term. */
function isLed({ role, leader }: RoleSample): boolean {
  return role === 'leader' || role === 'follower' || leader !== undefined;
}

/**
 * A member that ended so often while it joined, or did not serve for so long, is replaced: what it
 * was told of the others may be out of date, or it took itself for one that was never added.
 */
const STARTS_MAX = 2;
const JOIN_MS_MAX = 10_000;

export interface Restoring {
  readonly as: 'voter' | 'learner';
  /** Who was changed: these have to be seen to serve again. */
  readonly targets: readonly NodeName[];
  readonly newest: NewestLeader;
  /**
   * Whose removal was asked for and not answered: it may happen at any time, as long as the member
   * is one. Those that are settled are taken out.
   */
  readonly unsettled: Set<NodeName>;
  /** In nanoseconds of the run; asked again and again, since a heal may bring it forward. */
  readonly deadline: () => number;
}

/**
 * Brings every node back as a voter, as an operator would: one who looks after each refusal and each
 * silence, and asks again. Installed: the leader lists them all, and each answers that no other
 * fault holds.
 */
export async function restoreAll(ctx: NemesisContext, restoring: Restoring): Promise<Evidence> {
  const joining: Attempt['joining'] = new Map();
  for (;;) {
    const state = await nextStep(ctx, { ...restoring, joining });
    if ('evidence' in state) return state.evidence;
    if (ctx.clock.now() >= restoring.deadline()) return failed(state.reason);
    await sleep(ctx.clock, BETWEEN_LOOKS_MS);
  }
}

type State = { readonly evidence: Evidence } | { readonly reason: string };

interface Attempt extends Restoring {
  /** Members that nothing holds and that do not serve yet: since when, and how often started. */
  readonly joining: Map<NodeName, { readonly sinceNanos: number; starts: number }>;
}

/**
 * Does the first thing that is missing: what comes after it may depend on it. A removal may need the
 * other members to be whole, and an addition that no other learner is left.
 */
async function nextStep(ctx: NemesisContext, attempt: Attempt): Promise<State> {
  const roles = await ctx.cluster.roles();
  const leader = attempt.newest.of(roles);
  if (leader === undefined) return { reason: NO_LEADER };
  const listed = await membershipOf(ctx).list(leader, listMs(ctx));
  if (listed.type !== 'ok') return { reason: `${leader} lists no members: ${whyNot(listed)}` };
  const { nodes } = ctx.cluster;
  const members = new Map(nodes.map((node) => [node, memberOn(node, listed.value)]));
  // The last one is not removed, whoever asks.
  const mayLeave = (node: NodeName): boolean =>
    attempt.unsettled.has(node) && listed.value.length > 1;
  const rank = (node: NodeName): number =>
    members.get(node) === undefined ? 2 : mayLeave(node) ? 1 : 0;
  for (const node of nodes.toSorted((a, b) => rank(a) - rank(b))) {
    const member = members.get(node);
    let reason: string | undefined;
    if (member === undefined) reason = await bringBack(node, leader, attempt, ctx);
    else if (mayLeave(node)) reason = await settle(node, leader, attempt, ctx);
    else reason = await makeWhole(member, { node, leader, roles }, attempt, ctx);
    if (reason !== undefined) return { reason: `${node}: ${reason}` };
  }
  const voters = nodes.map((node) => [node, `voter ${members.get(node)?.id ?? ''}`]);
  return { evidence: installed({ ...Object.fromEntries(voters), 'listed by': leader }) };
}

function memberOn(node: NodeName, members: readonly MemberView[]): MemberView | undefined {
  return members.find((each) => each.node === node);
}

async function bringBack(
  node: NodeName,
  via: NodeName,
  { as, joining, unsettled }: Attempt,
  ctx: NemesisContext,
): Promise<string> {
  unsettled.delete(node);
  joining.delete(node);
  // It asks the others who they are: without its links it would have to give up.
  if (isHeld(node, ctx)) return 'no member, and other faults hold it';
  const how = { via, asLearner: as === 'learner', timeoutMs: answerMs(ctx) };
  const outcome = await membershipOf(ctx).add(node, how);
  return outcome.type === 'ok' ? 'just added' : `not added through ${via}: ${whyNot(outcome)}`;
}

/** Ids never come back: only what is no member any more cannot be removed later. */
async function settle(
  node: NodeName,
  leader: NodeName,
  attempt: Attempt,
  ctx: NemesisContext,
): Promise<string> {
  return `its removal was not answered: ${await removeAgain(node, leader, attempt, ctx)}`;
}

interface Seen {
  readonly node: NodeName;
  readonly leader: NodeName;
  readonly roles: readonly RoleSample[];
}

/** Undefined: nothing is missing that this lane has to do. */
async function makeWhole(
  { isLearner }: MemberView,
  { node, leader, roles }: Seen,
  attempt: Attempt,
  ctx: NemesisContext,
): Promise<string | undefined> {
  const { joining, targets } = attempt;
  const isServing = answers(node, roles);
  const isNodeHeld = isHeld(node, ctx);
  if (isServing || isNodeHeld) joining.delete(node);
  if (isServing && isLearner) {
    const outcome = await membershipOf(ctx).promote(node, leader, answerMs(ctx));
    return outcome.type === 'ok' ? 'just promoted' : `not promoted: ${whyNot(outcome)}`;
  }
  if (isServing) return undefined;
  const isOurs = isLearner || targets.includes(node);
  if (isNodeHeld) return isOurs ? 'not seen to serve yet, and other faults hold it' : undefined;
  return isOurs ? helpJoin(node, leader, attempt, ctx) : 'a member, but it does not answer yet';
}

/** One that joined may have given up, because nobody let it in while other faults held its links. */
async function helpJoin(
  node: NodeName,
  leader: NodeName,
  attempt: Attempt,
  ctx: NemesisContext,
): Promise<string> {
  const { joining } = attempt;
  const { clock, cluster } = ctx;
  const state = joining.get(node) ?? { sinceNanos: clock.now(), starts: 0 };
  joining.set(node, state);
  const isDown = (await cluster.processes?.state(node))?.state === 'gone';
  const isLate = clock.now() - state.sinceNanos >= nanosFromMs(JOIN_MS_MAX);
  if (isLate || (isDown && state.starts >= STARTS_MAX))
    return `does not join: ${await removeAgain(node, leader, attempt, ctx)}`;
  if (!isDown) return 'a member, but it does not answer yet';
  state.starts++;
  await cluster.processes?.start(node);
  return 'ended while it joined, and was started again';
}

/** Makes sure that this member is over, so that another one can take its place. */
async function removeAgain(
  node: NodeName,
  via: NodeName,
  { unsettled }: Attempt,
  ctx: NemesisContext,
): Promise<string> {
  const outcome = await membershipOf(ctx).remove(node, via, answerMs(ctx));
  if (outcome.type === 'info') unsettled.add(node);
  return outcome.type === 'ok' ? 'removed, to be added anew' : `not removed: ${whyNot(outcome)}`;
}

export function answers(node: NodeName, roles: readonly RoleSample[]): boolean {
  return roles.some((sample) => sample.node === node && sample.state === 'answered');
}

/** Whether another lane has stopped it, or anything of its links. */
function isHeld(node: NodeName, { board }: NemesisContext): boolean {
  if (hitByOthers(board, MEMBERSHIP).has(node)) return true;
  return [...disturbedByOthers(board, MEMBERSHIP)].some((link) => link.split('>').includes(node));
}
