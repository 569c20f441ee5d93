/** What the pointer does over the timeline. */
import { useRef } from 'preact/hooks';
import { keyOf, nodeOf, outcomeOf, textOf } from './decode.ts';
import { type Layout, LEFT, scaleOf } from './layout.ts';
import { rowAt } from './paint-operations.ts';
import type { Store } from './store.ts';
import { seconds, span } from './words.ts';

/** What is shown beside the pointer. */
export interface Hover {
  readonly x: number;
  readonly y: number;
  readonly lines: readonly string[];
}

type PointerHandlers = Record<
  'onPointerDown' | 'onPointerMove' | 'onPointerUp' | 'onPointerLeave',
  (event: PointerEvent) => void
>;

/** Dragging pans, pointing shows, a click picks. Two fingers scroll and zoom as the browser does. */
export function usePointer(
  store: Store,
  layout: Layout,
  setHover: (hover: Hover | undefined) => void,
): PointerHandlers {
  const handlers = useRef<PointerHandlers | undefined>(undefined);
  if (handlers.current !== undefined) return handlers.current;
  let grip: { readonly x: number; moved: boolean } | undefined;
  let last = 0;
  handlers.current = {
    onPointerDown: (event) => {
      if (event.button !== 0) return;
      grip = { x: event.offsetX, moved: false };
      last = event.offsetX;
      (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    },
    onPointerMove: (event) => {
      const canvas = event.currentTarget as HTMLCanvasElement;
      const scale = scaleOf(store.view.from, store.view.to, canvas.clientWidth);
      store.point(scale.time(Math.max(LEFT, event.offsetX)));
      if (grip === undefined) {
        setHover(hoverAt(store, layout, canvas.clientWidth, event));
        return;
      }
      if (Math.abs(event.offsetX - grip.x) > 3) grip.moved = true;
      if (grip.moved) store.pan((last - event.offsetX) * scale.step);
      last = event.offsetX;
      setHover(undefined);
    },
    onPointerUp: (event) => {
      const canvas = event.currentTarget as HTMLCanvasElement;
      if (grip?.moved === false) {
        const row = pointedRow(store, layout, canvas.clientWidth, event);
        store.set({ row: row === store.view.row ? -1 : row });
      }
      grip = undefined;
    },
    onPointerLeave: () => {
      setHover(undefined);
      store.point(-1);
    },
  };
  return handlers.current;
}

function pointedRow(store: Store, layout: Layout, width: number, event: PointerEvent): number {
  const placed = layout.rows.find(
    ({ y, height }) => event.offsetY >= y && event.offsetY < y + height,
  );
  if (placed?.kind !== 'lane' || event.offsetX < LEFT) return -1;
  const scale = scaleOf(store.view.from, store.view.to, width);
  return rowAt(store, placed.lane, scale.time(event.offsetX), 3 * scale.step);
}

function hoverAt(
  store: Store,
  layout: Layout,
  width: number,
  event: PointerEvent,
): Hover | undefined {
  const lines = hoverLines(store, layout, width, event);
  return lines.length === 0 ? undefined : { x: event.offsetX, y: event.offsetY, lines };
}

function hoverLines(
  store: Store,
  layout: Layout,
  width: number,
  event: PointerEvent,
): readonly string[] {
  const { data } = store;
  const row = pointedRow(store, layout, width, event);
  if (row >= 0) {
    const [start, end] = [data.ops.start[row] as number, data.ops.end[row] as number];
    const outcome = outcomeOf(data.ops, row);
    const key = keyOf(data, row);
    return [
      `${textOf(data, row)} · ${outcome}`,
      [`c${data.ops.client[row]}`, nodeOf(data, row), key]
        .filter((text) => text !== '')
        .join(' · '),
      outcome === 'open'
        ? `${seconds(start)} s, never completed`
        : `${seconds(start)} s, ${span(end - start)}`,
    ];
  }
  const placed = layout.rows.find(
    ({ y, height }) => event.offsetY >= y && event.offsetY < y + height,
  );
  const time = scaleOf(store.view.from, store.view.to, width).time(event.offsetX);
  if (placed?.kind === 'faults') {
    const band = placed.bands.find(({ from, to }) => from <= time && time <= to);
    if (band === undefined) return [];
    const until = band.ended ? `${seconds(band.to)} s` : 'the end';
    return [
      band.text,
      `begun ${seconds(band.begun)}, seen ${seconds(band.from)} to ${until}; ${band.result}`,
      band.evidence,
    ];
  }
  if (placed?.kind === 'rivals') {
    const found = placed.rivals.find(({ from, to }) => from <= time && time <= to);
    if (found === undefined) return [];
    return [found.text, `as observed, ${seconds(found.from)} to ${seconds(found.to)} s`];
  }
  if (placed?.kind !== 'node') return [];
  const own = data.header.roles[placed.at];
  const said = own?.spans.find(({ from, to }) => from <= time && time < to);
  if (said === undefined) return [];
  const term = said.term === null ? '' : `, term ${said.term}`;
  return [`${own?.node}: ${said.role}${term}`, `${seconds(said.from)} to ${seconds(said.to)} s`];
}
