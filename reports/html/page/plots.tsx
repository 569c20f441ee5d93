import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { LEFT, RIGHT } from './layout.ts';
import { faultColour } from './paint.ts';
import type { Store } from './store.ts';
import { onTheme, type Palette, palette } from './theme.ts';
import { span } from './words.ts';

const HEIGHT = 170;

interface PlotKind {
  readonly title: string;
  readonly label: string;
  readonly series: (colours: Palette) => readonly uPlot.Series[];
  readonly data: (store: Store) => uPlot.AlignedData;
  readonly scale: uPlot.Scale;
  /** Which of the marks get a line and a figure. */
  readonly marked: (splits: number[]) => (number | null)[];
  readonly text: (mark: number) => string;
}

const KINDS: readonly PlotKind[] = [
  {
    title: 'Throughput',
    label: 'Operations completed a second, by outcome, over the whole run',
    series: (colours) => [
      line('ok', colours.ok, [], rateText),
      line('unknown', colours.info, [6, 3], rateText),
      line('failed', colours.fail, [2, 2], rateText),
    ],
    data: ratesOf,
    scale: { range: (_u, _min, max) => [0, Math.max(1, max) * 1.05] },
    marked: (splits) => splits,
    text: (rate) => `${rate}/s`,
  },
  {
    title: 'Latency',
    label: 'Latency of operations that ended ok, on a logarithmic scale, over the whole run',
    series: (colours) => [
      line('p50', colours.ok, [], spanText),
      line('p99', colours.fail, [6, 3], spanText),
      line('max', colours.max, [2, 2], spanText),
    ],
    data: latenciesOf,
    // uPlot declares a constant enum, of which nothing is left to name at run time.
    // oxlint-disable-next-line typescript/no-unsafe-enum-assignment
    scale: { distr: 3 },
    marked: (splits) => splits.map((time) => (Math.abs(Math.log10(time) % 1) < 1e-9 ? time : null)),
    text: span,
  },
];

function line(
  label: string,
  stroke: string,
  dash: number[],
  value: (value: number | null) => string,
): uPlot.Series {
  return {
    label,
    stroke,
    dash,
    width: 1.5,
    points: { show: false },
    spanGaps: false,
    value: (_u, at) => value(at),
  };
}

function rateText(rate: number | null): string {
  return rate === null || rate === undefined ? '–' : `${rate.toFixed(rate < 10 ? 1 : 0)}/s`;
}

function spanText(time: number | null): string {
  return time === null || time === undefined ? '–' : span(time);
}

/** A point in the middle of each slice of time. */
function middles({ data }: Store): number[] {
  const { start, end } = data.header.buckets;
  return start.map((from, at) => (from + (end[at] ?? from)) / 2);
}

function ratesOf(store: Store): uPlot.AlignedData {
  const { start, end, ok, unknown, failed } = store.data.header.buckets;
  const rate = (counts: readonly number[]): number[] =>
    counts.map((count, at) => count / (Math.max(1, (end[at] ?? 0) - (start[at] ?? 0)) / 1e6));
  return [middles(store), rate(ok), rate(unknown), rate(failed)];
}

function latenciesOf(store: Store): uPlot.AlignedData {
  const { p50, p99, max } = store.data.header.buckets;
  // A logarithmic scale has no room for less than a microsecond.
  const drawn = (times: readonly (number | null)[]): (number | null)[] =>
    times.map((time) => (time === null ? null : Math.max(1, time)));
  return [middles(store), drawn(p50), drawn(p99), drawn(max)];
}

/** Throughput and latency, under one crosshair with the timeline. */
export function Plots({ store }: { store: Store }): VNode {
  return (
    <>
      {KINDS.map((kind) => (
        <Plot key={kind.title} store={store} kind={kind} />
      ))}
    </>
  );
}

function Plot({ store, kind }: { store: Store; kind: PlotKind }): VNode {
  const holder = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = holder.current;
    if (element === null) return;
    let chart = chartIn(element, store, kind);
    const again = (): void => {
      chart.destroy();
      chart = chartIn(element, store, kind);
    };
    const sizes = new ResizeObserver(() => {
      if (element.clientWidth > 0) chart.setSize({ width: element.clientWidth, height: HEIGHT });
    });
    sizes.observe(element);
    const stops = [
      onTheme(again),
      store.listen(() => chart.redraw(false)),
      store.listenToCursor(() => follow(chart, store.cursor)),
      () => sizes.disconnect(),
    ];
    return () => {
      for (const stop of stops) stop();
      chart.destroy();
    };
  }, [store]);
  return (
    <figure>
      <figcaption>
        <strong>{kind.title}</strong> whole run; the frame is the window of the timeline, drag to
        choose another
      </figcaption>
      <div ref={holder} role="img" aria-label={kind.label} />
    </figure>
  );
}

function follow(chart: uPlot, time: number): void {
  const left = time < 0 ? -10 : chart.valToPos(time, 'x');
  if (Math.abs((chart.cursor.left ?? -10) - left) > 0.6) chart.setCursor({ left, top: -10 }, false);
}

function chartIn(element: HTMLElement, store: Store, kind: PlotKind): uPlot {
  const colours = palette();
  const axis = {
    stroke: colours.muted,
    grid: { stroke: colours.grid, width: 1 },
    ticks: { show: false },
  };
  const options: uPlot.Options = {
    width: Math.max(200, element.clientWidth),
    height: HEIGHT,
    padding: [8, RIGHT, 0, 0],
    scales: { x: { time: false, range: [0, Math.max(1, store.data.header.end)] }, y: kind.scale },
    axes: [
      { ...axis, values: (_u, splits) => splits.map((time) => `${time / 1e6} s`), size: 26 },
      {
        ...axis,
        size: LEFT,
        filter: (_u, splits) => kind.marked(splits),
        values: (_u, splits) => splits.map((mark) => (mark === null ? null : kind.text(mark))),
      },
    ],
    series: [
      { label: 'second', value: (_u, time) => (time === null ? '–' : (time / 1e6).toFixed(1)) },
      ...kind.series(colours),
    ],
    cursor: { y: false, drag: { x: true, y: false, setScale: false }, points: { show: false } },
    legend: { live: true },
    hooks: {
      drawClear: [(chart) => paintBehind(chart, store, colours)],
      draw: [(chart) => paintWindow(chart, store, colours)],
      setCursor: [
        (chart) => {
          // Only where the pointer is over this very plot; else it follows another.
          if (!chart.over.matches(':hover')) return;
          const left = chart.cursor.left ?? -1;
          store.point(left < 0 ? -1 : chart.posToVal(left, 'x'));
        },
      ],
      setSelect: [
        (chart) => {
          const { left, width } = chart.select;
          if (width < 3) return;
          store.set({ from: chart.posToVal(left, 'x'), to: chart.posToVal(left + width, 'x') });
          chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
    },
  };
  const chart = new uPlot(options, kind.data(store), element);
  chart.over.addEventListener('pointerleave', () => store.point(-1));
  return chart;
}

function paintBehind(chart: uPlot, store: Store, colours: Palette): void {
  const { ctx, bbox } = chart;
  ctx.save();
  for (const band of store.data.header.bands) {
    if (band.result !== 'installed') continue;
    const left = chart.valToPos(band.from, 'x', true);
    const right = chart.valToPos(band.to, 'x', true);
    ctx.globalAlpha = 0.16;
    ctx.fillStyle = faultColour(colours, band.colour);
    ctx.fillRect(left, bbox.top, Math.max(1, right - left), bbox.height);
  }
  ctx.restore();
}

function paintWindow(chart: uPlot, store: Store, colours: Palette): void {
  const { ctx, bbox } = chart;
  const { from, to } = store.view;
  ctx.save();
  ctx.fillStyle = colours.bad;
  ctx.globalAlpha = 0.6;
  for (const violation of store.data.header.violations)
    ctx.fillRect(chart.valToPos(violation.to, 'x', true), bbox.top, 1.5, bbox.height);
  const left = chart.valToPos(from, 'x', true);
  const right = chart.valToPos(to, 'x', true);
  ctx.globalAlpha = 1;
  ctx.setLineDash([]);
  ctx.strokeStyle = colours.fg;
  ctx.lineWidth = 1.5;
  ctx.strokeRect(left, bbox.top, Math.max(2, right - left), bbox.height);
  ctx.restore();
}
