import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { LEFT, RIGHT } from './layout.ts';
import { faultColour, fitted } from './paint.ts';
import type { Store } from './store.ts';
import { onTheme, type Palette, palette } from './theme.ts';

const HEIGHT = 46;

/** The whole run: how many operations completed, by outcome; drag to choose a window. */
export function Minimap({ store }: { store: Store }): VNode {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    let colours = palette();
    const paint = (): void => paintMinimap(element, store, colours);
    const sizes = new ResizeObserver(paint);
    sizes.observe(element);
    const stops = [
      store.listen(paint),
      onTheme(() => {
        colours = palette();
        paint();
      }),
      () => sizes.disconnect(),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }, [store]);
  const brush = useBrush(store);
  return (
    <canvas
      ref={canvas}
      class="minimap"
      role="img"
      aria-label="Operations over the whole run, with the window that the timeline shows"
      title="Drag to choose a window"
      {...brush}
    />
  );
}

function paintMinimap(canvas: HTMLCanvasElement, store: Store, colours: Palette): void {
  const context = fitted(canvas, HEIGHT);
  if (context === undefined) return;
  const { buckets, bands, end, violations } = store.data.header;
  const room = canvas.clientWidth - LEFT - RIGHT;
  const x = (time: number): number => LEFT + (time / Math.max(1, end)) * room;
  context.fillStyle = colours.muted;
  context.textAlign = 'right';
  context.fillText('all', LEFT - 8, HEIGHT / 2);
  for (const band of bands) {
    if (band.result !== 'installed') continue;
    context.globalAlpha = 0.28;
    context.fillStyle = faultColour(colours, band.colour);
    context.fillRect(x(band.from), 0, Math.max(1, x(band.to) - x(band.from)), HEIGHT);
  }
  context.globalAlpha = 1;
  const series = [
    [buckets.ok, colours.ok],
    [buckets.unknown, colours.info],
    [buckets.failed, colours.fail],
  ] as const;
  const rate = (at: number): number =>
    series.reduce((sum, [values]) => sum + (values[at] ?? 0), 0) / length(at);
  const length = (at: number): number =>
    Math.max(1, (buckets.end[at] ?? 0) - (buckets.start[at] ?? 0));
  const most = usualMost(buckets.start.map((_, at) => rate(at)));
  for (const [at, start] of buckets.start.entries()) {
    let y = HEIGHT - 1;
    const left = x(start);
    const width = Math.max(1, x(buckets.end[at] ?? 0) - left);
    for (const [values, colour] of series) {
      const height = ((values[at] ?? 0) / length(at) / most) * (HEIGHT - 6);
      context.fillStyle = colour;
      context.fillRect(left, y - height, width + 0.3, height);
      y -= height;
    }
  }
  context.fillStyle = colours.bad;
  for (const { to } of violations) context.fillRect(x(to) - 0.5, 0, 1.5, HEIGHT);
  const { from, to } = store.view;
  const [left, right] = [x(from), Math.max(x(from) + 3, x(to))];
  context.fillStyle = colours.bg;
  context.globalAlpha = 0.55;
  context.fillRect(LEFT, 0, Math.max(0, left - LEFT), HEIGHT);
  context.fillRect(right, 0, Math.max(0, canvas.clientWidth - RIGHT - right), HEIGHT);
  context.globalAlpha = 1;
  context.strokeStyle = colours.fg;
  context.lineWidth = 1.5;
  context.strokeRect(left, 0.75, right - left, HEIGHT - 1.5);
}

/** A short burst is cut off at the top, so that the rest of the run can be seen. */
function usualMost(rates: readonly number[]): number {
  const sorted = rates.toSorted((a, b) => a - b);
  const usual = sorted[Math.floor(sorted.length * 0.97)] ?? 0;
  return Math.max(Number.MIN_VALUE, Math.min(usual * 1.25, sorted.at(-1) ?? 0));
}

type Handlers = Record<
  'onPointerDown' | 'onPointerMove' | 'onPointerUp',
  (event: PointerEvent) => void
>;

/** A drag that begins within the window moves it; elsewhere it makes a new one; a click centres. */
function useBrush(store: Store): Handlers {
  const handlers = useRef<Handlers | undefined>(undefined);
  let drag:
    | { readonly start: number; readonly window: readonly [number, number] | undefined }
    | undefined;
  const timeOf = (event: PointerEvent): number => {
    const room = (event.currentTarget as HTMLElement).clientWidth - LEFT - RIGHT;
    const share = (event.offsetX - LEFT) / Math.max(1, room);
    return Math.min(1, Math.max(0, share)) * store.data.header.end;
  };
  handlers.current ??= {
    onPointerDown: (event) => {
      const { from, to } = store.view;
      const start = timeOf(event);
      drag = { start, window: start > from && start < to ? [from, to] : undefined };
      (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    },
    onPointerMove: (event) => {
      if (drag === undefined) return;
      const time = timeOf(event);
      const by = time - drag.start;
      if (drag.window !== undefined) {
        const [from, to] = drag.window;
        const step = Math.min(Math.max(by, -from), store.data.header.end - to);
        store.set({ from: from + step, to: to + step });
      } else if (Math.abs(by) > store.data.header.end / 500) {
        store.set({ from: Math.min(drag.start, time), to: Math.max(drag.start, time) });
      }
    },
    onPointerUp: (event) => {
      const time = timeOf(event);
      const isClick =
        drag !== undefined && Math.abs(time - drag.start) <= store.data.header.end / 500;
      if (isClick) {
        const half = (store.view.to - store.view.from) / 2;
        store.set({ from: time - half, to: time + half });
      }
      drag = undefined;
    },
  };
  return handlers.current;
}
