/** What the reader looks at: one state for the timeline, the plots, the logs and the table. */
import { useEffect, useState } from 'preact/hooks';
import type { RunData } from './decode.ts';
import { rowOfEntry } from './decode.ts';
import { type Lanes, lanesOf } from './lanes.ts';

/** Times are microseconds; -1 stands for "none" or "all". */
export interface View {
  /** The window of the timeline. */
  readonly from: number;
  readonly to: number;
  readonly key: string;
  readonly lane: number;
  /** Text that operations of the table contain. */
  readonly query: string;
  /** Row of the operation that is shown in full. */
  readonly row: number;
  readonly violation: number;
}

/** At the least; below it nothing more can be seen. */
const WINDOW_MIN = 20;
const AROUND = 2e6;
const FIRST_LOOK = 10e6;

/** Owns the view; whoever shows it listens. */
export class Store {
  readonly data: RunData;
  readonly lanes: Lanes;
  /** Rows of the operations of violations, by violation. */
  readonly violationRows: readonly (readonly number[])[];
  view: View;
  /** Where the pointer is on the time axis, in any of the plots; -1: nowhere. */
  cursor = -1;
  readonly #listeners = new Set<() => void>();
  readonly #cursorListeners = new Set<() => void>();

  constructor(data: RunData, view: Partial<View>) {
    this.data = data;
    this.lanes = lanesOf(data);
    this.violationRows = data.header.violations.map(({ entries }) =>
      entries.map((entry) => rowOfEntry(data.ops, entry)).filter((row) => row >= 0),
    );
    const violation = view.violation ?? (data.header.violations.length > 0 ? 0 : -1);
    const [from, to] = this.firstWindow(violation);
    this.view = { from, to, key: '', lane: -1, query: '', row: -1, ...view, violation };
    this.view = { ...this.view, ...this.#within(this.view) };
  }

  set(change: Partial<View>): void {
    const next = { ...this.view, ...change };
    this.view = { ...next, ...this.#within(next) };
    for (const listener of this.#listeners) listener();
  }

  point(time: number): void {
    if (time === this.cursor) return;
    this.cursor = time;
    for (const listener of this.#cursorListeners) listener();
  }

  /** Returns the way to stop listening. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  listenToCursor(listener: () => void): () => void {
    this.#cursorListeners.add(listener);
    return () => this.#cursorListeners.delete(listener);
  }

  /** Around the violation, from the fault it happened in; of a pass, around the first fault. */
  firstWindow(violation: number): readonly [number, number] {
    const { violations, bands, end } = this.data.header;
    const shown = violations[violation];
    const inEffect = bands.filter(({ result }) => result === 'installed');
    if (shown !== undefined) {
      const culprit = rowOfEntry(this.data.ops, shown.culprit);
      const at = culprit < 0 ? shown.to : (this.data.ops.start[culprit] as number);
      const starts = inEffect
        .filter(({ begun, to }) => begun <= at && to >= at)
        .map(({ begun }) => begun);
      const from = Math.min(at, ...starts.filter((start) => at - start < 10e6));
      return [Math.max(0, Math.min(from, at - AROUND) - 2e5), Math.min(end, at + AROUND)];
    }
    const [first] = inEffect;
    if (first === undefined) return [0, Math.min(end, FIRST_LOOK)];
    const from = Math.max(0, first.from - AROUND / 2);
    return [from, Math.min(end, Math.max(first.to + AROUND, from + FIRST_LOOK / 2))];
  }

  showViolation(at: number): void {
    const count = this.data.header.violations.length;
    if (count === 0) return;
    const violation = ((at % count) + count) % count;
    const [from, to] = this.firstWindow(violation);
    this.set({ violation, from, to, row: -1 });
  }

  /** Zooms by `factor` so that `time` stays where it is. */
  zoom(factor: number, time: number): void {
    const { from, to } = this.view;
    this.set({ from: time - (time - from) * factor, to: time + (to - time) * factor });
  }

  pan(by: number): void {
    const { from, to } = this.view;
    const { end } = this.data.header;
    const step = Math.min(Math.max(by, -from), end - to);
    this.set({ from: from + step, to: to + step });
  }

  /** Brings an operation into the window, and shows it in full. */
  showRow(row: number): void {
    const { ops } = this.data;
    const { from, to } = this.view;
    const [start, end] = [ops.start[row] as number, ops.end[row] as number];
    if (start >= from && end <= to) {
      this.set({ row });
      return;
    }
    const half = Math.max((to - from) / 2, (end - start) * 0.75);
    const middle = Math.min(start + half / 2, (start + end) / 2);
    this.set({ row, from: middle - half, to: middle + half });
  }

  #within({ from, to }: View): Pick<View, 'from' | 'to'> {
    const end = Math.max(this.data.header.end, WINDOW_MIN);
    const sane = Number.isFinite(from) && Number.isFinite(to) && to > from;
    if (!sane) return { from: 0, to: end };
    const width = Math.min(Math.max(to - from, WINDOW_MIN), end);
    const left = Math.min(Math.max(from, 0), end - width);
    return { from: left, to: left + width };
  }
}

/** The view, drawn anew when it changes. */
export function useView(store: Store): View {
  const [view, setView] = useState(store.view);
  useEffect(() => {
    setView(store.view);
    return store.listen(() => setView(store.view));
  }, [store]);
  return view;
}
