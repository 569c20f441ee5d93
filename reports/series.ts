import type { OutcomeCounts } from '../harness/protocols/details.ts';

/** One slice of time; operations count in the slice in which they were completed. */
export interface Bucket extends OutcomeCounts {
  readonly startNanos: number;
  readonly endNanos: number;
  /** Of operations that ended ok; null when there was none. */
  readonly p50: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

/** About this many points make a readable line over the width of a page. */
const BUCKETS = 240;
const BUCKET_NANOS_MIN = 100e6;

/** Counts completions and latencies by slices of `max(duration / 240, 100 ms)`. */
export class SeriesBuilder {
  readonly #widthNanos: number;
  readonly #endNanos: number;
  readonly #ok: Float64Array;
  readonly #fail: Float64Array;
  readonly #info: Float64Array;
  readonly #latencies: number[][];

  constructor(endNanos: number) {
    this.#endNanos = Math.max(endNanos, BUCKET_NANOS_MIN);
    this.#widthNanos = Math.max(this.#endNanos / BUCKETS, BUCKET_NANOS_MIN);
    // The rest of the last slice joins the one before it: a sliver would look like a drop.
    const count = Math.max(1, Math.floor(this.#endNanos / this.#widthNanos + 1e-9));
    this.#ok = new Float64Array(count);
    this.#fail = new Float64Array(count);
    this.#info = new Float64Array(count);
    this.#latencies = Array.from({ length: count }, () => []);
  }

  add(type: 'ok' | 'fail' | 'info', timeNanos: number, latencyNanos: number | undefined): void {
    const at = Math.min(this.#ok.length - 1, Math.floor(timeNanos / this.#widthNanos));
    const counts = type === 'ok' ? this.#ok : type === 'fail' ? this.#fail : this.#info;
    counts[at] = (counts[at] ?? 0) + 1;
    if (type === 'ok' && latencyNanos !== undefined) this.#latencies[at]?.push(latencyNanos);
  }

  build(): readonly Bucket[] {
    const last = this.#ok.length - 1;
    return Array.from(this.#ok, (ok, at) => ({
      startNanos: at * this.#widthNanos,
      endNanos: at === last ? this.#endNanos : (at + 1) * this.#widthNanos,
      ok,
      fail: this.#fail[at] ?? 0,
      info: this.#info[at] ?? 0,
      ...percentiles(this.#latencies[at] ?? []),
    }));
  }
}

export interface Percentiles {
  readonly p50: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

/** Nearest rank, of nanoseconds. Null where there is nothing to rank. */
export function percentiles(latencies: readonly number[]): Percentiles {
  if (latencies.length === 0) return { p50: null, p99: null, max: null };
  const sorted = Float64Array.from(latencies).toSorted();
  const rank = (share: number): number =>
    sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { p50: rank(0.5), p99: rank(0.99), max: rank(1) };
}
