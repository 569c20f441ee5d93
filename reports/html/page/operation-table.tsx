import type { VNode } from 'preact';
import { useMemo, useRef, useState } from 'preact/hooks';
import { OUTCOMES } from '../page-format.ts';
import { CopyButton } from './copy-button.tsx';
import { errorOf, keyOf, modeOf, nodeOf, outcomeOf, textOf } from './decode.ts';
import { ednOf } from './forms.ts';
import { factsOf } from './operation-card.tsx';
import { type Filter, filteredRows, type SortColumn } from './rows-filter.ts';
import { type Store, useView } from './store.ts';
import { count, seconds, span } from './words.ts';

const ROW = 27;
const SHOWN = 440;
/** Browsers know no element higher than this. */
const HEIGHT_MAX = 8e6;
const COPIED_MAX = 1000;
const OPTIONS_MAX = 1000;

interface Sorting {
  readonly sort: SortColumn;
  readonly descending: boolean;
}

/** Every operation in text: the same as the timeline shows, with the same filters. */
export function OperationTable({ store }: { store: Store }): VNode {
  const view = useView(store);
  const [sorting, setSorting] = useState<Sorting>({ sort: 'start', descending: false });
  const [outcome, setOutcome] = useState('');
  const [isWindowed, setWindowed] = useState(true);
  const { key, lane, query } = view;
  const [from, to] = isWindowed ? [view.from, view.to] : [-1, -1];
  const rows = useMemo(() => {
    const window = isWindowed ? ([from, to] as const) : undefined;
    const filter: Filter = { key, lane, query, outcome, window, ...sorting };
    return filteredRows(store.data, store.lanes, filter);
  }, [store, key, lane, query, outcome, from, to, sorting]);
  return (
    <section id="every-operation">
      <h2>Every operation</h2>
      <div class="filters">
        <TextFilters store={store} />
        <label>
          Outcome{' '}
          <select value={outcome} onChange={(event) => setOutcome(event.currentTarget.value)}>
            <option value="">all</option>
            {OUTCOMES.map((name) => (
              <option key={name} value={name}>
                {name === 'open' ? 'never completed' : name}
              </option>
            ))}
          </select>
        </label>
        <label>
          <input
            type="checkbox"
            checked={isWindowed}
            onChange={(event) => setWindowed(event.currentTarget.checked)}
          />{' '}
          only the window of the timeline
        </label>
        <CopyRows store={store} rows={rows} />
      </div>
      <p class="muted small" aria-live="polite">
        {count(rows.length)} of {count(store.data.ops.length)} operations
      </p>
      <VirtualRows store={store} rows={rows} sorting={sorting} onSort={setSorting} />
    </section>
  );
}

function TextFilters({ store }: { store: Store }): VNode {
  const view = useView(store);
  const { keys } = store.data.header;
  return (
    <>
      <label>
        Search{' '}
        <input
          id="search"
          type="search"
          size={18}
          value={view.query}
          placeholder="key, value, error, c3"
          onInput={(event) => store.set({ query: event.currentTarget.value })}
        />
      </label>
      <label>
        Key{' '}
        <input
          type="search"
          list="keys"
          size={14}
          value={view.key}
          placeholder="all"
          onInput={(event) => store.set({ key: event.currentTarget.value })}
        />
      </label>
      <datalist id="keys">
        {keys.slice(0, OPTIONS_MAX).map((key) => (
          <option key={key} value={key} />
        ))}
      </datalist>
      <label>
        Client{' '}
        <select
          value={String(view.lane)}
          onChange={(event) => store.set({ lane: Number(event.currentTarget.value) })}
        >
          <option value="-1">all</option>
          {store.lanes.lanes.slice(0, OPTIONS_MAX).map(({ label }, lane) => (
            <option key={label} value={String(lane)}>
              {label}
            </option>
          ))}
        </select>
      </label>
    </>
  );
}

function CopyRows({ store, rows }: { store: Store; rows: Int32Array }): VNode | null {
  if (rows.length === 0 || rows.length > COPIED_MAX) return null;
  const text = (): string =>
    JSON.stringify(
      [...rows].map((row) => factsOf(store.data, row)),
      null,
      1,
    );
  const edn = (): string => [...rows].map((row) => ednOf(store.data, row)).join('\n');
  return (
    <span class="buttons">
      <CopyButton text={text} label={`Copy ${count(rows.length)} as JSON`} />
      <CopyButton text={edn} label="as EDN" />
    </span>
  );
}

interface RowsProps {
  readonly store: Store;
  readonly rows: Int32Array;
  readonly sorting: Sorting;
  readonly onSort: (sorting: Sorting) => void;
}

/** Only what can be seen is in the document, between two rows as high as all the others. */
function VirtualRows({ store, rows, sorting, onSort }: RowsProps): VNode {
  const [top, setTop] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  const height = Math.min(rows.length * ROW, HEIGHT_MAX);
  const room = Math.max(1, height - SHOWN);
  const visible = Math.ceil(SHOWN / ROW) + 4;
  const last = Math.max(0, rows.length - visible + 4);
  const share = Math.min(1, top / room);
  const first =
    height < HEIGHT_MAX ? Math.min(last, Math.floor(top / ROW)) : Math.floor(share * last);
  const before = Math.min(Math.max(0, height - ROW), height < HEIGHT_MAX ? first * ROW : top);
  const shown = Array.from(rows.subarray(first, first + visible));
  const after = Math.max(0, height - before - shown.length * ROW);
  return (
    <div
      ref={box}
      class="rows"
      style={{ maxHeight: `${SHOWN}px` }}
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      role="region"
      aria-label="Operations, scrolls"
      onScroll={(event) => setTop(event.currentTarget.scrollTop)}
    >
      <table aria-rowcount={rows.length + 1}>
        <thead>
          <tr aria-rowindex={1}>
            <SortHead column="start" name="start" {...{ sorting, onSort }} />
            <SortHead column="duration" name="duration" {...{ sorting, onSort }} />
            <SortHead column="client" name="client" {...{ sorting, onSort }} />
            <th scope="col">node</th>
            <SortHead column="key" name="key" {...{ sorting, onSort }} />
            <th scope="col">operation</th>
            <SortHead column="outcome" name="outcome" {...{ sorting, onSort }} />
            <th scope="col" class="n">
              entry
            </th>
          </tr>
        </thead>
        <tbody>
          <tr aria-hidden="true" style={{ height: `${before}px` }} />
          {shown.map((row, at) => (
            <OperationRow key={row} store={store} row={row} at={first + at + 2} />
          ))}
          <tr aria-hidden="true" style={{ height: `${after}px` }} />
        </tbody>
      </table>
    </div>
  );
}

interface HeadProps {
  readonly column: SortColumn;
  readonly name: string;
  readonly sorting: Sorting;
  readonly onSort: (sorting: Sorting) => void;
}

function SortHead({ column, name, sorting, onSort }: HeadProps): VNode {
  const isSorted = sorting.sort === column;
  const order = sorting.descending ? 'descending' : 'ascending';
  const mark = isSorted ? (sorting.descending ? ' ▾' : ' ▴') : '';
  return (
    <th scope="col" aria-sort={isSorted ? order : 'none'}>
      <button
        type="button"
        onClick={() => onSort({ sort: column, descending: isSorted && !sorting.descending })}
      >
        {name}
        <span aria-hidden="true">{mark}</span>
      </button>
    </th>
  );
}

function OperationRow({ store, row, at }: { store: Store; row: number; at: number }): VNode {
  const { data, view } = store;
  const { ops } = data;
  const outcome = outcomeOf(ops, row);
  const isOpen = outcome === 'open';
  const marked = (store.violationRows[view.violation] ?? []).includes(row);
  const name = [outcome, marked ? 'marked' : '', row === view.row ? 'picked' : ''].join(' ');
  const start = ops.start[row] as number;
  return (
    <tr class={name} aria-rowindex={at}>
      <td class="n">
        <button type="button" onClick={() => store.showRow(row)} title="Show in the timeline">
          {seconds(start)}
        </button>
      </td>
      <td class="n">{isOpen ? '…' : span((ops.end[row] as number) - start)}</td>
      <td>{`c${ops.client[row]}`}</td>
      <td>{nodeOf(data, row)}</td>
      <td>{keyOf(data, row)}</td>
      <td class="mono">
        {marked ? '✗ ' : ''}
        {textOf(data, row)}
        {modeOf(data, row) !== '' && <span class="muted"> {modeOf(data, row)}</span>}
      </td>
      <td>
        {isOpen ? 'never completed' : outcome}
        {errorOf(data, row) !== '' && <span class="muted"> {errorOf(data, row)}</span>}
      </td>
      <td class="n">{ops.entry[row]}</td>
    </tr>
  );
}
