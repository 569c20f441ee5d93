/**
 * Log lines of a Jepsen run, in the form that Porcupine's etcd tests keep:
 *
 *     INFO  jepsen.util - 4	:invoke	:cas	[3 0]
 *     INFO  jepsen.util - 4	:fail	:cas	[3 0]
 *     INFO  jepsen.util - 1	:info	:write	:timed-out
 *
 * Whatever else is in the log is passed over. A read of nil found nothing. A cas that failed with its
 * value and no reason was refused: the register held something other than it expected.
 */
import type { JsonValue } from '../../core/json.ts';
import type { History } from '../history.ts';
import type { OpError, OpType } from '../op.ts';
import { edn } from './edn.ts';
import { EdnReader } from './edn-reader.ts';
import { Entries, type Entry } from './entries.ts';
import { badInput, type Imported, linesOf, type ReadOptions, type Source } from './format.ts';

const ENTRY = /^(.*\bjepsen\.util\s+(?:-\s+)?)(\d+)\s/;
const WHAT = /^:(invoke|ok|fail|info)(\s+):([^\s:,()[\]{}"]+)(\s+|$)/;

/** Whether this line is an entry of such a log. */
export function isLogEntry(line: string): boolean {
  return ENTRY.test(line);
}

/** Throws `bad-input`, with line and column. */
export function readPorcupine(source: Source, options: ReadOptions = {}): Imported {
  const entries = new Entries(source, options.nilReads);
  let others = 0;
  for (const { line, at } of linesOf(source.text)) {
    const entry = entryOf(source, line, at);
    if (entry === undefined) others++;
    else entries.add(entry);
  }
  if (entries.length === 0) {
    const advice = 'an entry is "INFO  jepsen.util - 0 :invoke :read nil"; name another --format';
    throw badInput(source, 0, 'no line is an entry of a Jepsen log', advice);
  }
  const notes = others === 0 ? [] : [`left out: ${others} lines of other sorts`];
  return { history: entries.history(), notes: [...notes, ...entries.notes()] };
}

function entryOf(source: Source, line: string, at: number): Entry | undefined {
  const head = ENTRY.exec(line);
  if (head === null) return undefined;
  const [before, lead = '', process] = head;
  const rest = line.slice(before.length).trimStart();
  const column = line.length - rest.length;
  const what = WHAT.exec(rest);
  if (what === null)
    throw badInput(
      source,
      at + (rest === '' ? lead.length : column),
      `process ${process} is not followed by what it did`,
      'it must be :invoke, :ok, :fail or :info, then :read, :write or :cas, then the value',
    );
  const [all, type, , f] = what as unknown as [string, OpType, string, string];
  const [value, ...reasons] = valuesOf(source, at + column + all.length, at + line.length);
  const entry = { at, process: Number(process), type, f };
  if (type === 'invoke' || type === 'ok') return { ...entry, value: value ?? null };
  return { ...entry, error: errorOf(type, f, value, reasons) };
}

/** The values that are left on the line. */
function valuesOf({ name, text }: Source, from: number, to: number): JsonValue[] {
  const reader = new EdnReader({ name, text: text.slice(0, to) });
  reader.at = from;
  const values: JsonValue[] = [];
  while (reader.peek() !== '') values.push(reader.value());
  return values;
}

/** `:timed-out` in the place of the value, or after it. */
function errorOf(
  type: 'fail' | 'info',
  f: string,
  value: JsonValue | undefined,
  reasons: readonly JsonValue[],
): OpError {
  const [reason] = typeof value === 'string' ? [value] : reasons;
  if (typeof reason === 'string') return { code: reason, definite: type === 'fail' };
  if (type === 'info') return { code: 'unknown-outcome', definite: false };
  return { code: f === 'cas' ? 'cas-mismatch' : 'failed', definite: true };
}

/** The inverse of `readPorcupine`: keys, times and whatever a refused cas saw are lost. */
export function* printPorcupine(history: History): Generator<string> {
  for (const { process, type, f, value, error } of history.ops()) {
    if (typeof process !== 'number') continue;
    const refused = type === 'fail' && error?.code === 'cas-mismatch';
    const said = error === undefined || refused ? edn(value) : `:${error.code}`;
    yield `INFO  jepsen.util - ${process}\t:${type}\t:${f}\t${said}`;
  }
}
