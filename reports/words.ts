/** The words and figures of all reports: small, exact, safe to print, the same everywhere. */
import { stripVTControlCharacters } from 'node:util';
import type { JsonValue } from '../harness/core/json.ts';
import { secondsText } from '../harness/core/units.ts';
import type { Op, OpType } from '../harness/history/op.ts';
import type { RunVerdict, Verdict } from '../harness/protocols/checker.ts';

/** Shown where a figure does not exist, so that a report never says NaN or null. */
export const NO_FIGURE = '–';

// C0 but tab and newline, DEL and C1, bidirectional overrides, line separators, byte order mark,
// noncharacters.
const UNPRINTABLE =
  // oxlint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/g;

/**
 * One line of text that came from outside (a store, a log, a file name), safe for a terminal:
 * escape sequences and control characters are gone, halves of surrogate pairs replaced, and every
 * line break or tab is one space.
 */
export function clean(text: string): string {
  return printable(text).replaceAll(/\s*[\n\t]\s*/g, ' ');
}

/** The same, but line breaks and tabs stay. */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replaceAll(UNPRINTABLE, '').toWellFormed();
}

/** At most `max` characters; a longer text ends in `…`. Never cuts a character in half. */
export function clipped(text: string, max: number): string {
  if (text.length <= max) return text;
  const characters = Array.from(text);
  return characters.length <= max ? text : `${characters.slice(0, Math.max(0, max - 1)).join('')}…`;
}

/** Columns that a cleaned text takes; wide characters are rare here and count as one. */
export function widthOf(text: string): number {
  let width = 0;
  for (const _ of text) width++;
  return width;
}

/** A value for people, as JSON; null is `absent`. */
export function valueText(value: JsonValue, max = 60): string {
  return value === null ? 'absent' : clipped(clean(JSON.stringify(value)), max);
}

/** `write 41`, `read → 41`, `cas 1 → 2`, `hash → 0ce267c3 at 1949`; `end` is the completion, if there is one. */
export function operationText(invoke: Op, end: Op | undefined, isOfStore = false): string {
  const key = isOfStore && invoke.key !== undefined ? ` ${clipped(clean(invoke.key), 24)}` : '';
  const f = `${clean(invoke.f)}${key}`;
  const given = invoke.value;
  if (Array.isArray(given) && given.length === 2 && invoke.f === 'cas') {
    const [from, to] = given as readonly JsonValue[];
    const seen = end?.seen === undefined ? '' : `, saw ${valueText(end.seen, 24)}`;
    return `${f} ${valueText(from ?? null, 24)} → ${valueText(to ?? null, 24)}${seen}`;
  }
  if (invoke.f === 'hash' && end?.type === 'ok') return `hash → ${hashText(end.value)}`;
  if (invoke.f === 'backup' && end?.type === 'ok') return `backup → ${backupText(end.value)}`;
  const asked = given === null ? f : `${f} ${valueText(given)}`;
  const saw = end?.seen === undefined ? '' : `, saw ${valueText(end.seen, 24)}`;
  if (end?.type !== 'ok') return `${asked}${saw}`;
  const isRead = invoke.f === 'read' || invoke.f === 'get';
  const isTold = end.value !== null && JSON.stringify(end.value) !== JSON.stringify(given);
  return isRead || isTold ? `${asked} → ${valueText(end.value)}` : asked;
}

/** `12 keys at 1949`: what was restored. */
function backupText(value: JsonValue): string {
  const { keys, revision } = { ...(value as Readonly<Record<string, JsonValue>> | null) };
  if (!Array.isArray(keys) || typeof revision !== 'number') return valueText(value);
  return `${keys.length} ${keys.length === 1 ? 'key' : 'keys'} at ${revision}`;
}

/** `0ce267c3 at 1949`: what a node said of its state, and at which revision. */
function hashText(value: JsonValue): string {
  const { hash, revision } = { ...(value as Readonly<Record<string, JsonValue>> | null) };
  if (typeof hash !== 'number' || typeof revision !== 'number') return valueText(value);
  return `${(hash >>> 0).toString(16).padStart(8, '0')} at ${revision}`;
}

/** `c3` for process 3. */
export function clientText(op: Pick<Op, 'process'>): string {
  return typeof op.process === 'number' ? `c${op.process}` : op.process;
}

/** `partition: isolate n3, both ways`; the family is left out where the text begins with it. */
export function faultText(band: { readonly fault: string; readonly text: string }): string {
  const [fault, text] = [clean(band.fault), clean(band.text)];
  return text.startsWith(fault) ? text : `${fault}: ${text}`;
}

/** What became of an operation: `ok`, `failed`, `unknown`. */
export function outcomeText(type: OpType | undefined): string {
  if (type === 'ok') return 'ok';
  return type === 'fail' ? 'failed' : 'unknown';
}

/** A span for people: `2.434 s`, `506 ms`, `3.2 ms`, `40 µs`; its space does not break. */
export function spanText(nanoseconds: number | null | undefined): string {
  if (nanoseconds === null || nanoseconds === undefined || !Number.isFinite(nanoseconds))
    return NO_FIGURE;
  if (nanoseconds >= 999_500_000) return `${(nanoseconds / 1e9).toFixed(3)}\u00a0s`;
  if (nanoseconds >= 9_950_000) return `${(nanoseconds / 1e6).toFixed(0)}\u00a0ms`;
  if (nanoseconds >= 999_500) return `${(nanoseconds / 1e6).toFixed(1)}\u00a0ms`;
  if (nanoseconds <= 0) return '0\u00a0ms';
  return nanoseconds >= 1000 ? `${(nanoseconds / 1e3).toFixed(0)}\u00a0µs` : 'less than 1\u00a0µs';
}

export function msText(ms: number | null | undefined): string {
  return spanText(ms === null || ms === undefined ? ms : ms * 1e6);
}

/** The length of a run: `5.1 s`, `131.2 s`, `24 min 11 s`. */
export function lengthText(ms: number): string {
  if (!Number.isFinite(ms)) return NO_FIGURE;
  if (ms < 600_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
}

/** Seconds since the start of the run: `72.908`. */
export function momentText(nanoseconds: number): string {
  return Number.isFinite(nanoseconds) ? secondsText(nanoseconds) : NO_FIGURE;
}

/** `149 880`, with spaces that do not break. */
export function countText(count: number): string {
  if (!Number.isFinite(count)) return NO_FIGURE;
  return String(Math.round(count)).replaceAll(/\B(?=(\d{3})+$)/g, '\u00a0');
}

/** `1 key`, `3 keys`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${countText(count)} ${count === 1 ? one : many}`;
}

/**
 * A share of one as per cent. Rounded away from both ends, so that `100 %` is said only of all and
 * `0 %` only of none.
 */
export function rateText(rate: number | null | undefined): string {
  if (rate === null || rate === undefined || !Number.isFinite(rate)) return NO_FIGURE;
  if (rate === 0 || rate === 1) return `${rate * 100}\u00a0%`;
  return `${Math.min(99.99, Math.max(0.01, rate * 100)).toFixed(2)}\u00a0%`;
}

/** Symbol and word, so that neither colour nor the symbol alone carries the meaning. */
export const RUN_WORDS: Readonly<Record<RunVerdict, { symbol: string; word: string }>> = {
  pass: { symbol: '✓', word: 'PASS' },
  fail: { symbol: '✗', word: 'FAIL' },
  unknown: { symbol: '?', word: 'UNKNOWN' },
  error: { symbol: '✗', word: 'ERROR' },
};

export const CHECK_SYMBOLS: Readonly<Record<Verdict, string>> = {
  valid: '✓',
  invalid: '✗',
  unknown: '?',
};
