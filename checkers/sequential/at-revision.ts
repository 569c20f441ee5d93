/**
 * Reads that contradict the revision which their own answer names. A revision names one state of
 * the whole store, so an answer given at revision r shows every change up to r, of whatever key.
 */
import type { Anomaly } from '../../harness/protocols/checker.ts';
import type { KeyHistory, KeyOp } from '../key-history.ts';
import { entriesOf } from '../linearizable/explain.ts';
import { producedBy } from '../models/register.ts';
import { observation } from '../sentences.ts';
import { clientName, momentText } from '../text.ts';
import { firstIndex } from './first-index.ts';

/** A read at `revision` that shows the key as of `shows`; undefined: absent. */
interface Shown {
  readonly read: KeyOp;
  readonly revision: number;
  readonly shows: number;
}

/** That the key changed at a revision: who was told so, or saw it. */
interface Change {
  readonly at: number;
  readonly by: KeyOp;
}

/** The first contradiction of each read, at most `max` of one key. */
export function wrongAtRevision(key: KeyHistory, max: number): Anomaly[] {
  const reads = key.ops.flatMap((op) => shownBy(op) ?? []);
  const changes = changesOf(key, reads);
  const found: Anomaly[] = [];
  for (const shown of reads) {
    if (found.length === max) break;
    const { read, revision, shows } = shown;
    // A deleted key has no revision, so an absent one says nothing where it may have been deleted.
    const isUnplaced = shows === 0 && isDeleted(key);
    const next = changes[firstIndex(changes.length, (at) => (changes[at]?.at ?? 0) > shows)];
    if (shows > revision) found.push(anomalyOf(key.key, shown, undefined));
    else if (next !== undefined && next.at <= revision && next.by !== read && !isUnplaced)
      found.push(anomalyOf(key.key, shown, next));
  }
  return found;
}

function shownBy(op: KeyOp): Shown | undefined {
  const { revision, modRevision } = op.completion?.server ?? {};
  if (op.call.f !== 'read' || op.call.outcome !== 'ok') return undefined;
  if (revision === undefined || modRevision === undefined) return undefined;
  return { read: op, revision, shows: modRevision };
}

/** In order of revision, each once. */
function changesOf({ ops }: KeyHistory, reads: readonly Shown[]): readonly Change[] {
  const byRevision = new Map<number, Change>();
  for (const { read, shows } of reads)
    if (shows > 0) byRevision.set(shows, { at: shows, by: read });
  for (const op of ops) {
    const at = op.completion?.server?.revision;
    const isChange = op.call.outcome === 'ok' && (producedBy(op.call) ?? null) !== null;
    if (at !== undefined && isChange) byRevision.set(at, { at, by: op });
  }
  return [...byRevision.values()].toSorted((a, b) => a.at - b.at);
}

function isDeleted({ ops }: KeyHistory): boolean {
  return ops.some(({ call }) => producedBy(call) === null);
}

function anomalyOf(key: string, { read, revision, shows }: Shown, change?: Change): Anomaly {
  const said =
    `Client ${observation(key, read)}. The answer was given at revision ${revision} of the store ` +
    `and shows ${shows === 0 ? 'no change of the key' : `the key as of revision ${shows}`}`;
  return {
    kind: 'wrong-at-revision',
    key,
    ops: entriesOf(change === undefined ? [read] : [change.by, read]),
    certificate: { read: read.start, change: change?.by.start ?? null },
    explanation:
      change === undefined
        ? `${said}, which that state of the store does not know yet.`
        : `${said}, but ${howKnown(change)}. That change is missing in a state of the store that has it.`,
  };
}

function howKnown({ at, by }: Change): string {
  const [who, when] = [clientName(by.invoke), momentText(by.invoke)];
  if (by.call.f === 'read') return `a read by ${who} at ${when} shows a change at revision ${at}`;
  const told = `was told that it changed the key at revision ${at}`;
  return `${who}, who sent a ${by.call.f} at ${when}, ${told}`;
}
