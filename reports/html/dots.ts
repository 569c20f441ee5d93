/** Plots of single operations: how stale reads were, and what became of writes. */
import type { History } from '../../harness/history/history.ts';
import type { ReadModeRow } from '../../harness/protocols/details.ts';
import type { RunResult } from '../../harness/protocols/run.ts';
import { readModesOf } from '../details.ts';
import { type Fate, type FatedWrite, fatesOf } from '../fates.ts';
import type { Reading } from '../reading.ts';
import { clean, counted, countText, msText, spanText } from '../words.ts';
import { keyEntry, niceStep, place, timeScale } from './axis.ts';
import { html, type Markup } from './markup.ts';
import { PLOT_BOTTOM, PLOT_HEIGHT, PLOT_TOP, plot } from './plots.ts';

/** Both, as far as the checks tell of them. */
export function dotPlots(result: RunResult, history: History, reading: Reading): Markup {
  return html`${staleness(result, history, reading)}${fates(result, history, reading)}`;
}

/** Reads of a mode that promised better stand out; each mode has a shape of its own. */
function staleness(result: RunResult, history: History, reading: Reading): Markup {
  const rows = (readModesOf(result)?.modes ?? []).filter(({ staleReads }) =>
    Array.isArray(staleReads),
  );
  const most = Math.max(0, ...rows.map(({ staleMsMax }) => staleMsMax));
  if (most === 0) return html``;
  const x = timeScale(reading.endNanos);
  const step = niceStep(most, 4);
  const top = step * Math.ceil((most / step) * (1 - 1e-9));
  const y = (ms: number): number => place(PLOT_BOTTOM - (ms / top) * PLOT_HEIGHT);
  const dots = rows.map((row) =>
    (row.staleReads ?? []).flatMap(([read, ms, versions]): Markup | readonly never[] => {
      if (!(read >= 0 && read < history.length)) return [];
      const title = `entry ${read}: ${msText(ms)} old, ${counted(versions, 'version')} behind`;
      return dot(row, x(history.time(read)), y(ms), title);
    }),
  );
  const all = rows.reduce((sum, { stale }) => sum + stale, 0);
  const shown = rows.reduce((sum, { staleReads = [] }) => sum + staleReads.length, 0);
  const rest = shown < all ? `; the ${countText(shown)} stalest of ${countText(all)}` : '';
  return html`${plot({
    reading,
    violations: [],
    title: `Staleness of reads over time${rest}`,
    label:
      `How old the value of each stale read was as it began: ${counted(all, 'stale read')}, ` +
      `the oldest ${msText(most)}.`,
    keys: rows.map((row) =>
      keyEntry(
        dot(row, 9, 6, ''),
        `${clean(row.mode)}: ${mayBeStale(row) ? 'may be stale' : 'must not be stale'}`,
      ),
    ),
    marks: Array.from({ length: Math.round(top / step) + 1 }, (_, at) => ({
      y: y(at * step),
      text: at === 0 ? '0' : spanText(at * step * 1e6),
    })),
    content: html`${dots}`,
  })}<p class="muted small">How long before a read began the value that it returned had been overwritten, as far as
acknowledged writes prove it.</p>`;
}

/** Nothing but a promise of linearizable reads is broken by a stale one. */
function mayBeStale({ promise }: ReadModeRow): boolean {
  return promise !== 'linearizable';
}

function dot(row: ReadModeRow, x: number, y: number, title: string): Markup {
  const name = mayBeStale(row) ? 'dot kept' : 'dot broken';
  const words = title !== '' && html`<title>${title}</title>`;
  return row.mode === 'linearizable'
    ? html`<circle class="${name}" cx="${x}" cy="${y}" r="2.5">${words}</circle>`
    : html`<rect class="${name}" x="${place(x - 2)}" y="${place(y - 2)}" width="4" height="4">${words}</rect>`;
}

const FATES: readonly Fate[] = ['lost', 'recovered', 'unknown', 'acknowledged'];
/** Dots of a row lie in so many lines, by client. */
const LINES = 8;

/** One row for each fate, so that no colour has to be told from another. */
function fates(result: RunResult, history: History, reading: Reading): Markup {
  const writes = fatesOf(result, history);
  if (writes.length === 0) return html``;
  const groups = Map.groupBy(writes, ({ fate }) => fate);
  const height = PLOT_HEIGHT / FATES.length;
  const counts = FATES.map((fate) => `${countText(groups.get(fate)?.length ?? 0)} ${fate}`);
  return html`${plot({
    reading,
    violations: [],
    title: 'What became of writes',
    label: `Writes by what became of them, at the time they were sent: ${counts.join(', ')}.`,
    keys: [html`<span>${counts.join(', ')}</span>`],
    marks: FATES.map((fate, at) => ({ y: PLOT_TOP + (at + 0.5) * height, text: SHORT[fate] })),
    content: html`${FATES.map((fate, at) => fateRow(groups.get(fate) ?? [], fate, PLOT_TOP + at * height, reading))}`,
  })}<p class="muted small">Lost: acknowledged, and gone as a check has proved; of each key the checks
name a few. Recovered: its client was not told that it happened, but somebody found its value. Writes that
failed are not here.</p>`;
}

const SHORT: Readonly<Record<Fate, string>> = {
  lost: '✗ lost',
  recovered: 'recovered',
  unknown: 'unknown',
  acknowledged: 'told ok',
};

/** Where two dots would lie on each other, one is enough. */
function fateRow(
  writes: readonly FatedWrite[],
  fate: Fate,
  top: number,
  { endNanos }: Reading,
): Markup {
  const x = timeScale(endNanos);
  const room = PLOT_HEIGHT / FATES.length - 8;
  const places = new Set(
    writes.map(
      ({ timeNanos, client }) =>
        `M${Math.round(x(timeNanos))} ${place(top + 4 + ((client % LINES) / (LINES - 1)) * room)}h.1`,
    ),
  );
  return html`<path class="fate ${fate}" d="${[...places].join('')}"/>`;
}
