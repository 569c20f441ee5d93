/**
 * One JSON object an operation, one operation a line: the form that is easiest to write.
 *
 *     {"client":3,"op":"write","key":"x","arg":5,"call":120,"ret":168}
 *     {"client":4,"op":"read","key":"x","out":5,"call":130,"ret":171}
 *     {"client":5,"op":"cas","key":"x","arg":[5,7],"out":true,"call":140,"ret":-1}
 *
 * `call` and `ret` are moments in any one unit, which is guessed from how far they lie apart; it
 * matters for nothing but the times in reports. `ret` is -1, null or absent where the operation never
 * returned. Operations that touch at one moment are concurrent. `out` is the value read (null:
 * absent), or whether a cas succeeded; a refused one may add what it saw, as `seen`. `client` is a
 * number or a name; one client may have several operations under way. Other fields are ignored.
 */
import type { JsonValue } from '../../core/json.ts';
import { nanos } from '../../core/units.ts';
import { type History, HistoryBuilder, type Operation } from '../history.ts';
import type { OpDraft, OpError } from '../op.ts';
import { ProcessNumbers } from './entries.ts';
import type { ReadOptions, Source } from './format.ts';
import { badInput, excerpt, type Imported, type Line, linesOf } from './format.ts';
import { jsonErrorAt } from './json-error.ts';

type Fields = { readonly [name: string]: JsonValue | undefined };

const REFUSED: OpError = { code: 'cas-mismatch', definite: true };
/** By the span of all moments, so that it is some seconds or minutes. */
const UNITS: readonly { readonly name: string; readonly nanos: number; readonly below: number }[] =
  [
    { name: 'milliseconds', nanos: 1e6, below: 1e6 },
    { name: 'microseconds', nanos: 1e3, below: 1e9 },
    { name: 'nanoseconds', nanos: 1, below: Infinity },
  ];
/** A fraction can only be of seconds. */
const SECONDS = { name: 'seconds', nanos: 1e9 };

/** The operations of a file, a column a field. */
class Table {
  readonly clients: (number | string)[] = [];
  readonly functions: string[] = [];
  readonly keys: (string | undefined)[] = [];
  readonly args: JsonValue[] = [];
  readonly outs: (JsonValue | undefined)[] = [];
  readonly seen: Map<number, JsonValue> = new Map();
  readonly calls: number[] = [];
  /** Infinity: it never returned. */
  readonly rets: number[] = [];
  fractions = false;
}

/** Throws `bad-input`, with line and column. */
export function readOps(source: Source, _options: ReadOptions = {}): Imported {
  const table = new Table();
  const names = new Map<string, string>();
  for (const line of linesOf(source.text)) add(table, names, source, line);
  if (table.calls.length === 0)
    throw badInput(source, 0, 'there is no operation', 'give a history with at least one');
  const first = least(table.calls);
  const unit = unitOf(table, first);
  const notes = [`moments taken as ${unit.name}`];
  return { history: historyOf(table, first, unit.nanos), notes };
}

function unitOf(
  { calls, rets, fractions }: Table,
  first: number,
): { readonly name: string; readonly nanos: number } {
  if (fractions) return SECONDS;
  const last = rets.reduce((most, ret) => (ret === Infinity ? most : Math.max(most, ret)), first);
  const span = calls.reduce((most, call) => Math.max(most, call), last) - first;
  return UNITS.find(({ below }) => span < below) ?? SECONDS;
}

function least(moments: readonly number[]): number {
  return moments.reduce((lowest, moment) => Math.min(lowest, moment), Infinity);
}

function add(table: Table, names: Map<string, string>, source: Source, line: Line): void {
  const fields = parsed(source, line);
  const fail = (name: string, must: string): never => {
    const value = fields[name];
    const what =
      value === undefined
        ? `"${name}" is missing`
        : `"${name}" is ${excerpt(JSON.stringify(value))}`;
    throw badInput(source, line.at + columnOf(line, name), what, `it must be ${must}`);
  };
  const { client = 0, op, key, arg = null, out, call, ret, seen } = fields;
  if (typeof client !== 'number' && typeof client !== 'string')
    fail('client', 'a number or a name');
  if (typeof op !== 'string' || op === '') return fail('op', 'read, write, cas or append');
  if (typeof call !== 'number') return fail('call', 'a number: when the operation began');
  const end = ret === undefined || ret === null || ret === -1 ? Infinity : ret;
  if (typeof end !== 'number') return fail('ret', 'a number, or -1 if it never returned');
  if (end < call) return fail('ret', `no earlier than "call", ${call}`);
  if (key !== undefined && typeof key === 'object' && key !== null)
    return fail('key', 'a text or a number');
  if (op === 'cas' && !(Array.isArray(arg) && arg.length === 2)) return fail('arg', '[from, to]');
  if (end !== Infinity && op === 'cas' && typeof out !== 'boolean')
    return fail('out', 'true or false: whether the cas succeeded');
  if (end !== Infinity && op === 'read' && out === undefined)
    return fail('out', 'the value read; null for none');
  table.clients.push(typeof client === 'string' ? once(names, client) : Number(client));
  table.functions.push(once(names, op));
  table.keys.push(key === undefined || key === null ? undefined : once(names, String(key)));
  table.args.push(arg);
  table.outs.push(out);
  if (seen !== undefined) table.seen.set(table.calls.length, seen);
  table.calls.push(call);
  table.rets.push(end);
  table.fractions ||= !Number.isInteger(call) || (end !== Infinity && !Number.isInteger(end));
}

function parsed(source: Source, { line, at }: Line): Fields {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    const offset = jsonErrorAt(line);
    const what = `the line is not JSON near '${excerpt(line.slice(Math.max(0, offset - 12)))}'`;
    const advice = 'each line must be one operation; name another --format, or use another copy';
    throw badInput(source, at + offset, what, advice);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  const advice = 'each line must be one operation such as {"client":0,"op":"read",...}';
  throw badInput(source, at, 'the line is not a JSON object', advice);
}

/** Where the value of a field stands on its line; 0 where it is missing. */
function columnOf({ line }: Line, name: string): number {
  const match = new RegExp(`"${name}"\\s*:\\s*`).exec(line);
  return match === null ? 0 : match.index + match[0].length;
}

/** Keeps each text once; parsing makes a new one for each line. */
function once(names: Map<string, string>, text: string): string {
  const known = names.get(text);
  if (known !== undefined) return known;
  names.set(text, text);
  return text;
}

/** Merges calls and returns by moment; at the same one calls go first, so that both overlap. */
function historyOf(table: Table, first: number, unit: number): History {
  const { calls, rets } = table;
  const begun = ordered(calls);
  const ended = ordered(rets);
  const builder = new HistoryBuilder();
  const processes = new ProcessNumbers();
  const open = new Map<number, OpDraft>();
  for (let next = 0, done = 0; ; ) {
    const starts = begun[next];
    const ends = ended[done];
    const returned = ends === undefined ? Infinity : (rets[ends] as number);
    if (starts !== undefined && (calls[starts] as number) <= returned) {
      const draft = invocationOf(table, starts, processes.take(table.clients[starts] as number));
      builder.append(draft, nanos(((calls[starts] as number) - first) * unit));
      if (rets[starts] !== Infinity) open.set(starts, draft);
      next++;
    } else if (ends !== undefined && returned !== Infinity) {
      const draft = open.get(ends) as OpDraft;
      open.delete(ends);
      processes.giveBack(table.clients[ends] as number, draft.process as number);
      builder.append(completionOf(table, ends, draft), nanos((returned - first) * unit));
      done++;
    } else return builder.build();
  }
}

/** Positions in order of their moments; the order of the file where those are the same. */
function ordered(moments: readonly number[]): Uint32Array {
  const order = Uint32Array.from(moments, (_, at) => at);
  const isSorted = moments.every((moment, at) => at === 0 || moment >= (moments[at - 1] as number));
  if (isSorted) return order;
  return order.toSorted((a, b) => {
    const [one, other] = [moments[a] as number, moments[b] as number];
    return one === other ? a - b : one - other;
  });
}

function invocationOf(table: Table, at: number, process: number): OpDraft {
  const key = table.keys[at];
  return {
    process,
    type: 'invoke',
    f: table.functions[at] as string,
    ...(key !== undefined && { key }),
    value: table.args[at] ?? null,
    phase: 'main',
  };
}

function completionOf({ outs, seen }: Table, at: number, draft: OpDraft): OpDraft {
  const out = outs[at];
  if (draft.f !== 'cas') {
    const answers = out !== undefined && draft.f !== 'write' && draft.f !== 'append';
    return { ...draft, type: 'ok', value: answers ? out : draft.value };
  }
  if (out === true) return { ...draft, type: 'ok' };
  const saw = seen.get(at);
  return { ...draft, type: 'fail', error: REFUSED, ...(saw !== undefined && { seen: saw }) };
}

/** The inverse of `readOps`. Operations that failed for good never happened, and are left out. */
export function* printOps(history: History): Generator<string> {
  for (const operation of history.operations()) {
    const line = lineOf(operation);
    if (line !== undefined) yield JSON.stringify(line);
  }
}

function lineOf({ invoke, completion }: Operation): Fields | undefined {
  const { f, key, value, index } = invoke;
  const refused = completion?.type === 'fail' && completion.error?.code === 'cas-mismatch';
  if (completion?.type === 'fail' && !refused) return undefined;
  const returned = completion !== undefined && completion.type !== 'info';
  const out = f === 'cas' ? !refused : completion?.value;
  return {
    client: typeof invoke.process === 'number' ? invoke.process : 0,
    op: f,
    ...(key !== undefined && { key }),
    ...(f !== 'read' && { arg: value }),
    ...(returned && f !== 'write' && f !== 'append' && { out: out ?? null }),
    ...(completion?.seen !== undefined && { seen: completion.seen }),
    call: index,
    ret: returned ? completion.index : -1,
  };
}
