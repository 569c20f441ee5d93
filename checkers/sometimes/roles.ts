/** What nodes said of their roles while the run went on. */
import type { Nanos } from '../../harness/core/units.ts';
import type { History } from '../../harness/history/history.ts';

export interface Leading {
  readonly node: string;
  /** 0 where the store says none. */
  readonly term: number;
}

/** One look at all nodes. */
export interface RolesSeen {
  readonly index: number;
  readonly time: Nanos;
  /** Those that said that they lead; a deposed one may still say so. */
  readonly leaders: readonly Leading[];
  /** More than half answered, and none of them leads: of those who do not answer nobody knows. */
  readonly isLeaderless: boolean;
}

/** In order; looks that have not the shape of one are left out: histories come from files. */
export function rolesSeen(history: History): readonly RolesSeen[] {
  const seen: RolesSeen[] = [];
  for (const { f, value, index, time } of history.observations()) {
    if (f !== 'roles' || !Array.isArray(value) || value.length === 0) continue;
    const leaders = value.flatMap(leadingOf);
    const isLeaderless =
      leaders.length === 0 && value.filter(hasAnswered).length * 2 > value.length;
    seen.push({ index, time, leaders, isLeaderless });
  }
  return seen;
}

function leadingOf(sample: unknown): readonly Leading[] {
  if (typeof sample !== 'object' || sample === null) return [];
  const { node, role, state, term = 0 } = sample as Readonly<Record<string, unknown>>;
  const isLeader = role === 'leader' && state === 'answered';
  return isLeader && typeof node === 'string' && typeof term === 'number' ? [{ node, term }] : [];
}

function hasAnswered(sample: unknown): boolean {
  return typeof sample === 'object' && sample !== null && 'state' in sample
    ? sample.state === 'answered'
    : false;
}

/** Indices of the looks at which nobody led, once somebody had. */
export function leaderless(roles: readonly RolesSeen[]): readonly number[] {
  const from = roles.findIndex(({ leaders }) => leaders.length > 0);
  return from < 0
    ? []
    : roles.slice(from).flatMap(({ isLeaderless, index }) => (isLeaderless ? [index] : []));
}
