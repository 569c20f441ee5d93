/** Which rows the table shows, and in which order. */
import { OUTCOMES, valueOf } from '../page-format.ts';
import type { RunData } from './decode.ts';
import type { Lanes } from './lanes.ts';

export type SortColumn = 'start' | 'duration' | 'client' | 'key' | 'outcome';

export interface Filter {
  readonly key: string;
  readonly lane: number;
  readonly query: string;
  readonly outcome: string;
  /** Only operations that overlap it; microseconds. */
  readonly window: readonly [number, number] | undefined;
  readonly sort: SortColumn;
  readonly descending: boolean;
}

export function filteredRows(data: RunData, lanes: Lanes, filter: Filter): Int32Array {
  const { header, ops } = data;
  const key = filter.key === '' ? -1 : header.keys.indexOf(filter.key) + 1;
  const outcome = OUTCOMES.findIndex((name) => name === filter.outcome);
  const says = filter.query === '' ? undefined : sayer(data, filter.query.toLowerCase());
  const [from, to] = filter.window ?? [-1, Infinity];
  const rows = new Int32Array(ops.length);
  let count = 0;
  for (let row = 0; row < ops.length; row++) {
    if (key >= 0 && ops.key[row] !== key) continue;
    if (filter.lane >= 0 && lanes.of[row] !== filter.lane) continue;
    if (outcome >= 0 && ((ops.kind[row] as number) & 3) !== outcome) continue;
    // Rows come in order of their start.
    if ((ops.start[row] as number) > to) break;
    if ((ops.end[row] as number) < from) continue;
    if (says !== undefined && !says(row)) continue;
    rows[count++] = row;
  }
  return sorted(data, rows.slice(0, count), filter);
}

/** Texts are looked through once each, not once a row; figures are compared as text. */
function sayer({ header, ops }: RunData, query: string): (row: number) => boolean {
  const within = (texts: readonly string[]): Uint8Array =>
    Uint8Array.from(texts, (text) => (text.toLowerCase().includes(query) ? 1 : 0));
  const [keys, nodes, errors] = [within(header.keys), within(header.nodes), within(header.errors)];
  const texts = within(header.texts);
  const calls = within(header.functions.map(({ name, mode }) => `${name} ${mode}`));
  const isFigure = /^-?\d+$/.test(query);
  const has = (code: number): boolean => {
    if (code === 0) return false;
    if (code % 2 === 0) return texts[code / 2 - 1] === 1;
    return isFigure && valueOf(code, []).includes(query);
  };
  return (row) =>
    keys[(ops.key[row] as number) - 1] === 1 ||
    nodes[(ops.node[row] as number) - 1] === 1 ||
    errors[(ops.error[row] as number) - 1] === 1 ||
    calls[(ops.kind[row] as number) >> 2] === 1 ||
    has(ops.given[row] as number) ||
    has(ops.got[row] as number) ||
    `c${ops.client[row]}` === query;
}

/** Rows come in order of their start, and stay so where they are equal. */
function sorted(data: RunData, rows: Int32Array, { sort, descending }: Filter): Int32Array {
  if (sort === 'start') return descending ? rows.toReversed() : rows;
  const rank = ranks(data, sort);
  const sign = descending ? -1 : 1;
  return rows.toSorted((a, b) => sign * ((rank[a] as number) - (rank[b] as number)) || a - b);
}

function ranks({ header, ops }: RunData, sort: Exclude<SortColumn, 'start'>): ArrayLike<number> {
  switch (sort) {
    case 'duration':
      // What never completed took longest.
      return ops.end.map((end, row) =>
        ((ops.kind[row] as number) & 3) === 3 ? Infinity : end - (ops.start[row] as number),
      );
    case 'client':
      return ops.client;
    case 'outcome':
      return ops.kind.map((kind) => kind & 3);
    case 'key': {
      const order = header.keys
        .map((text, at) => [text, at] as const)
        .toSorted(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }));
      const place = new Int32Array(header.keys.length + 1);
      for (const [at, [, key]] of order.entries()) place[key + 1] = at + 1;
      return ops.key.map((key) => place[key] as number);
    }
  }
}
