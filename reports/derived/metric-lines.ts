import type { History } from '../../harness/history/history.ts';

const BUCKET_NANOS = 1e9;

/** One line of `metrics.jsonl`: one second of the run, or what was left of it. */
export interface MetricLine {
  /** Its beginning, in nanoseconds since the start of the run. */
  readonly t: number;
  readonly ms: number;
  /** By function: `read`, `write`, `cas`, ... Only those of which there was something. */
  readonly operations: Readonly<Record<string, OperationCounts>>;
}

export interface OperationCounts {
  /** Sent in this second. */
  readonly invoked: number;
  /** Completed in this second. */
  readonly ok: number;
  readonly fail: number;
  readonly info: number;
  /** Of those that ended ok; absent where none did. */
  readonly latencyMs?: {
    readonly p50: number;
    readonly p90: number;
    readonly p99: number;
    readonly max: number;
  };
}

interface Counts {
  invoked: number;
  ok: number;
  fail: number;
  info: number;
  readonly nanos: number[];
}

/** In order. A second in which nothing was sent or completed has no line. */
export function metricLines(history: History): MetricLine[] {
  const last = history.length === 0 ? 0 : history.time(history.length - 1);
  const buckets = new Map<number, Map<string, Counts>>();
  const countsAt = (time: number, f: string): Counts => {
    const second = Math.floor(time / BUCKET_NANOS);
    const bucket = buckets.get(second) ?? new Map<string, Counts>();
    const counts = bucket.get(f) ?? { invoked: 0, ok: 0, fail: 0, info: 0, nanos: [] };
    buckets.set(second, bucket);
    bucket.set(f, counts);
    return counts;
  };
  for (const { invoke, completion } of history.operations()) {
    countsAt(invoke.time, invoke.f).invoked++;
    if (completion === undefined || completion.type === 'invoke') continue;
    const counts = countsAt(completion.time, invoke.f);
    counts[completion.type]++;
    if (completion.type === 'ok') counts.nanos.push(completion.time - invoke.time);
  }
  const inOrder = [...buckets].toSorted(([a], [b]) => a - b);
  return inOrder.map(([second, bucket]) => {
    const t = second * BUCKET_NANOS;
    const named = [...bucket].toSorted(([a], [b]) => (a < b ? -1 : 1));
    const operations = named.map(([f, counts]) => [f, countsOf(counts)] as const);
    const ms = Math.min(BUCKET_NANOS, last - t) / 1e6;
    return { t, ms, operations: Object.fromEntries(operations) };
  });
}

function countsOf({ nanos, ...counts }: Counts): OperationCounts {
  if (nanos.length === 0) return counts;
  const sorted = nanos.toSorted((a, b) => a - b);
  // Nearest rank.
  const at = (p: number): number => (sorted[Math.ceil((p / 100) * sorted.length) - 1] ?? 0) / 1e6;
  return { ...counts, latencyMs: { p50: at(50), p90: at(90), p99: at(99), max: at(100) } };
}
