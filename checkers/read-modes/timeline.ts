/** Where the operations of one key stand in the order of its versions, as far as that is known. */
import type { KeyHistory, KeyOp } from '../key-history.ts';
import { valueUses } from '../linearizable/value-index.ts';
import { producedBy, register, requiredBy, valueKey } from '../models/register.ts';

/**
 * Bounds of a version's place: it is older than another for sure if its `high` is below the
 * other's `low`. Revisions are exact. Without them, values that were written only once are ordered
 * by the invocations and completions of their writes.
 */
export interface Place {
  readonly low: number;
  readonly high: number;
  /** The only operation that wrote the value, where that is how the place is known. */
  readonly write?: KeyOp;
}

export interface Timeline {
  readonly by: 'modRevision' | 'value';
  readonly reads: readonly KeyOp[];
  /** Acknowledged writes and cas. */
  readonly writes: readonly KeyOp[];
  /** The version that a read returned or a write made; undefined: not known. */
  readonly placeOf: (op: KeyOp) => Place | undefined;
}

export function timelineOf(key: KeyHistory): Timeline {
  const timeline = valueTimelineOf(key);
  const { reads, writes } = timeline;
  const exact =
    reads.every(({ completion }) => completion?.server?.modRevision !== undefined) &&
    writes.every(({ completion }) => completion?.server?.revision !== undefined);
  if (!exact) return timeline;
  const begins = valueKey(register.init);
  const isDeleted = key.ops.some(({ call }) => {
    const made = producedBy(call);
    return made !== undefined && valueKey(made) === begins;
  });
  // An absent key has no revision: it may never have been there, or be absent again.
  const isUnplaced = ({ call }: KeyOp): boolean =>
    isDeleted && call.f === 'read' && valueKey(requiredBy(call) ?? null) === begins;
  const placeOf: Timeline['placeOf'] = (op) => (isUnplaced(op) ? undefined : placeByRevision(op));
  return { ...timeline, by: 'modRevision', placeOf };
}

/** The same without a look at revisions. */
export function valueTimelineOf(key: KeyHistory): Timeline {
  const reads = key.ops.filter(({ call }) => call.f === 'read');
  const writes = key.ops.filter(
    ({ call }) => call.outcome === 'ok' && producedBy(call) !== undefined,
  );
  return { by: 'value', reads, writes, placeOf: placeByValue(key) };
}

function placeByRevision({ call, completion }: KeyOp): Place | undefined {
  const { revision, modRevision } = completion?.server ?? {};
  const place = call.f === 'read' ? modRevision : revision;
  return place === undefined ? undefined : { low: place, high: place };
}

function placeByValue(key: KeyHistory): Timeline['placeOf'] {
  const uses = valueUses(key);
  return (op) => {
    if (op.call.f !== 'read') return { low: op.start, high: op.end, write: op };
    const use = uses.get(valueKey(requiredBy(op.call) ?? null));
    if (use?.unique !== true) return undefined;
    const [write] = use.producers;
    return write === undefined
      ? { low: -1, high: -1 }
      : { low: write.start, high: write.end, write };
  };
}
