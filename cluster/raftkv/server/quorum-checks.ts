/** etcd's strict checks: a change must not cost a quorum of members that run (membership/cluster.go). */
import { FAILURES, type Failure } from '../failures.ts';
import type { MemberId } from '../raft/types.ts';
import type { Member } from './api.ts';
import type { ConfigData } from './command.ts';

export interface QuorumView {
  readonly self: MemberId;
  /** Applied. */
  readonly members: readonly Member[];
  /** Since when it has been heard from without a break; undefined: it is not heard from. */
  readonly activeSinceMs: (member: MemberId) => number | undefined;
  readonly nowMs: number;
}

/** A member counts as healthy when it has been heard from for as long. */
const HEALTHY_MS = 5_000;

/** Why the change is refused; members that never started count as down. */
export function quorumRefusal(change: ConfigData, view: QuorumView): Failure | undefined {
  switch (change.type) {
    case 'add':
      return addRefusal(change.isLearner, view);
    case 'promote':
      return hasStartedQuorum(view, { started: 1, members: 1 })
        ? undefined
        : FAILURES.notEnoughStarted;
    case 'remove':
      return removeRefusal(change.member, view);
  }
}

function addRefusal(isLearner: boolean, view: QuorumView): Failure | undefined {
  const [only, ...others] = voters(view);
  // One member may grow to two even while the second has not started.
  const isFirstStep = only !== undefined && isStarted(only) && others.length === 0;
  if (!isLearner && !isFirstStep && !hasStartedQuorum(view, { started: 0, members: 1 }))
    return FAILURES.notEnoughStarted;
  return healthyVoters(view) < voters(view).length ? FAILURES.unhealthy : undefined;
}

function removeRefusal(id: MemberId, view: QuorumView): Failure | undefined {
  if (view.members.find((member) => member.id === id)?.isLearner === true) return undefined;
  const rest = voters(view).filter((member) => member.id !== id);
  const needed = Math.floor(rest.length / 2) + 1;
  if (rest.length === 0 || rest.filter(isStarted).length < needed) return FAILURES.notEnoughStarted;
  // Whoever is down is no part of what keeps the cluster going.
  if (id !== view.self && view.activeSinceMs(id) === undefined) return undefined;
  return healthyVoters(view) - 1 < needed ? FAILURES.unhealthy : undefined;
}

function hasStartedQuorum(
  view: QuorumView,
  more: { readonly started: number; readonly members: number },
): boolean {
  const all = voters(view);
  const members = all.length + more.members;
  return all.filter(isStarted).length + more.started >= Math.floor(members / 2) + 1;
}

function voters({ members }: QuorumView): Member[] {
  return members.filter(({ isLearner }) => !isLearner);
}

function isStarted({ name }: Member): boolean {
  return name !== '';
}

function healthyVoters(view: QuorumView): number {
  return voters(view).filter(({ id }) => {
    if (id === view.self) return true;
    const sinceMs = view.activeSinceMs(id);
    return sinceMs !== undefined && view.nowMs - sinceMs >= HEALTHY_MS;
  }).length;
}
