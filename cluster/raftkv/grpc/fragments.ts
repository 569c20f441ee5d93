/** Divides what a watch has to say, for clients that cannot take it in one message. */
import type { WireEvent, WireKeyValue } from './wire.ts';

/** Tags, lengths and numbers of one key-value pair and of the event around it, at most. */
const PAIR_OVERHEAD_BYTES = 64;

/** Parts in order, each of at least one event and else below `maxBytes`. */
export function fragmentsOf(
  events: readonly WireEvent[],
  maxBytes: number,
): readonly (readonly WireEvent[])[] {
  const parts: WireEvent[][] = [];
  let part: WireEvent[] = [];
  let bytes = 0;
  for (const event of events) {
    const more = sizeOf(event.kv) + (event.prevKv === undefined ? 0 : sizeOf(event.prevKv));
    if (part.length > 0 && bytes + more >= maxBytes) {
      parts.push(part);
      part = [];
      bytes = 0;
    }
    part.push(event);
    bytes += more;
  }
  parts.push(part);
  return parts;
}

function sizeOf({ key, value }: WireKeyValue): number {
  return key.length + (value?.length ?? 0) + PAIR_OVERHEAD_BYTES;
}
