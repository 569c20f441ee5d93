/** Keys as texts of one character a byte, which compare as their bytes do, and ranges of them. */
import type { Bytes } from '../bytes.ts';
import type { KeyRange } from './types.ts';

/** A key as `latin1` text: fit for a `Map`, and `<` orders it by its bytes. */
export function keyText(key: Bytes): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
}

/** From `from` up to, not including, `to`. `to` undefined: without end. */
export interface Span {
  readonly from: string;
  readonly to: string | undefined;
  /** The one key it has; then `to` says the same in a longer way. */
  readonly only: string | undefined;
}

/** What etcd means by `key` and `end`; an empty `end` is none, as on the wire. */
export function spanOf(range: KeyRange): Span {
  const from = keyText(range.key);
  const end = range.end;
  if (end === undefined || end.length === 0) return { from, to: `${from}\0`, only: from };
  const to = keyText(end);
  return { from, to: to === '\0' ? undefined : to, only: undefined };
}

/** Whether the key, as text, lies in the span. */
export function spanHas(span: Span, key: string): boolean {
  return key >= span.from && (span.to === undefined || key < span.to);
}

/** For `sort`: by bytes, whatever the language of the machine. */
export function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
