/**
 * Jepsen's `history.edn`: operations as maps, one after another or within a vector or a list.
 *
 *     {:index 0, :time 3291485, :process 0, :type :invoke, :f :write, :value 3}
 *     #jepsen.history.Op{:process 0, :type :ok, :f :read, :value [17 3], ...}
 *
 * Only entries of whole-numbered processes are operations of clients, as in Jepsen; those of the
 * nemesis are left out. The order of the file counts, unless every entry has its own `:index` and
 * those say otherwise.
 */
import type { JsonValue } from '../../core/json.ts';
import type { History } from '../history.ts';
import type { OpError, OpType } from '../op.ts';
import { EdnReader } from './edn-reader.ts';
import { Entries, type Entry } from './entries.ts';
import { badInput, excerpt, type Imported, type ReadOptions, type Source } from './format.ts';

type Fields = { readonly [name: string]: JsonValue };

/** A map of the file: an entry that may still be of the nemesis. */
interface Mapping {
  readonly at: number;
  readonly fields: Fields;
}

/** How many entries of clients decide whether values are `[key value]`. */
const KEYED_SAMPLE = 1000;

/** Throws `bad-input`, with line and column. */
export function readEdn(source: Source, options: ReadOptions = {}): Imported {
  const keyed = options.keyed ?? looksKeyed(source);
  if (mayBeInOrder(source)) return readAll(source, mappings(source), keyed, options);
  const all = [...mappings(source)];
  const indices = new Set(all.map(({ fields }) => fields['index']));
  const sortable = indices.size === all.length && [...indices].every((index) => isNumber(index));
  if (!sortable) return readAll(source, all, keyed, options);
  const sorted = all.toSorted((a, b) => Number(a.fields['index']) - Number(b.fields['index']));
  const { history, notes } = readAll(source, sorted, keyed, options);
  return { history, notes: [...notes, 'the entries were sorted by their :index'] };
}

/** A quick look: whatever says `:index` counts upwards. */
function mayBeInOrder({ text }: Source): boolean {
  const index = /:index[\s,]+(-?\d+)/g;
  let last = Number.NEGATIVE_INFINITY;
  for (let match = index.exec(text); match !== null; match = index.exec(text)) {
    const next = Number(match[1]);
    if (next < last) return false;
    last = next;
  }
  return true;
}

function readAll(
  source: Source,
  all: Iterable<Mapping>,
  keyed: boolean,
  options: ReadOptions,
): Imported {
  const entries = new Entries(source, options.nilReads);
  const ignored = new Map<string, number>();
  let count = 0;
  for (const mapping of all) {
    count++;
    const { process } = mapping.fields;
    if (isClient(process)) entries.add(entryOf(source, mapping, keyed));
    else if (process === undefined)
      throw badInput(source, mapping.at, 'the map has no :process', NOT_AN_OPERATION);
    else {
      const name = typeof process === 'string' ? process : JSON.stringify(process);
      ignored.set(name, (ignored.get(name) ?? 0) + 1);
    }
  }
  if (count === 0)
    throw badInput(source, 0, 'there is no operation', 'give a history with at least one');
  const { nilReads } = entries;
  const nil = options.nilReads === 'any' ? 'left out' : 'taken as absent';
  const notes = [
    ...[...ignored].map(
      ([name, times]) => `left out: ${times} ${times === 1 ? 'entry' : 'entries'} of ${name}`,
    ),
    ...(keyed ? ['values are [key value]'] : []),
    ...(nilReads === 0 ? [] : [`reads of nil ${nil}: ${nilReads}`]),
    ...entries.notes(),
  ];
  return { history: entries.history(), notes };
}

/** The maps of the file in order, whether or not they stand in a vector or a list. */
function* mappings(source: Source): Generator<Mapping> {
  const reader = new EdnReader(source);
  let inside: { readonly at: number; readonly closing: string } | undefined;
  for (;;) {
    const char = reader.peek();
    const { at } = reader;
    if (char === '') {
      if (inside === undefined) return;
      const advice = 'the file may have been cut short; use another copy';
      throw reader.bad(inside.at, 'the list of operations is never closed', advice);
    }
    if (inside !== undefined && char === inside.closing) {
      reader.take();
      inside = undefined;
    } else if (inside === undefined && (char === '[' || char === '(')) {
      inside = { at, closing: char === '[' ? ']' : ')' };
      reader.take();
    } else {
      const value = reader.value();
      if (!isFields(value))
        throw reader.bad(at, `'${excerpt(source.text.slice(at))}' is not a map`, NOT_AN_OPERATION);
      yield { at, fields: value };
    }
  }
}

const NOT_AN_OPERATION =
  'an operation is {:process 0, :type :invoke, :f :read, :value nil}; name another --format, or ' +
  'take the history out of what surrounds it';

function entryOf(source: Source, mapping: Mapping, keyed: boolean): Entry {
  const { at, fields } = mapping;
  const { process, type, f, time, error } = fields;
  if (!isType(type)) {
    const what = type === undefined ? 'the map has no :type' : `:type is ${shown(type)}`;
    const advice = 'it must be :invoke, :ok, :fail or :info';
    throw badInput(source, fieldAt(source, mapping, 'type'), what, advice);
  }
  if (typeof f !== 'string' || f === '') {
    const what = f === undefined ? 'the map has no :f' : `:f is ${shown(f)}`;
    throw badInput(source, fieldAt(source, mapping, 'f'), what, 'it must name what was done');
  }
  return {
    at,
    process: process as number,
    type,
    f,
    ...objectOf(source, mapping, keyed),
    ...(type !== 'ok' && type !== 'invoke' && error !== undefined && error !== null
      ? { error: errorOf(error, type) }
      : {}),
    ...(typeof time === 'number' && time >= 0 && { time }),
  };
}

/** Key and value: of a tuple, or of a field `:key` beside the value. */
function objectOf(source: Source, mapping: Mapping, keyed: boolean): Pick<Entry, 'key' | 'value'> {
  const { value, key } = mapping.fields;
  if (key !== undefined) return { key: nameOf(key), ...(value !== undefined && { value }) };
  if (!keyed) return value === undefined ? {} : { value };
  if (Array.isArray(value) && value.length === 2) {
    const [first = null, second = null] = value as readonly JsonValue[];
    return { key: nameOf(first), value: second };
  }
  throw badInput(
    source,
    fieldAt(source, mapping, 'value'),
    `:value is ${shown(value ?? null)}, but those before were [key value]`,
    'if they only look like keys, say --no-keyed',
  );
}

/** Jepsen writes a keyword, a text, or a vector that begins with one. */
function errorOf(error: JsonValue, type: OpType): OpError {
  const [code, ...more] = Array.isArray(error) ? (error as readonly JsonValue[]) : [error];
  const name = typeof code === 'string' && code !== '' ? code : 'error';
  const message = typeof code === 'string' ? more : [code ?? null];
  return {
    code: name,
    definite: type === 'fail',
    ...(message.length > 0 && { message: message.map(shown).join(' ') }),
  };
}

/**
 * Whether values are tuples of `jepsen.independent`: all are pairs that begin with a key, those of
 * reads too; and the pairs of a cas have another pair in them.
 */
function looksKeyed(source: Source): boolean {
  let seen = 0;
  for (const { fields } of mappings(source)) {
    const { process, value, f, key } = fields;
    if (!isClient(process)) continue;
    if (key !== undefined || !Array.isArray(value) || value.length !== 2) return false;
    const [first, second] = value as readonly JsonValue[];
    if (typeof first === 'object' || (f === 'cas' && !Array.isArray(second))) return false;
    if (++seen === KEYED_SAMPLE) break;
  }
  return seen > 0;
}

/** The value of a field, for messages; the map itself where it is missing. */
function fieldAt({ text }: Source, { at }: Mapping, name: string): number {
  const match = new RegExp(`:${name}[\\s,]+`, 'g');
  match.lastIndex = at;
  const found = match.exec(text);
  return found === null ? at : found.index + found[0].length;
}

function nameOf(key: JsonValue): string {
  return typeof key === 'string' ? key : JSON.stringify(key);
}

function shown(value: JsonValue): string {
  return typeof value === 'string' ? excerpt(value) : excerpt(JSON.stringify(value));
}

function isClient(process: JsonValue | undefined): process is number {
  return typeof process === 'number' && Number.isInteger(process) && process >= 0;
}

function isNumber(value: JsonValue | undefined): value is number {
  return typeof value === 'number';
}

function isType(type: JsonValue | undefined): type is OpType {
  return type === 'invoke' || type === 'ok' || type === 'fail' || type === 'info';
}

function isFields(value: JsonValue): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** One map a line; keyed operations as `[key value]`. The inverse of `readEdn`. */
export function* printEdn(history: History): Generator<string> {
  for (const op of history.ops()) {
    if (typeof op.process !== 'number') continue;
    const value = op.key === undefined ? edn(op.value) : `[${edn(op.key)} ${edn(op.value)}]`;
    const error = op.error === undefined ? '' : `, :error ${edn(op.error.code)}`;
    yield `{:index ${op.index}, :time ${op.time}, :process ${op.process}, :type :${op.type}, ` +
      `:f :${op.f}, :value ${value}${error}}`;
  }
}

/** A JSON value as EDN. */
export function edn(value: JsonValue): string {
  if (value === null) return 'nil';
  if (Array.isArray(value))
    return `[${(value as readonly JsonValue[]).map((item) => edn(item)).join(' ')}]`;
  if (typeof value !== 'object') return JSON.stringify(value);
  const fields = Object.entries(value as Fields);
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)} ${edn(field)}`).join(', ')}}`;
}
