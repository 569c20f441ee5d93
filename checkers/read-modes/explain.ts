import { unreachable } from '../../harness/core/invariant.ts';
import type { Anomaly } from '../../harness/protocols/checker.ts';
import type { KeyOp } from '../key-history.ts';
import { anomalyOf, entriesOf } from '../linearizable/explain.ts';
import { producedBy, requiredBy } from '../models/register.ts';
import { held, observation } from '../sentences.ts';
import { clientName, momentText, shown, spanText } from '../text.ts';
import type { BackwardsRead } from './sessions.ts';
import type { StaleRead } from './staleness.ts';
import type { Timeline } from './timeline.ts';
import type { TwoKeys } from './two-keys.ts';
import type { TwoValues } from './two-values.ts';

/** By values where they prove it alone, otherwise by what the store says of its revisions. */
export function staleAnomaly(
  key: string,
  { read, newer, nanos }: StaleRead,
  byValue: Timeline,
): Anomaly {
  const place = byValue.placeOf(read);
  const proven = place !== undefined && place.high < newer.start;
  const initial = place?.write === undefined;
  // What nothing wrote was there from the start; what one operation wrote, since it ended.
  if (proven) {
    const older = initial ? undefined : place.write;
    return anomalyOf(key, { kind: 'stale-read', older, newer, read });
  }
  const revision = newer.completion?.server?.revision ?? 0;
  const modRevision = read.completion?.server?.modRevision ?? 0;
  return {
    kind: 'stale-read',
    key,
    ops: entriesOf([newer, read]),
    certificate: { by: 'revision', newer: newer.start, read: read.start, revision, modRevision },
    explanation:
      `Client ${observation(key, read)}, which is revision ${modRevision} of the key. That was out ` +
      `of date: ${clientName(newer.invoke)} had been told that ${held(key, newer)} was stored as ` +
      `revision ${revision} ${spanText(nanos)} before this read began.`,
  };
}

export function backwardsAnomaly(key: string, found: BackwardsRead): Anomaly {
  const { by, first, second, firstWrite, secondWrite } = found;
  const gap = spanText(second.invoke.time - (first.completion?.time ?? second.invoke.time));
  const who = clientName(second.invoke);
  const node = second.invoke.node === undefined ? 'the same node' : second.invoke.node;
  return {
    kind: 'backwards-read',
    ...(by !== 'revision' && { key }),
    ops: entriesOf([first, second, firstWrite, secondWrite].filter((op) => op !== undefined)),
    certificate: {
      by,
      first: first.start,
      second: second.start,
      ...(by === 'value' && {
        firstWrite: firstWrite?.start ?? null,
        secondWrite: secondWrite?.start ?? null,
      }),
    },
    explanation:
      `Client ${observation(second.invoke.key ?? key, second)}. For ${who} at ${node} that went ` +
      `back in time: its read of ${first.invoke.key ?? key}, answered ${gap} earlier, had shown ` +
      `${whatItShowed(found, first)}, and this one shows ${whatItShowed(found, second)}.`,
  };
}

function whatItShowed({ by, firstWrite, secondWrite, first }: BackwardsRead, op: KeyOp): string {
  const value = shown(requiredBy(op.call) ?? null);
  const { revision = 0, modRevision = 0 } = op.completion?.server ?? {};
  switch (by) {
    case 'modRevision':
      return `${value} (revision ${modRevision} of the key)`;
    case 'revision':
      return `revision ${revision} of the store`;
    case 'value': {
      const write = op === first ? firstWrite : secondWrite;
      if (write?.completion === undefined) return `${value}, the first state`;
      return op === first
        ? `${value} (sent only by ${clientName(write.invoke)} at ${momentText(write.invoke)})`
        : `${value} (stored by ${momentText(write.completion)}, and never again)`;
    }
    default:
      return unreachable(by);
  }
}

export function twoValuesAnomaly(key: string, { revision, one, other }: TwoValues): Anomaly {
  return {
    kind: 'two-values-at-one-revision',
    key,
    ops: entriesOf([one, other]),
    certificate: { revision, one: one.start, other: other.start },
    explanation:
      `${key} has two values at one revision, ${revision}: ${shownBy(key, one)}, and ` +
      `${shownBy(key, other)}. A revision names one state; here it names two.`,
  };
}

export function twoKeysAnomaly({ revision, one, other }: TwoKeys): Anomaly {
  const [key = '', otherKey = ''] = [one.invoke.key, other.invoke.key];
  return {
    kind: 'two-keys-at-one-revision',
    ops: entriesOf([one, other]),
    certificate: { revision, one: one.start, other: other.start },
    explanation:
      `Revision ${revision} changed two keys, ${key} and ${otherKey}: ${shownBy(key, one)}, and ` +
      `${shownBy(otherKey, other)}. Nothing that was asked changes more than one key, so a ` +
      'revision belongs to one change of one key.',
  };
}

function shownBy(key: string, op: KeyOp): string {
  const made = producedBy(op.call);
  return made === undefined
    ? observation(key, op)
    : `${clientName(op.invoke)} was told that it had stored ${shown(made)} (sent at ${momentText(op.invoke)})`;
}
