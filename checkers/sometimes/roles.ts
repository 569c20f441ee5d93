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
}

/** In order; looks that have not the shape of one are left out: histories come from files. */
export function rolesSeen(history: History): readonly RolesSeen[] {
  const seen: RolesSeen[] = [];
  for (const { f, value, index, time } of history.observations()) {
    if (f !== 'roles' || !Array.isArray(value) || value.length === 0) continue;
    seen.push({ index, time, leaders: value.flatMap(leadingOf) });
  }
  return seen;
}

function leadingOf(sample: unknown): readonly Leading[] {
  if (typeof sample !== 'object' || sample === null) return [];
  const { node, role, state, term = 0 } = sample as Readonly<Record<string, unknown>>;
  const isLeader = role === 'leader' && state === 'answered';
  return isLeader && typeof node === 'string' && typeof term === 'number' ? [{ node, term }] : [];
}

/** Indices of the looks at which nobody led, once somebody had. */
export function leaderless(roles: readonly RolesSeen[]): readonly number[] {
  const from = roles.findIndex(({ leaders }) => leaders.length > 0);
  return from < 0
    ? []
    : roles.slice(from).flatMap(({ leaders, index }) => (leaders.length === 0 ? [index] : []));
}
