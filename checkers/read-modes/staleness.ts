import type { KeyOp } from '../key-history.ts';
import { earliestEnds } from '../linearizable/earliest-ends.ts';
import { CountAbove } from './count-above.ts';
import type { Timeline } from './timeline.ts';

/** A read that returned what had already been overwritten when it began. */
export interface StaleRead {
  readonly read: KeyOp;
  /** The first acknowledged write of a newer version. */
  readonly newer: KeyOp;
  /** From the completion of that write to the beginning of the read. */
  readonly nanos: number;
  /** Acknowledged newer versions when the read began. */
  readonly versions: number;
}

/** The stale reads of one key, in order of invocation; O(n log n). */
export function staleReads({ reads, writes, placeOf }: Timeline): StaleRead[] {
  const placed = writes.flatMap((op) => {
    const place = placeOf(op);
    return place === undefined ? [] : [{ op, from: place.low, value: '' }];
  });
  const firstNewer = earliestEnds(placed);
  const ended = placed.toSorted((a, b) => a.op.end - b.op.end);
  const acknowledged = new CountAbove(placed.map(({ from }) => from));
  let counted = 0;
  const stale: StaleRead[] = [];
  for (const read of reads) {
    for (; (ended[counted]?.op.end ?? Infinity) < read.start; counted++)
      acknowledged.add(ended[counted]?.from ?? 0);
    const place = placeOf(read);
    if (place === undefined || place.high === Infinity) continue;
    const newer = firstNewer(place.high, '-');
    if (newer?.completion === undefined || newer.end > read.start) continue;
    stale.push({
      read,
      newer,
      nanos: read.invoke.time - newer.completion.time,
      versions: acknowledged.above(place.high),
    });
  }
  return stale;
}
