import type { VNode } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { type Layout, layoutOf, scaleOf } from './layout.ts';
import { Minimap } from './minimap.tsx';
import { OperationCard } from './operation-card.tsx';
import { paintCursor, paintTimeline } from './paint.ts';
import { nextRow } from './paint-operations.ts';
import { type Hover, usePointer } from './pointer.ts';
import { type Store, useView } from './store.ts';
import { onTheme, palette } from './theme.ts';
import { count, seconds } from './words.ts';

/** Minimap, timeline and the operation that was picked. */
export function Timeline({ store, onPaint }: { store: Store; onPaint: () => void }): VNode {
  const view = useView(store);
  const layout = useMemo(() => layoutOf(store), [store]);
  const canvas = useRef<HTMLCanvasElement>(null);
  const overlay = useRef<HTMLCanvasElement>(null);
  const [seen, setSeen] = useState(0);
  const [hover, setHover] = useState<Hover | undefined>(undefined);
  usePainting(store, layout, { canvas, overlay, onSeen: setSeen, onPaint });
  useWheel(store, canvas);
  const { header, ops } = store.data;
  const label =
    `Timeline from ${seconds(view.from)} to ${seconds(view.to)} s: ${count(seen)} operations of ` +
    `${store.lanes.lanes.length} clients, ${header.bands.length} faults, ` +
    `roles of ${header.roles.length} nodes. Arrow keys move, plus and minus zoom; ` +
    'the table of operations below says the same in text.';
  const partial = header.rows < header.operations;
  return (
    <figure class="timeline">
      <figcaption>
        <strong>Timeline</strong> <Keys store={store} />
      </figcaption>
      <Minimap store={store} />
      <div class="stage">
        {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
        <canvas
          ref={canvas}
          role="img"
          aria-label={label}
          tabIndex={0}
          onKeyDown={(event) => moveByKey(store, event)}
          {...usePointer(store, layout, setHover)}
        />
        <canvas ref={overlay} class="overlay" aria-hidden="true" />
        {hover !== undefined && <HoverCard store={store} hover={hover} />}
      </div>
      <p class="muted small">
        {count(seen)} of {count(ops.length)} operations in this window.
        {partial &&
          ` Drawn one by one: ${count(header.rows)} of ${count(header.operations)}, those around ` +
            'violations first; plots and counts are of all.'}
        {layout.hidden > 0 && ` ${count(layout.hidden)} more clients are in the table only.`}
      </p>
      {view.row >= 0 && <OperationCard store={store} row={view.row} />}
    </figure>
  );
}

function Keys({ store }: { store: Store }): VNode {
  const { bands, roles } = store.data.header;
  const cut = bands.some((band) => band.cut.length > 0);
  return (
    <>
      <span class="key">
        <i class="swatch ok" /> ok
      </span>
      <span class="key">
        <i class="swatch unknown" /> unknown
      </span>
      <span class="key">
        <i class="swatch failed" /> failed
      </span>
      {bands.length > 0 && (
        <span class="key">
          <i class="swatch fault" /> fault in effect
        </span>
      )}
      {roles.length > 0 && (
        <span class="key">
          <i class="swatch leader" /> says it leads
        </span>
      )}
      {roles.length > 0 && (
        <span class="key">
          <i class="swatch leader overtaken" /> … though another leads in a newer term
        </span>
      )}
      {roles.length > 0 && (
        <span class="key">
          <i class="swatch follower" /> follower
        </span>
      )}
      {roles.length > 0 && (
        <span class="key">
          <i class="swatch gone" /> no answer
        </span>
      )}
      {cut && (
        <span class="key">
          <i class="swatch cut" /> link cut
        </span>
      )}
    </>
  );
}

interface Canvases {
  readonly canvas: { readonly current: HTMLCanvasElement | null };
  readonly overlay: { readonly current: HTMLCanvasElement | null };
  readonly onSeen: (count: number) => void;
  readonly onPaint: () => void;
}

/** Paints at most once a frame: when the view, the size or the colours change. */
function usePainting(store: Store, layout: Layout, canvases: Canvases): void {
  useEffect(() => {
    const { canvas, overlay, onSeen, onPaint } = canvases;
    let colours = palette();
    const paint = atMostOnceAFrame(() => {
      if (canvas.current === null) return;
      onSeen(paintTimeline(canvas.current, { store, layout, colours }));
      onPaint();
      paintOverlay();
    });
    const paintOverlay = atMostOnceAFrame(() => {
      if (overlay.current !== null) paintCursor(overlay.current, { store, layout, colours });
    });
    const sizes = new ResizeObserver(paint);
    if (canvas.current !== null) sizes.observe(canvas.current);
    const stops = [
      store.listen(paint),
      store.listenToCursor(paintOverlay),
      onTheme(() => {
        colours = palette();
        paint();
      }),
      () => sizes.disconnect(),
    ];
    paint();
    return () => {
      for (const stop of stops) stop();
    };
  }, [store, layout]);
}

export function atMostOnceAFrame(act: () => void): () => void {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      act();
    });
  };
}

/** Zooms with the wheel while the canvas has the focus or Ctrl is held; else the page scrolls. */
function useWheel(store: Store, canvas: { readonly current: HTMLCanvasElement | null }): void {
  useEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    const turn = (event: WheelEvent): void => {
      const { from, to } = store.view;
      const scale = scaleOf(from, to, element.clientWidth);
      const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey;
      const zooming = event.ctrlKey || event.metaKey || document.activeElement === element;
      if (!sideways && !zooming) return;
      event.preventDefault();
      if (sideways) store.pan((event.deltaX || event.deltaY) * scale.step);
      else store.zoom(1.0025 ** event.deltaY, scale.time(event.offsetX));
    };
    element.addEventListener('wheel', turn, { passive: false });
    return () => element.removeEventListener('wheel', turn);
  }, [store]);
}

function moveByKey(store: Store, event: KeyboardEvent): void {
  const { from, to, row } = store.view;
  const step = (to - from) / 8;
  const act = {
    ArrowLeft: () => store.pan(-step),
    ArrowRight: () => store.pan(step),
    ArrowUp: () => store.zoom(0.7, (from + to) / 2),
    ArrowDown: () => store.zoom(1 / 0.7, (from + to) / 2),
    ',': () => row >= 0 && store.showRow(nextRow(store, row, -1)),
    '.': () => row >= 0 && store.showRow(nextRow(store, row, 1)),
  }[event.key];
  if (act === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  act();
}

function HoverCard({ hover }: { store: Store; hover: Hover }): VNode {
  const left = `clamp(0px, ${hover.x - 120}px, calc(100% - 390px))`;
  const style = { left, top: `${hover.y + 18}px` };
  return (
    <div class="hover" style={style} aria-hidden="true">
      {hover.lines.map((line) => (
        <div key={line}>{line}</div>
      ))}
    </div>
  );
}
