/** Changes who belongs to the cluster, for a while. */
import { sleep } from '../../harness/core/clock.ts';
import { unreachable } from '../../harness/core/invariant.ts';
import { type NodeName, nanosFromMs } from '../../harness/core/units.ts';
import type { Evidence, Nemesis, NemesisContext } from '../../harness/protocols/nemesis.ts';
import type { Cluster, RoleSample } from '../../harness/protocols/system.ts';
import { hitByOthers, NO_LEADER, resolveTargets, withRoles } from '../targets.ts';
import { failed, installed, type Measured, skipped } from './evidence.ts';
import { type FaultFamily, nemesisOf, type Plan } from './lane.ts';
import {
  answerMs,
  answers,
  type Lists,
  listsOf,
  MEMBERSHIP,
  membershipOf,
  NewestLeader,
  restoreAll,
  whyNot,
} from './membership-restore.ts';
import {
  askedNode,
  drawMembership,
  type MembershipSpec,
  readMembershipSpec,
} from './membership-spec.ts';

/** A list may be behind what was answered; and what nobody answered may have happened. */
const LOOK_MS_MAX = 2_000;
/** From the removal of a member to another one in its place. */
const REPLACE_MS_MAX = 8_000;
/** A voter is added only after all others were well for five seconds, and faults go on meanwhile. */
const RESTORE_MS_MAX = 60_000;
/** A little less than a run waits for its heal. */
const HEAL_MS_MAX = 26_000;
const BETWEEN_LOOKS_MS = 100;

interface Survey {
  readonly roles: readonly RoleSample[];
  readonly lists: Lists;
}

interface Held {
  readonly spec: MembershipSpec;
  /** In the order in which they are asked for. */
  readonly targets: readonly NodeName[];
  readonly survey: Survey;
  readonly newest: NewestLeader;
  readonly unsettled: Set<NodeName>;
}

/** Only what lasts from one fault to the next. */
interface Memory {
  readonly newest: NewestLeader;
  /** See `Restoring`. */
  readonly unsettled: Set<NodeName>;
  healUntil: number | undefined;
}

/**
 * A change has taken effect when a node that answers no longer lists the member, or lists the one in
 * its place; it has ended when the leader lists every node as a voter. A change that nobody answered
 * may still happen, and counts only if it is seen.
 */
export function membership(): Nemesis {
  const memory: Memory = {
    newest: new NewestLeader(),
    unsettled: new Set(),
    healUntil: undefined,
  };
  const nemesis = nemesisOf(familyOf(memory));
  return {
    ...nemesis,
    heal: (ctx) => {
      // What ends a fault just now has no longer than this either.
      memory.healUntil = ctx.clock.now() + nanosFromMs(HEAL_MS_MAX);
      return nemesis.heal(ctx);
    },
  };
}

function familyOf(memory: Memory): FaultFamily<MembershipSpec, Survey, Held> {
  return {
    name: MEMBERSHIP,
    single: 'there is one list of members',
    available: ({ membership: can }: Cluster) =>
      can !== undefined || 'this cluster does not let its members be changed',
    read: readMembershipSpec,
    draw: drawMembership,
    survey: async (_spec, ctx) => {
      const [roles, lists] = await Promise.all([ctx.cluster.roles(), listsOf(ctx)]);
      memory.newest.of(roles);
      return { roles, lists };
    },
    plan: (spec, survey, ctx) => plan(spec, survey, ctx, memory),
    install: async (held, ctx) => ({ evidence: await install(held, ctx) }),
    remove: async ({ spec, targets }, ctx): Promise<Measured> => {
      const until = ctx.clock.now() + nanosFromMs(RESTORE_MS_MAX);
      const deadline = (): number => Math.min(until, memory.healUntil ?? until);
      const { newest, unsettled } = memory;
      const restoring = { as: spec.as, targets, newest, unsettled, deadline };
      return { evidence: await restoreAll(ctx, restoring) };
    },
  };
}

function plan(
  spec: MembershipSpec,
  survey: Survey,
  ctx: NemesisContext,
  { newest, unsettled }: Memory,
): Plan<Held> | { readonly reason: string } {
  const { nodes } = ctx.cluster;
  if (survey.lists.size === 0) return { reason: 'no node says who the members are' };
  const answer = resolveTargets({
    spec: spec.target,
    nodes,
    eligible: votersIn(survey.lists),
    roles: survey.roles,
    others: hitByOthers(ctx.board, MEMBERSHIP),
    quorum: spec.quorum,
    random: ctx.random,
    led: ctx.board.led,
  });
  if ('reason' in answer) return answer;
  const { target } = spec;
  const targets =
    typeof target === 'string'
      ? answer.targets
      : target.filter((node) => answer.targets.includes(node));
  const asked = targets.map((node, index) => askedNode(spec, index, node, survey.roles));
  const silent = asked.find((each) => 'reason' in each);
  if (silent !== undefined) return silent;
  return {
    text: textOf(spec, withRoles(targets, survey.roles)),
    targets: answer.targets,
    hit: new Set(targets),
    held: { spec, targets, survey, newest, unsettled },
  };
}

function votersIn(lists: Lists): Set<NodeName> {
  const voters = [...lists.values()].flat().filter(({ isLearner }) => !isLearner);
  return new Set(voters.flatMap(({ node }) => (node === undefined ? [] : [node])));
}

function textOf({ do: deed, as, promote, via }: MembershipSpec, who: string): string {
  const through = via.every((each) => each === 'leader') ? '' : `, through ${via.join(', ')}`;
  switch (deed) {
    case 'remove':
      return `remove ${who}${through}`;
    case 'replace': {
      const stays = as === 'learner' && !promote ? ' that stays one' : '';
      return `replace ${who} by a ${as}${stays}${through}`;
    }
    default:
      return unreachable(deed);
  }
}

/** Asks for all changes, in order, and then looks what became of them. */
async function install(held: Held, ctx: NemesisContext): Promise<Evidence> {
  const { spec, targets } = held;
  const asked: Promise<Ask>[] = [];
  for (const [index, node] of targets.entries()) {
    const ask = change(node, index, held, ctx);
    asked.push(ask);
    if (spec.everyMs === undefined) await ask;
    else if (index < targets.length - 1) await sleep(ctx.clock, spec.everyMs);
  }
  const asks = await Promise.all(asked);
  const until = ctx.clock.now() + nanosFromMs(LOOK_MS_MAX);
  const mayCome = asks.some(({ outcome }) => outcome !== 'refused');
  for (;;) {
    const lists = await listsOf(ctx);
    const seen = asks.map((ask) => ({ ...ask, standing: standingOf(ask.node, held, lists) }));
    const isAll = seen.every(({ standing }) => standing !== undefined);
    if (isAll || !mayCome || ctx.clock.now() >= until) return evidenceOf(seen);
    await sleep(ctx.clock, BETWEEN_LOOKS_MS);
  }
}

/** What was said to a change: `why`, unless all of it was done. */
interface Ask {
  readonly node: NodeName;
  readonly via: NodeName | undefined;
  readonly outcome: 'done' | 'refused' | 'unknown';
  readonly why?: string;
}

async function change(
  node: NodeName,
  index: number,
  held: Held,
  ctx: NemesisContext,
): Promise<Ask> {
  const { spec, survey } = held;
  // Time may matter: what was just seen is good enough for what is asked at once.
  const isNow = index === 0 || spec.everyMs === 0;
  const roles = isNow ? survey.roles : await ctx.cluster.roles();
  const asked = askedNode(spec, index, node, roles);
  if ('reason' in asked) return { node, via: undefined, outcome: 'refused', why: asked.reason };
  const via = asked.node;
  const removed = await membershipOf(ctx).remove(node, via, answerMs(ctx));
  if (removed.type !== 'ok') {
    const outcome = removed.type === 'fail' ? 'refused' : 'unknown';
    if (outcome === 'unknown') held.unsettled.add(node);
    return { node, via, outcome, why: whyNot(removed) };
  }
  const why = spec.do === 'replace' ? await takePlace(node, held, ctx) : undefined;
  return { node, via, outcome: 'done', ...(why !== undefined && { why }) };
}

/** Adds another member on the node, asking again after each refusal; why not, when it cannot be. */
async function takePlace(
  node: NodeName,
  { spec: { as, promote }, newest }: Held,
  ctx: NemesisContext,
): Promise<string | undefined> {
  const members = membershipOf(ctx);
  const until = ctx.clock.now() + nanosFromMs(REPLACE_MS_MAX);
  const timeoutMs = answerMs(ctx);
  let isAdded = false;
  for (;;) {
    const roles = await ctx.cluster.roles();
    const via = newest.of(roles);
    let why = NO_LEADER;
    if (via !== undefined && !isAdded) {
      const added = await members.add(node, { via, asLearner: as === 'learner', timeoutMs });
      isAdded = added.type === 'ok';
      why = added.type === 'ok' ? 'not seen to serve' : `not added: ${whyNot(added)}`;
    } else if (via !== undefined && as === 'learner' && promote) {
      const promoted = await members.promote(node, via, timeoutMs);
      if (promoted.type === 'ok') return undefined;
      why = `not promoted: ${whyNot(promoted)}`;
    } else if (isAdded) {
      // It has to know the others before they change again.
      if (answers(node, roles)) return undefined;
      why = 'not seen to serve';
    }
    if (ctx.clock.now() >= until) return why;
    await sleep(ctx.clock, BETWEEN_LOOKS_MS);
  }
}

/**
 * What the lists show of a node, if they show a change: only those of nodes that had listed its
 * member before, since others may not have heard of that one yet.
 */
function standingOf(node: NodeName, { survey }: Held, lists: Lists): string | undefined {
  // What others say of it counts for more than its own word.
  const lookers = [...lists].toSorted(([a], [b]) => Number(a === node) - Number(b === node));
  for (const [looker, members] of lookers) {
    const before = survey.lists.get(looker)?.find((member) => member.node === node);
    if (before === undefined || members.some(({ id }) => id === before.id)) continue;
    const now = members.find((member) => member.node === node);
    if (now === undefined) return `${before.id} is gone from the list of ${looker}`;
    const role = now.isLearner ? 'learner' : 'voter';
    return `${role} ${now.id} is in the place of ${before.id} in the list of ${looker}`;
  }
  return undefined;
}

function evidenceOf(seen: readonly (Ask & { readonly standing: string | undefined })[]): Evidence {
  const lines = seen.map(({ node, via, why, standing }): [NodeName, string] => {
    const through = via === undefined ? '' : ` through ${via}`;
    const said = why === undefined ? '' : `${through}: ${why}`;
    if (standing !== undefined) return [node, said === '' ? standing : `${standing};${said}`];
    return [node, `not seen to change${said === '' ? through : said}`];
  });
  if (seen.some(({ standing }) => standing !== undefined))
    return installed(Object.fromEntries(lines));
  const text = lines.map(([node, line]) => `${node}: ${line}`).join('; ');
  return seen.every(({ outcome }) => outcome === 'refused') ? skipped(text) : failed(text);
}
