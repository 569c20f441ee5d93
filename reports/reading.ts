import type { History } from '../harness/history/history.ts';
import type { Op } from '../harness/history/op.ts';
import type { FaultBand } from '../harness/protocols/details.ts';
import type { PhaseSpan, RunResult } from '../harness/protocols/run.ts';
import { ClusterBuilder, type ClusterView } from './cluster.ts';
import { evidenceOf } from './details.ts';
import { FaultBuilder, type MeasuredMatrix } from './faults.ts';
import { type Bucket, type Percentiles, percentiles, SeriesBuilder } from './series.ts';

/** All that reports draw and count, from one pass over a history. */
export interface Reading {
  /** The end of the time axis: the last entry, or the end of the last phase. */
  readonly endNanos: number;
  readonly buckets: readonly Bucket[];
  readonly cluster: ClusterView;
  readonly bands: readonly FaultBand[];
  readonly matrices: readonly MeasuredMatrix[];
  readonly phases: readonly PhaseSpan[];
  readonly functions: readonly FunctionRow[];
  /** Of all operations that ended ok. */
  readonly latency: Percentiles;
}

/** Operations of one function and read mode. */
export interface FunctionRow {
  readonly name: string;
  readonly ok: number;
  readonly fail: number;
  /** Completed with an unknown outcome, or never completed. */
  readonly info: number;
  readonly p50: number | null;
  readonly p99: number | null;
}

export function readRun(result: RunResult, history: History): Reading {
  const lastTime = history.length === 0 ? 0 : history.time(history.length - 1);
  const endNanos = Math.max(lastTime, ...result.phases.map((phase) => phase.endNanos));
  const series = new SeriesBuilder(endNanos);
  const cluster = new ClusterBuilder();
  const faults = new FaultBuilder();
  const functions = new FunctionCounts();
  for (const op of history.ops()) {
    if (op.process === 'observer') {
      if (op.f === 'roles') cluster.add(op);
    } else if (op.process === 'nemesis') {
      faults.add(op);
    } else {
      addClient(op, history, series, functions);
    }
  }
  const { bands, matrices } = faults.build();
  return {
    endNanos,
    buckets: series.build(),
    cluster: cluster.build(endNanos),
    bands: evidenceOf(result)?.events ?? bands,
    matrices,
    phases: result.phases,
    ...functions.build(),
  };
}

function addClient(
  op: Op,
  history: History,
  series: SeriesBuilder,
  functions: FunctionCounts,
): void {
  const pair = history.pairOf(op.index);
  if (op.type === 'invoke') {
    if (pair === -1) functions.add(op, 'info', undefined);
    return;
  }
  const invoke = pair === -1 ? op : history.op(pair);
  const latency = pair === -1 ? undefined : op.time - invoke.time;
  series.add(op.type, op.time, latency);
  functions.add(invoke, op.type, latency);
}

class FunctionCounts {
  readonly #rows = new Map<string, { ok: number; fail: number; info: number; spans: number[] }>();

  add(op: Op, type: 'ok' | 'fail' | 'info', latency: number | undefined): void {
    const name = op.mode === undefined ? op.f : `${op.f} (${op.mode})`;
    let row = this.#rows.get(name);
    if (row === undefined) {
      row = { ok: 0, fail: 0, info: 0, spans: [] };
      this.#rows.set(name, row);
    }
    row[type]++;
    if (type === 'ok' && latency !== undefined) row.spans.push(latency);
  }

  build(): Pick<Reading, 'functions' | 'latency'> {
    const all = [...this.#rows.values()].flatMap(({ spans }) => spans);
    const functions = [...this.#rows]
      .map(([name, { ok, fail, info, spans }]) => {
        const { p50, p99 } = percentiles(spans);
        return { name, ok, fail, info, p50, p99 };
      })
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
    return { functions, latency: percentiles(all) };
  }
}
