/**
 * One entry as one line of `history.jsonl`. The first line of a file is `HEADER`; the start by the
 * wall clock is in `run.json`, so that simulated histories are equal to the last byte.
 *
 *     {"i":0,"t":69951204113,"p":5,"e":"invoke","f":"write","k":"k17","v":41,"n":"n3","id":"c5/880","ph":"main"}
 *
 * In this order, absent fields left out: `i` index, `t` time (ns), `p` process, `e` type, `f`, `k`
 * key, `v` value, `n` node, `mode`, `id`, `ph` phase, `err` error {code, definite, message}, `sn`
 * seen, `s` server {rev, mod, ver, term, member, cluster}, `lane`. Whole numbers beyond 2^53 must be
 * texts: JSON readers round them.
 */
import { HarnessError } from '../core/errors.ts';
import type { JsonValue } from '../core/json.ts';
import { nanos } from '../core/units.ts';
import { jsonErrorAt } from './formats/json-error.ts';
import type { Op, OpError, OpType, Phase, Process, ReadMode, ServerStamp } from './op.ts';

export const HEADER = '{"schism":1,"unit":"ns","clock":"monotonic"}';

/** The line of an entry, without its end. */
export function encodeOp(op: Op): string {
  const { process, key, node, mode, id, error, seen, server, lane } = op;
  let line = `{"i":${op.index},"t":${op.time},"p":`;
  line += typeof process === 'number' ? process : `"${process}"`;
  line += `,"e":"${op.type}","f":${textOf(op.f)}`;
  if (key !== undefined) line += `,"k":${textOf(key)}`;
  line += `,"v":${valueOf(op.value)}`;
  if (node !== undefined) line += `,"n":${textOf(node)}`;
  if (mode !== undefined) line += `,"mode":"${mode}"`;
  if (id !== undefined) line += `,"id":${textOf(id)}`;
  line += `,"ph":"${op.phase}"`;
  if (error !== undefined) line += `,"err":${errorOf(error)}`;
  if (seen !== undefined) line += `,"sn":${valueOf(seen)}`;
  if (server !== undefined) line += `,"s":${serverOf(server)}`;
  if (lane !== undefined) line += `,"lane":${textOf(lane)}`;
  return `${line}}`;
}

// Printable ASCII but quote and backslash: what JSON writes as it is.
const PLAIN = /^[ !#-[\]-~]*$/;

function textOf(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

function valueOf(value: JsonValue): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return textOf(value);
  return typeof value === 'number' && Number.isSafeInteger(value)
    ? String(value)
    : JSON.stringify(value);
}

function errorOf({ code, definite, message }: OpError): string {
  const tail = message === undefined ? '' : `,"message":${textOf(message)}`;
  return `{"code":${textOf(code)},"definite":${definite}${tail}}`;
}

function serverOf(stamp: ServerStamp): string {
  let fields = '';
  if (stamp.revision !== undefined) fields += `,"rev":${stamp.revision}`;
  if (stamp.modRevision !== undefined) fields += `,"mod":${stamp.modRevision}`;
  if (stamp.version !== undefined) fields += `,"ver":${stamp.version}`;
  if (stamp.term !== undefined) fields += `,"term":${stamp.term}`;
  if (stamp.member !== undefined) fields += `,"member":${textOf(stamp.member)}`;
  if (stamp.cluster !== undefined) fields += `,"cluster":${textOf(stamp.cluster)}`;
  return `{${fields.slice(1)}}`;
}

/** Where a line stands, for messages; lines count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/** Why a history file cannot be read: what is wrong where, and what to do. */
export function badLine({ file, line }: Place, what: string, advice?: string): HarnessError {
  const then = advice ?? 'this is not a history of ours, or it is damaged; use another copy';
  return new HarnessError('bad-input', `${file}:${line}: ${what}; ${then}`);
}

/** Checks the first line of a file. Throws `bad-input` for another version or another kind of file. */
export function decodeHeader(text: string, place: Place): void {
  if (text === HEADER) return;
  const header = parsed(text, place);
  if (!isRecord(header) || !('schism' in header))
    throw badLine(place, 'the first line is not the header {"schism":1,...}');
  if (header['schism'] !== 1)
    throw badLine(
      place,
      `this history has version ${shown(header['schism'])} of the format, but only 1 is known`,
      'read it with the version of schism that wrote it',
    );
  for (const [key, wanted] of Object.entries({ unit: 'ns', clock: 'monotonic' }))
    if (header[key] !== wanted)
      throw badLine(place, `its header says ${key} ${shown(header[key])}, not "${wanted}"`);
}

/** Reads one entry. Throws `bad-input` naming the field; whether entries fit together is not asked. */
export function decodeLine(text: string, place: Place): Op {
  const record = parsed(text, place);
  if (!isRecord(record)) throw badLine(place, 'the line is not a JSON object');
  const op: Draft = {};
  for (const name in record) {
    const value = record[name] as JsonValue;
    const problem = decodeField(op, name, value);
    if (problem !== undefined) throw badLine(place, `"${name}" is ${shown(value)}, but ${problem}`);
  }
  const missing = (['index', 'time', 'process', 'type', 'f', 'value', 'phase'] as const).find(
    (field) => op[field] === undefined,
  );
  if (missing !== undefined) throw badLine(place, `"${LETTERS[missing]}" (${missing}) is missing`);
  return op as Op;
}

type Draft = { -readonly [K in keyof Op]?: Op[K] };

const LETTERS = {
  index: 'i',
  time: 't',
  process: 'p',
  type: 'e',
  f: 'f',
  value: 'v',
  phase: 'ph',
} as const;

/** Sets one field; returns what it must be when it is not. */
function decodeField(op: Draft, name: string, value: JsonValue): string | undefined {
  switch (name) {
    case 'i':
      if (!isCount(value)) return 'must be a whole number from 0';
      op.index = value;
      return undefined;
    case 't':
      if (!isCount(value)) return 'must be whole nanoseconds from 0';
      op.time = nanos(value);
      return undefined;
    case 'p':
      if (!isProcess(value)) return 'must be a whole number from 0, "nemesis" or "observer"';
      op.process = value;
      return undefined;
    case 'e':
      if (!isType(value)) return 'must be "invoke", "ok", "fail" or "info"';
      op.type = value;
      return undefined;
    case 'v':
      op.value = value;
      return undefined;
    case 'ph':
      if (!isPhase(value)) return 'must be "quiet", "main", "heal", "recover" or "final"';
      op.phase = value;
      return undefined;
    case 'mode':
      if (!isMode(value)) return 'must be "linearizable" or "serializable"';
      op.mode = value;
      return undefined;
    case 'err':
      return decodeError(op, value);
    case 'sn':
      op.seen = value;
      return undefined;
    case 's':
      return decodeServer(op, value);
    default:
      return decodeText(op, name, value);
  }
}

function decodeText(op: Draft, name: string, value: JsonValue): string | undefined {
  if (typeof value !== 'string' && TEXT_FIELDS.includes(name)) return 'must be a text';
  const text = value as string;
  switch (name) {
    case 'f':
      op.f = text;
      return text === '' ? 'must not be empty' : undefined;
    case 'k':
      op.key = text;
      return undefined;
    case 'n':
      op.node = text;
      return undefined;
    case 'id':
      op.id = text;
      return undefined;
    case 'lane':
      op.lane = text;
      return undefined;
    default:
      return 'no such field is known; a newer schism may have written it';
  }
}

const TEXT_FIELDS: readonly string[] = ['f', 'k', 'n', 'id', 'lane'];

function decodeError(op: Draft, value: JsonValue): string | undefined {
  const wanted = 'must be {"code": text, "definite": true or false, "message": text}';
  if (!isRecord(value)) return wanted;
  const { code, definite, message, ...more } = value;
  if (typeof code !== 'string' || typeof definite !== 'boolean') return wanted;
  if (message !== undefined && typeof message !== 'string') return wanted;
  if (Object.keys(more).length > 0) return wanted;
  op.error = message === undefined ? { code, definite } : { code, definite, message };
  return undefined;
}

function decodeServer(op: Draft, value: JsonValue): string | undefined {
  if (!isRecord(value)) return 'must be an object';
  const stamp: { -readonly [K in keyof ServerStamp]: ServerStamp[K] } = {};
  for (const name in value) {
    const field = value[name] as JsonValue;
    const number = STAMP_NUMBERS[name as keyof typeof STAMP_NUMBERS];
    if (number !== undefined) {
      if (typeof field !== 'number' || !Number.isSafeInteger(field))
        return `its "${name}" must be a whole number`;
      stamp[number] = field;
    } else if (name === 'member' || name === 'cluster') {
      if (typeof field !== 'string') return `its "${name}" must be a text`;
      stamp[name] = field;
    } else return `its "${name}" is not known`;
  }
  op.server = stamp;
  return undefined;
}

const STAMP_NUMBERS = {
  rev: 'revision',
  mod: 'modRevision',
  ver: 'version',
  term: 'term',
} as const;

function parsed(text: string, place: Place): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    const column = jsonErrorAt(text) + 1;
    throw badLine(place, `the line is not JSON from column ${column} on: ${shown(text)}`);
  }
}

/** The beginning of a value, for messages. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'missing';
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}

function isRecord(value: unknown): value is { readonly [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: JsonValue): value is number {
  return typeof value === 'number' && value >= 0 && Number.isSafeInteger(value);
}

function isProcess(value: JsonValue): value is Process {
  return value === 'nemesis' || value === 'observer' || isCount(value);
}

function isType(value: JsonValue): value is OpType {
  return value === 'invoke' || value === 'ok' || value === 'fail' || value === 'info';
}

function isPhase(value: JsonValue): value is Phase {
  return (
    value === 'main' ||
    value === 'quiet' ||
    value === 'heal' ||
    value === 'recover' ||
    value === 'final'
  );
}

function isMode(value: JsonValue): value is ReadMode {
  return value === 'linearizable' || value === 'serializable';
}
