/** The words in which checkers explain: small, exact, and the same everywhere. */
import type { JsonValue } from '../harness/core/json.ts';
import { secondsText } from '../harness/core/units.ts';
import type { Op } from '../harness/history/op.ts';

const SHOWN_MAX = 80;

/** A value for people, as JSON and at most 80 characters; null is `absent`. */
export function shown(value: JsonValue): string {
  if (value === null) return 'absent';
  if (typeof value === 'number') return String(value);
  const text = JSON.stringify(value);
  return text.length <= SHOWN_MAX ? text : `${text.slice(0, SHOWN_MAX)}…`;
}

/** A span for people: `2.434 s`, `506 ms`, `3.2 ms`, `40 µs`. */
export function spanText(nanoseconds: number): string {
  if (nanoseconds >= 999_500_000) return `${(nanoseconds / 1e9).toFixed(3)} s`;
  if (nanoseconds >= 9_950_000) return `${(nanoseconds / 1e6).toFixed(0)} ms`;
  if (nanoseconds >= 999_500) return `${(nanoseconds / 1e6).toFixed(1)} ms`;
  return nanoseconds >= 1000 ? `${(nanoseconds / 1e3).toFixed(0)} µs` : 'less than 1 µs';
}

/** `72.908 s`. */
export function momentText(op: Pick<Op, 'time'>): string {
  return `${secondsText(op.time)} s`;
}

/** `c3` for process 3. */
export function clientName(op: Pick<Op, 'process'>): string {
  return typeof op.process === 'number' ? `c${op.process}` : op.process;
}

/** ` from n3`, or nothing when the history names no node. */
export function fromNode(op: Pick<Op, 'node'>): string {
  return op.node === undefined ? '' : ` from ${op.node}`;
}

/** `1 key`, `3 keys`. */
export function counted(count: number, one: string, many: string = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** At most `max` names, then how many more there are. */
export function listed(names: readonly string[], max: number = 5): string {
  const rest = names.length - max;
  return rest <= 0 ? names.join(', ') : `${names.slice(0, max).join(', ')} and ${rest} more`;
}
