/** Histories for people, in columns, as in Jepsen's `history.txt`. For machines there is `jsonl`. */
import type { JsonValue } from '../core/json.ts';
import { secondsText } from '../core/units.ts';
import type { History } from './history.ts';
import { printValue } from './notation.ts';
import type { Op } from './op.ts';

const VALUE_COLUMNS_MAX = 120;

/** One entry, as `formatHistory` prints it, without the spaces that only align columns. */
export function formatOp(op: Op): string {
  return cells(op)
    .filter((cell) => cell !== '')
    .join('  ');
}

/**
 * All entries (or those that `wants` holds for) in columns: index, seconds, process, type, f, key,
 * value, and whatever else there is. Each line begins as the same entry does in any other excerpt.
 */
export function formatHistory(history: History, wants: (op: Op) => boolean = () => true): string {
  const rows: (readonly string[])[] = [];
  for (const op of history.ops()) if (wants(op)) rows.push(cells(op));
  // Widths beyond this would push everything else off the screen for the sake of one entry.
  const widthMax = 24;
  const widths = [0, 1, 2, 3, 4, 5, 6].map((column) =>
    Math.min(widthMax, Math.max(0, ...rows.map((row) => row[column]?.length ?? 0))),
  );
  return rows.map((row) => `${line(row, widths)}\n`).join('');
}

function line(row: readonly string[], widths: readonly number[]): string {
  return row
    .map((cell, column) => {
      const width = widths[column] ?? 0;
      return column < 2 ? cell.padStart(width) : cell.padEnd(width);
    })
    .filter((cell, column) => cell !== '' || column < 5)
    .join('  ')
    .trimEnd();
}

function cells(op: Op): string[] {
  return [
    String(op.index),
    secondsText(op.time),
    String(op.process),
    op.type,
    op.f,
    oneLine(op.key ?? ''),
    op.value === null && op.type === 'invoke' ? '' : shown(op.value),
    rest(op),
  ];
}

function rest(op: Op): string {
  const { node, mode, lane, error, seen, server } = op;
  return [
    node === undefined ? '' : `@${node}`,
    mode ?? '',
    lane === undefined ? '' : `lane ${oneLine(lane)}`,
    error === undefined
      ? ''
      : `${error.code}${error.definite ? '' : '?'}${error.message === undefined ? '' : ` (${oneLine(error.message)})`}`,
    seen === undefined ? '' : `saw ${shown(seen)}`,
    server?.revision === undefined ? '' : `rev ${server.revision}`,
    server?.modRevision === undefined ? '' : `mod ${server.modRevision}`,
    op.phase === 'main' ? '' : op.phase,
  ]
    .filter((part) => part !== '')
    .join(' ');
}

function shown(value: JsonValue): string {
  const text = oneLine(printValue(value));
  return text.length > VALUE_COLUMNS_MAX ? `${text.slice(0, VALUE_COLUMNS_MAX - 1)}…` : text;
}

/** What a store or a file says must not move the cursor or colour the terminal. */
function oneLine(text: string): string {
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, (char) =>
    char < ' ' ? JSON.stringify(char).slice(1, -1) : escaped(char),
  );
}

function escaped(char: string): string {
  return char
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}
