/**
 * A short notation for histories, for tests and for people. One entry a line, or several with `;`;
 * `#` after a space or at the start of a line begins a comment.
 *
 *     <process> <type> <f> <key> <value> <attributes>
 *
 *     0 invoke write x 1
 *     1 invoke read x
 *     0 ok
 *     1 ok read x 1  @n2 mode=serializable rev=7
 *
 * - process: a whole number, `nemesis` or `observer`. type: `invoke`, `ok`, `fail`, `info`.
 * - key: a word, or `-` for none. value: `_` or nothing is null; a whole number; a word; `1>2` is the
 *   pair [1, 2] of a cas (`_>2` from absent); anything else as JSON.
 * - A completion without f repeats f, key and value of its invocation. With or without f, it repeats
 *   the node, mode, id and phase unless it says otherwise. Faults are paired by `lane=`.
 * - attributes: `@n2` node; `mode=`; `rev=` `mod=` `ver=` `term=` `member=` `cluster=` server stamp;
 *   `err=code!` definite and `err=code?` indefinite error, then perhaps its message as a JSON text;
 *   `seen=` what a refused cas saw; `ph=` phase (default main); `id=`; `lane=`;
 *   `t=12ms` (or ns, us, s) time, by default the index in milliseconds.
 */
import { HarnessError } from '../core/errors.ts';
import type { JsonValue } from '../core/json.ts';
import { type Nanos, nanos, nanosFromMs } from '../core/units.ts';
import { type History, HistoryBuilder } from './history.ts';
import type { Op, OpDraft, OpError, OpType, Phase, Process, ReadMode, ServerStamp } from './op.ts';

/** Reads the notation; throws `bad-input` naming the entry. Does not check that pairs match. */
export function parseHistory(text: string): History {
  const builder = new HistoryBuilder();
  const open = new Map<string, Op>();
  let last = nanos(0);
  for (const words of entries(text)) {
    const fields = new Entry(words, open).read();
    const time = fields.time ?? nanos(Math.max(last, nanosFromMs(builder.length)));
    if (time < last) throw bad(words, `its time ${time} ns lies before the entry above`);
    last = time;
    const op = builder.append(fields.draft, time);
    if (op.type === 'invoke') open.set(ownerOf(op), op);
    else open.delete(ownerOf(op));
  }
  return builder.build();
}

/** The inverse of `parseHistory`, one entry a line. */
export function printHistory(history: History): string {
  const open = new Map<string, Op>();
  const lines: string[] = [];
  let last = nanos(0);
  for (const op of history.ops()) {
    const timed = op.time !== Math.max(last, nanosFromMs(op.index));
    last = op.time;
    const invoke = op.type === 'invoke' ? undefined : open.get(ownerOf(op));
    lines.push([...printEntry(op, invoke), ...(timed ? [`t=${op.time}ns`] : [])].join(' '));
    if (op.type === 'invoke') open.set(ownerOf(op), op);
    else open.delete(ownerOf(op));
  }
  return `${lines.join('\n')}\n`;
}

/** One value as the notation writes it. */
export function printValue(value: JsonValue): string {
  if (value === null) return '_';
  if (isPair(value)) return `${printScalar(value[0])}>${printScalar(value[1])}`;
  return printScalar(value);
}

/** Reads one value as the notation writes it. */
export function parseValue(word: string): JsonValue {
  const pair = /^([\w.-]+)>([\w.-]+)$/.exec(word);
  if (pair?.[1] !== undefined && pair[2] !== undefined)
    return [parseScalar(pair[1]), parseScalar(pair[2])];
  return parseScalar(word);
}

const TYPES: readonly string[] = ['invoke', 'ok', 'fail', 'info'] satisfies OpType[];
const PHASES: readonly string[] = ['quiet', 'main', 'heal', 'recover', 'final'] satisfies Phase[];
const MODES: readonly string[] = ['linearizable', 'serializable'] satisfies ReadMode[];
const NUMBERS: Readonly<Record<string, 'revision' | 'modRevision' | 'version' | 'term'>> = {
  rev: 'revision',
  mod: 'modRevision',
  ver: 'version',
  term: 'term',
};
const ATTRIBUTE = /^(@|(?:t|mode|rev|mod|ver|term|member|cluster|err|seen|ph|id|lane)=)/;
const WORD = /^[A-Za-z_][\w.-]*$/;
const NANOS_PER: Readonly<Record<string, number>> = { ns: 1, us: 1e3, ms: 1e6, s: 1e9 };

type Draft = { -readonly [K in keyof OpDraft]: OpDraft[K] };
type Stamp = { -readonly [K in keyof ServerStamp]: ServerStamp[K] };

/** One entry under construction. */
class Entry {
  readonly #words: readonly string[];
  readonly #open: ReadonlyMap<string, Op>;
  readonly #server: Stamp = {};
  #time: Nanos | undefined;

  constructor(words: readonly string[], open: ReadonlyMap<string, Op>) {
    this.#words = words;
    this.#open = open;
  }

  read(): { readonly draft: OpDraft; readonly time: Nanos | undefined } {
    const [who = '', type = '', ...rest] = this.#words;
    const process = this.#process(who);
    if (!TYPES.includes(type))
      throw bad(this.#words, `'${type}' is not one of ${TYPES.join(', ')}`);
    const first = rest.findIndex((word) => ATTRIBUTE.test(word));
    const [f, key, value, more] = first < 0 ? rest : rest.slice(0, first);
    const attributes = first < 0 ? [] : rest.slice(first);
    if (more !== undefined) throw bad(this.#words, `'${more}' is too much`);
    const lane = attributes.find((word) => word.startsWith('lane='))?.slice('lane='.length);
    const owner = ownerOf({ process, lane: lane && unquoted(lane) });
    const invoke = type === 'invoke' ? undefined : this.#open.get(owner);
    if (f === undefined && invoke === undefined)
      throw bad(this.#words, 'it needs an f, as no invocation is open');
    const draft: Draft = {
      process,
      type: type as OpType,
      f: f ?? invoke?.f ?? '',
      ...this.#object(f, key, invoke),
      value: f === undefined ? (invoke?.value ?? null) : this.#value(value ?? '_'),
      phase: invoke?.phase ?? 'main',
      ...(invoke?.node !== undefined && { node: invoke.node }),
      ...(invoke?.mode !== undefined && { mode: invoke.mode }),
      ...(invoke?.id !== undefined && { id: invoke.id }),
    };
    for (const word of attributes) this.#attribute(draft, word);
    if (Object.keys(this.#server).length > 0) draft.server = this.#server;
    return { draft, time: this.#time };
  }

  #object(
    f: string | undefined,
    key: string | undefined,
    invoke: Op | undefined,
  ): { key?: string } {
    if (f === undefined) return invoke?.key === undefined ? {} : { key: invoke.key };
    return key === undefined || key === '-' ? {} : { key: unquoted(key) };
  }

  #process(word: string): Process {
    if (word === 'nemesis' || word === 'observer') return word;
    if (/^\d+$/.test(word)) return Number(word);
    throw bad(this.#words, `'${word}' is not a process: a whole number, nemesis or observer`);
  }

  #attribute(draft: Draft, word: string): void {
    if (word.startsWith('@')) {
      draft.node = word.slice(1);
      return;
    }
    const at = word.indexOf('=');
    const [name, value] = [word.slice(0, at), word.slice(at + 1)];
    const number = NUMBERS[name];
    if (number !== undefined) this.#server[number] = this.#number(value);
    else if (name === 'member' || name === 'cluster') this.#server[name] = unquoted(value);
    else if (name === 'mode') draft.mode = this.#oneOf(value, MODES) as ReadMode;
    else if (name === 'ph') draft.phase = this.#oneOf(value, PHASES) as Phase;
    else if (name === 'err') draft.error = this.#error(value);
    else if (name === 'seen') draft.seen = this.#value(value);
    else if (name === 'id' || name === 'lane') draft[name] = unquoted(value);
    else if (name === 't') this.#time = this.#timeOf(value);
    else throw bad(this.#words, `'${word}' is not an attribute; see the head of notation.ts`);
  }

  #oneOf(value: string, words: readonly string[]): string {
    if (words.includes(value)) return value;
    throw bad(this.#words, `'${value}' is not one of ${words.join(', ')}`);
  }

  #number(value: string): number {
    const number = Number(value);
    if (value !== '' && Number.isSafeInteger(number)) return number;
    throw bad(this.#words, `'${value}' is not a whole number`);
  }

  #value(word: string): JsonValue {
    try {
      return parseValue(word);
    } catch {
      throw bad(this.#words, `'${word}' is not a value: a number, a word, _, 1>2 or JSON`);
    }
  }

  #error(value: string): OpError {
    const match = /^([^!?]+)([!?])(".*")?$/s.exec(value);
    const [, code, mark, message] = match ?? [];
    if (code === undefined)
      throw bad(this.#words, `'err=${value}' does not end in ! (definite) or ? (indefinite)`);
    return {
      code,
      definite: mark === '!',
      ...(message !== undefined && { message: unquoted(message) }),
    };
  }

  #timeOf(value: string): Nanos {
    const match = /^(\d+(?:\.\d+)?)(ns|us|ms|s)$/.exec(value);
    const unit = NANOS_PER[match?.[2] ?? ''];
    if (match?.[1] === undefined || unit === undefined)
      throw bad(this.#words, `'t=${value}' is not a time such as 12ms`);
    return nanos(Number(match[1]) * unit);
  }
}

function printEntry(op: Op, invoke: Op | undefined): string[] {
  const words = [String(op.process), op.type, op.f];
  const value = printValue(op.value);
  if (op.key !== undefined || value !== '_') words.push(printKey(op.key));
  if (value !== '_') words.push(value);
  if (op.node !== undefined && op.node !== invoke?.node) words.push(`@${op.node}`);
  if (op.mode !== undefined && op.mode !== invoke?.mode) words.push(`mode=${op.mode}`);
  const { server } = op;
  for (const [name, field] of Object.entries(NUMBERS))
    if (server?.[field] !== undefined) words.push(`${name}=${server[field]}`);
  if (server?.member !== undefined) words.push(`member=${quoted(server.member)}`);
  if (server?.cluster !== undefined) words.push(`cluster=${quoted(server.cluster)}`);
  if (op.error !== undefined) words.push(`err=${printError(op.error)}`);
  if (op.seen !== undefined) words.push(`seen=${printValue(op.seen)}`);
  if (op.phase !== (invoke?.phase ?? 'main')) words.push(`ph=${op.phase}`);
  if (op.id !== undefined && op.id !== invoke?.id) words.push(`id=${quoted(op.id)}`);
  // The lane of a completion finds its invocation, so it is never left out.
  if (op.lane !== undefined) words.push(`lane=${quoted(op.lane)}`);
  return words;
}

function printError({ code, definite, message }: OpError): string {
  return `${code}${definite ? '!' : '?'}${message === undefined ? '' : JSON.stringify(message)}`;
}

function printKey(key: string | undefined): string {
  if (key === undefined) return '-';
  return /^[\w.:/][\w.:/-]*$/.test(key) ? key : JSON.stringify(key);
}

function quoted(text: string): string {
  return /^[\w.:/-]+$/.test(text) ? text : JSON.stringify(text);
}

function unquoted(word: string): string {
  return word.startsWith('"') ? String(JSON.parse(word)) : word;
}

function isPair(value: JsonValue): value is [JsonValue, JsonValue] {
  return (
    Array.isArray(value) &&
    value.length === 2 &&
    value.every((part) => /^[\w.-]+$/.test(printScalar(part as JsonValue)))
  );
}

const LITERALS: Readonly<Record<string, JsonValue>> = { _: null, true: true, false: false };

function printScalar(value: JsonValue): string {
  if (value === null) return '_';
  const isWord = typeof value === 'string' && WORD.test(value);
  if (isWord && !Object.hasOwn(LITERALS, value) && value !== 'null') return value;
  return JSON.stringify(value);
}

function parseScalar(word: string): JsonValue {
  if (Object.hasOwn(LITERALS, word)) return LITERALS[word] as JsonValue;
  if (WORD.test(word) && word !== 'null') return word;
  return JSON.parse(word) as JsonValue;
}

/** Clients are told apart by process, faults by lane. */
function ownerOf(op: { readonly process: Process; readonly lane?: string | undefined }): string {
  return typeof op.process === 'number' ? String(op.process) : `${op.process} ${op.lane ?? ''}`;
}

/**
 * Splits the text into entries and their words. Quoted texts and bracketed JSON stay whole,
 * whatever they hold.
 */
function entries(text: string): string[][] {
  const all: string[][] = [];
  let words: string[] = [];
  const part = /"(?:[^"\\]|\\.)*"|[[{]|[\]}]|\s+|#|;|[^\s"[\]{};#]+/y;
  let word = '';
  let depth = 0;
  const endWord = (): void => {
    if (word !== '') words.push(word);
    word = '';
  };
  const endEntry = (): void => {
    endWord();
    if (words.length > 0) all.push(words);
    words = [];
  };
  for (let at = 0; at < text.length; at = part.lastIndex) {
    part.lastIndex = at;
    const piece = part.exec(text)?.[0];
    if (piece === undefined)
      throw bad([...words, text.slice(at, at + 20)], 'a quote is not closed');
    if (piece === '{' || piece === '[') depth++;
    if (piece === '}' || piece === ']') depth--;
    if (depth > 0 || !/^(\s|;|#)/.test(piece)) word += piece;
    else if (piece === '#' && word === '') part.lastIndex = endOfLine(text, at);
    else if (piece === '#') word += piece;
    else if (piece === ';' || piece.includes('\n')) endEntry();
    else endWord();
  }
  endEntry();
  return all;
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
}

function bad(words: readonly string[], why: string): HarnessError {
  return new HarnessError('bad-input', `history notation, '${words.join(' ')}': ${why}`);
}
