/** Is what was restored from a backup what the store held when the backup was taken? */
import type { History } from '../harness/history/history.ts';
import type { Anomaly, Checker, CheckResult } from '../harness/protocols/checker.ts';
import { anomalyOf } from './backup/explain.ts';
import { faultsOf } from './backup/find.ts';
import { ledgerOf } from './backup/ledger.ts';
import { type Asked, backupsOf, type Taken } from './backup/taken.ts';
import { counted } from './text.ts';

/**
 * A backup of revision R is the state at R: each key has the newest of what answers of the run showed
 * up to there, whatever else it holds somebody wrote, at the revision that was acknowledged; and R is
 * not older than what was answered before the backup was asked for. What is restored has identities of
 * its own. Takes time in proportion to the history, and to the keys of each backup.
 */
export function backup(): Checker {
  return {
    name: 'backup',
    check: (history) => Promise.resolve(resultOf(history)),
    removals: (history) => ({
      operations: new Set(removable(history)),
      // Without the writes of a key, what a backup holds of it would come from nowhere.
      keys: false,
      ends: true,
    }),
  };
}

/** What writes nothing only tells more of what must be there. */
function* removable(history: History): Generator<number, void, undefined> {
  for (const { invoke, completion } of history.operations())
    if (invoke.f === 'read' || invoke.key === undefined || completion?.type === 'fail')
      yield invoke.index;
}

function resultOf(history: History): CheckResult {
  const asked = backupsOf(history);
  const { taken } = asked;
  const anomalies = taken.length === 0 ? [] : anomaliesOf(taken, history);
  const base = {
    checker: 'backup',
    anomalies,
    covered: coveredText(asked),
    details: {
      backups: taken.map(({ invoke, revision, keys }) => ({
        node: invoke.node ?? '',
        revision,
        keys: keys.length,
      })),
    },
  };
  if (anomalies.length > 0) return { ...base, verdict: 'invalid' };
  const reason = unknownReason(asked);
  return reason === undefined
    ? { ...base, verdict: 'valid' }
    : { ...base, verdict: 'unknown', reason };
}

/** The first of each kind: one is enough to look at. */
function anomaliesOf(taken: readonly Taken[], history: History): Anomaly[] {
  const ledger = ledgerOf(history);
  const found = new Map<string, Anomaly>();
  for (const each of taken)
    for (const fault of faultsOf(each, ledger))
      if (!found.has(fault.kind)) found.set(fault.kind, anomalyOf(each, fault, history));
  return [...found.values()];
}

function coveredText({ taken, others }: Asked): string {
  if (taken.length + others.length === 0) return 'no backup was asked for';
  const keys = Math.max(0, ...taken.map((each) => each.keys.length));
  const all = taken.length + others.length;
  const most = keys === 0 ? '' : `, of up to ${counted(keys, 'key')}`;
  return `${taken.length} of ${counted(all, 'backup')} restored and compared${most}`;
}

/** Of a backup that was complete and that nobody could restore, nothing is known at all. */
function unknownReason({ taken, others }: Asked): string | undefined {
  const refused = others.find((completion) => completion?.error?.code === 'not-restored');
  const message = refused?.error?.message;
  if (refused !== undefined) return `A complete backup could not be restored: ${message ?? '?'}`;
  if (taken.length > 0 || others.length === 0) return undefined;
  const last = others.findLast((completion) => completion?.error !== undefined)?.error;
  const why = last === undefined ? '' : `; the last one: ${last.message ?? last.code}`;
  return `Not one backup was taken and restored${why}. To do without: -W acts=compact,move-leader`;
}
