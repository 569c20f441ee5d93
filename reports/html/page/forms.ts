/** Operations and violations as text to take along: EDN, and Markdown. */
import type { JsonValue } from '../../../harness/core/json.ts';
import { valueOf } from '../page-format.ts';
import {
  errorOf,
  keyOf,
  modeOf,
  nodeOf,
  outcomeOf,
  type RunData,
  rowOfEntry,
  textOf,
} from './decode.ts';
import { seconds } from './words.ts';

const TYPES = { ok: ':ok', failed: ':fail', unknown: ':info' } as const;

/** Invocation and completion as Jepsen's histories have them; times to the microsecond. */
export function ednOf(data: RunData, row: number): string {
  const { header, ops } = data;
  const call = header.functions[(ops.kind[row] as number) >> 2];
  const given = ednValue(valueOf(ops.given[row] as number, header.texts));
  const got = ednValue(valueOf(ops.got[row] as number, header.texts));
  const isPair = call?.isPair === true;
  const asked = isPair ? `[${given} ${got}]` : given;
  const came = isPair || ops.got[row] === 0 ? asked : got;
  const outcome = outcomeOf(ops, row);
  const key = keyOf(data, row);
  const line = (type: string, time: number, value: string, more: string): string =>
    `{:type ${type}, :process ${ops.client[row]}, :f ${keyword(call?.name ?? '')}, ` +
    `:value ${key === '' ? value : `[${text(key)} ${value}]`}, :time ${time * 1000}${more}}`;
  const [node, mode, error] = [nodeOf(data, row), modeOf(data, row), errorOf(data, row)];
  const more =
    (node === '' ? '' : `, :node ${text(node)}`) + (mode === '' ? '' : `, :mode ${keyword(mode)}`);
  const invoked = line(':invoke', ops.start[row] as number, asked, more);
  if (outcome === 'open') return invoked;
  const told = error === '' ? more : `${more}, :error ${text(error)}`;
  const ended = line(TYPES[outcome], ops.end[row] as number, came, told);
  return `${invoked}\n${ended}`;
}

/** What the page shows of a value; one that was too long to show whole is a text. */
function ednValue(shown: string): string {
  if (shown === '' || shown === 'absent') return 'nil';
  try {
    return edn(JSON.parse(shown) as JsonValue);
  } catch {
    return text(shown);
  }
}

function edn(value: JsonValue): string {
  if (value === null) return 'nil';
  if (typeof value === 'string') return text(value);
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[${(value as readonly JsonValue[]).map(edn).join(' ')}]`;
  const pairs = Object.entries(value).map(([name, inner]) => `${text(name)} ${edn(inner)}`);
  return `{${pairs.join(', ')}}`;
}

function text(value: string): string {
  return JSON.stringify(value);
}

/** A text where the name would not be read back as one keyword. */
function keyword(name: string): string {
  return /^[A-Za-z][\w-]*$/.test(name) ? `:${name}` : text(name);
}

/** A violation for a ticket. What a store said stands in code alone: there it is no markup. */
export function markdownOf(data: RunData, at: number, command: string): string {
  const violation = data.header.violations[at];
  if (violation === undefined) return '';
  const { title, text: story, entries, steps, key } = violation;
  const rows = entries.map((entry) => rowOfEntry(data.ops, entry)).filter((row) => row >= 0);
  const must = new Map(steps);
  const lines = rows.map((row) => {
    const { ops } = data;
    const entry = ops.entry[row] as number;
    const outcome = outcomeOf(ops, row);
    const cells = [
      `c${ops.client[row]}`,
      textOf(data, row),
      outcome === 'open' ? 'never completed' : outcome,
      seconds(ops.start[row] as number),
      outcome === 'open' ? '' : seconds(ops.end[row] as number),
      nodeOf(data, row),
      must.get(entry) ?? '',
    ];
    return `| ${cells.map(cell).join(' | ')} |`;
  });
  const head = ['client', 'operation', 'outcome', 'start', 'end', 'node', 'must be'];
  return [
    `### ${code(key === '' ? title : `${title} · key ${key}`)}`,
    fenced(story),
    [`| ${head.join(' | ')} |`, `|${' --- |'.repeat(head.length)}`, ...lines].join('\n'),
    ...(command === '' ? [] : [fenced(command)]),
  ].join('\n\n');
}

function cell(value: string): string {
  return value === '' ? '' : code(value).replaceAll('|', '\\|');
}

/** Between more backticks than the text has in a row. */
function code(value: string): string {
  const fence = '`'.repeat(1 + longest(value));
  const space = value.startsWith('`') || value.endsWith('`') ? ' ' : '';
  return `${fence}${space}${value}${space}${fence}`;
}

function fenced(value: string): string {
  const fence = '`'.repeat(Math.max(3, 1 + longest(value)));
  return `${fence}text\n${value}\n${fence}`;
}

function longest(value: string): number {
  return Math.max(0, ...(value.match(/`+/g) ?? []).map(({ length }) => length));
}
