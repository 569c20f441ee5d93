import { NANOS_PER_MS } from '../../harness/core/units.ts';
import type { CheckContext } from '../../harness/protocols/checker.ts';
import { answersOf, firstFrom, type Successes, successesOf } from '../answers.ts';
import { type Material, NO_ROLES, type Property, Tally } from './property.ts';
import type { Leading, RolesSeen } from './roles.ts';

/** So many election timeouts before and after, operations must have been acknowledged. */
const AROUND = 2;

/** A node led in a higher term than any before it, and clients were served before and after. */
export const leaderChangedUnderLoad: Property = {
  name: 'leader-changed-under-load',
  advice:
    'add faults that take the leader away (--fault kill,pause,partition), more of them ' +
    '(--fault-interval), or a longer run (--duration)',
  find: ({ history, roles }, ctx) => {
    if (roles.length === 0) return { nothing: NO_ROLES };
    const tally = new Tally();
    const successes = successesOf(answersOf(history))();
    for (const { from, to, before, after } of changes(roles)) {
      if (!isUnderLoad(successes, from, to, ctx)) continue;
      const text = (): string =>
        `${after.node} led in term ${after.term} after ${before.node} in term ${before.term}`;
      tally.add(text, { index: to.index, timeNanos: to.time });
    }
    return tally.reached();
  },
};

interface Change {
  readonly before: Leading;
  readonly after: Leading;
  /** When the old leader was the newest for the last time, and when the new one was there. */
  readonly from: RolesSeen;
  readonly to: RolesSeen;
}

function* changes(roles: Material['roles']): Generator<Change, void, undefined> {
  let newest: { readonly leading: Leading; readonly at: RolesSeen } | undefined;
  for (const at of roles) {
    const [first] = at.leaders.toSorted((a, b) => b.term - a.term);
    if (first === undefined) continue;
    if (newest !== undefined && first.term < newest.leading.term) continue;
    if (newest !== undefined && first.term > newest.leading.term)
      yield { before: newest.leading, after: first, from: newest.at, to: at };
    newest = { leading: first, at };
  }
}

function isUnderLoad(
  successes: Successes,
  from: RolesSeen,
  to: RolesSeen,
  { timing }: CheckContext,
): boolean {
  const around = AROUND * timing.electionMs * NANOS_PER_MS;
  const before = successes[firstFrom(successes, from.time - around)] ?? Number.POSITIVE_INFINITY;
  const after = successes[firstFrom(successes, to.time)] ?? Number.POSITIVE_INFINITY;
  return before <= from.time && after <= to.time + around;
}
