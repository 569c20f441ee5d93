/**
 * One line an operation of a client, for spreadsheets and data frames. Values are JSON. Follows
 * RFC 4180, but for lines that end in `\n` alone.
 */
import type { JsonValue } from '../../harness/core/json.ts';
import type { History, Operation } from '../../harness/history/history.ts';
import type { Exported } from './exported.ts';

type Cell = string | number | undefined;

const COLUMNS: readonly (readonly [name: string, of: (operation: Operation) => Cell])[] = [
  ['index', ({ invoke }) => invoke.index],
  ['end_index', ({ completion }) => completion?.index],
  ['process', ({ invoke }) => invoke.process],
  ['node', ({ invoke, completion }) => text(completion?.node ?? invoke.node)],
  ['phase', ({ invoke }) => invoke.phase],
  ['f', ({ invoke }) => text(invoke.f)],
  ['mode', ({ invoke }) => invoke.mode],
  ['key', ({ invoke }) => text(invoke.key)],
  ['value', ({ invoke }) => json(invoke.value)],
  // `open`: the history ends before it does.
  ['outcome', ({ completion }) => completion?.type ?? 'open'],
  ['result', ({ completion }) => (completion?.type === 'ok' ? json(completion.value) : undefined)],
  ['seen', ({ completion }) => json(completion?.seen)],
  ['start_ns', ({ invoke }) => invoke.time],
  ['end_ns', ({ completion }) => completion?.time],
  ['latency_ns', ({ invoke, completion }) => completion && completion.time - invoke.time],
  ['error', ({ completion }) => text(completion?.error?.code)],
  ['error_message', ({ completion }) => text(completion?.error?.message)],
  ['revision', ({ completion }) => completion?.server?.revision],
  ['id', ({ invoke }) => text(invoke.id)],
];

export function exportCsv(history: History): Exported {
  return { text: lines(history), notes: [] };
}

function* lines(history: History): Generator<string> {
  yield `${COLUMNS.map(([name]) => name).join(',')}\n`;
  for (const operation of history.operations())
    yield `${COLUMNS.map(([, of]) => cell(of(operation))).join(',')}\n`;
}

function cell(value: Cell): string {
  if (value === undefined) return '';
  const plain = String(value);
  return /[",\n\r]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

/** A spreadsheet would take `=`, `+`, `-` or `@` at the beginning for a formula. */
function text(value: string | undefined): string | undefined {
  return value !== undefined && /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
}

function json(value: JsonValue | undefined): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}
