import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { PageLogLine } from '../page-format.ts';
import { type Store, useView } from './store.ts';
import { count, seconds } from './words.ts';

const SHOWN_MAX = 400;

/** What the nodes wrote while the window of the timeline lasted. */
export function Logs({ store }: { store: Store }): VNode | null {
  const { from, to } = useView(store);
  const [query, setQuery] = useState('');
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const { logs, logsLeft } = store.data.header;
  if (logs.length === 0) return null;
  const sources = [...new Set(logs.map(({ source }) => source))].toSorted();
  const wanted = query.toLowerCase();
  const found = logs.filter(
    ({ time, source, text }) =>
      time >= from && time <= to && !hidden.has(source) && text.toLowerCase().includes(wanted),
  );
  const shown = nearest(found, store);
  const toggle = (source: string): void => {
    const next = new Set(hidden);
    if (!next.delete(source)) next.add(source);
    setHidden(next);
  };
  return (
    <section id="logs">
      <h2>Logs of the nodes</h2>
      <div class="filters">
        {sources.map((source) => (
          <label key={source}>
            <input type="checkbox" checked={!hidden.has(source)} onChange={() => toggle(source)} />{' '}
            {source}
          </label>
        ))}
        <label>
          Filter{' '}
          <input
            type="search"
            value={query}
            onInput={(event) => setQuery(event.currentTarget.value)}
          />
        </label>
      </div>
      <p class="muted small" aria-live="polite">
        {count(found.length)} lines in the window of the timeline
        {shown.length < found.length && `, the ${count(shown.length)} nearest to the violation`}.
        Times are the nodes’ own, on the clock of the run.
        {logsLeft > 0 && ` ${count(logsLeft)} lines are in the files of the run only.`}
      </p>
      {shown.length > 0 && <LogTable store={store} lines={shown} />}
    </section>
  );
}

function nearest(lines: readonly PageLogLine[], store: Store): readonly PageLogLine[] {
  if (lines.length <= SHOWN_MAX) return lines;
  const { violations } = store.data.header;
  const middle = violations[store.view.violation]?.to ?? lines[0]?.time ?? 0;
  const after = lines.findIndex(({ time }) => time >= middle);
  const centre = after < 0 ? lines.length : after;
  const first = Math.max(0, Math.min(centre - SHOWN_MAX / 2, lines.length - SHOWN_MAX));
  return lines.slice(first, first + SHOWN_MAX);
}

function LogTable({ store, lines }: { store: Store; lines: readonly PageLogLine[] }): VNode {
  const marks = store.data.header.violations[store.view.violation];
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div class="rows" tabIndex={0} role="region" aria-label="Lines of logs, scrolls">
      <table>
        <thead>
          <tr>
            <th scope="col" class="n">
              second
            </th>
            <th scope="col">node</th>
            <th scope="col">level</th>
            <th scope="col">text</th>
          </tr>
        </thead>
        <tbody>
          {lines.map(({ time, source, level, text }, at) => (
            <tr
              key={`${at} ${time}`}
              class={marks !== undefined && time >= marks.from && time <= marks.to ? 'marked' : ''}
              onPointerEnter={() => store.point(time)}
              onPointerLeave={() => store.point(-1)}
            >
              <td class="n">{seconds(time)}</td>
              <td>{source}</td>
              <td>{level}</td>
              <td class="mono">{text}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
