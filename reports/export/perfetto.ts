/**
 * A run as Chrome's trace events, which ui.perfetto.dev opens: a track for each client, one for each
 * node with its role, faults as slices that may overlap, counters of outcomes and latency.
 */
import type { JsonValue } from '../../harness/core/json.ts';
import type { History, Operation } from '../../harness/history/history.ts';
import { ClusterBuilder, leaderText } from '../cluster.ts';
import { FaultBuilder } from '../faults.ts';
import { SeriesBuilder } from '../series.ts';
import { clean, clipped, faultText, operationText, outcomeText } from '../words.ts';
import type { Exported } from './exported.ts';

/** One trace event; `ts` and `dur` are microseconds. */
type TraceEvent = { readonly [name: string]: JsonValue };

const CLIENTS = 1;
const FAULTS = 2;
const NODES = 3;
const COUNTERS = 4;
const GROUPS: readonly (readonly [pid: number, name: string])[] = [
  [CLIENTS, 'clients'],
  [FAULTS, 'faults'],
  [NODES, 'nodes'],
  [COUNTERS, 'counters'],
];

export function exportPerfetto(history: History): Exported {
  return { text: text(history), notes: [] };
}

function* text(history: History): Generator<string> {
  yield '{"displayTimeUnit":"ms","traceEvents":[\n';
  let separator = '';
  for (const event of events(history)) {
    yield separator + JSON.stringify(event);
    separator = ',\n';
  }
  yield '\n]}\n';
}

function* events(history: History): Generator<TraceEvent> {
  const endNanos = history.length === 0 ? 0 : history.time(history.length - 1);
  for (const [pid, name] of GROUPS) {
    yield { ph: 'M', name: 'process_name', pid, args: { name } };
    yield { ph: 'M', name: 'process_sort_index', pid, args: { sort_index: pid } };
  }
  yield* clientEvents(history, endNanos);
  yield* faultEvents(history, endNanos);
  yield* nodeEvents(history, endNanos);
  yield* counterEvents(history, endNanos);
}

/**
 * A process whose operation ended in the unknown is spent, and another goes on in its place; so the
 * track is that of the worker, and there are as many as were at work at once.
 */
function* clientEvents(history: History, endNanos: number): Generator<TraceEvent> {
  const tracks = new Map<number, number>();
  const freeAt: number[] = [];
  for (const operation of history.operations()) {
    const { invoke, completion } = operation;
    const process = invoke.process as number;
    let track = tracks.get(process);
    if (track === undefined) {
      const free = freeAt.findIndex((index) => index < invoke.index);
      track = free < 0 ? freeAt.length : free;
      tracks.set(process, track);
      if (track === freeAt.length) yield named('thread_name', CLIENTS, track, `client ${track}`);
    }
    const isSpent = completion === undefined || completion.type === 'info';
    const isOver = isSpent && completion !== undefined;
    freeAt[track] = isOver ? completion.index : Number.POSITIVE_INFINITY;
    yield operationEvent(operation, track, endNanos);
  }
}

function operationEvent(
  { invoke, completion }: Operation,
  tid: number,
  endNanos: number,
): TraceEvent {
  const outcome = outcomeText(completion?.type);
  return {
    ph: 'X',
    name: clipped(operationText(invoke, completion, true), 120),
    cat: `${clean(invoke.f)},${outcome}`,
    pid: CLIENTS,
    tid,
    ts: micros(invoke.time),
    dur: micros((completion?.time ?? endNanos) - invoke.time),
    ...(completion?.type !== 'ok' && { cname: completion?.type === 'fail' ? 'grey' : 'bad' }),
    args: {
      index: invoke.index,
      process: invoke.process,
      outcome,
      phase: invoke.phase,
      ...(invoke.key !== undefined && { key: clean(invoke.key) }),
      ...(invoke.node !== undefined && { node: invoke.node }),
      ...(invoke.mode !== undefined && { mode: invoke.mode }),
      ...(completion?.error !== undefined && {
        error: clipped(clean(`${completion.error.code} ${completion.error.message ?? ''}`), 200),
      }),
    },
  };
}

function* faultEvents(history: History, endNanos: number): Generator<TraceEvent> {
  const builder = new FaultBuilder();
  for (const op of history.faults()) builder.add(op);
  for (const [at, band] of builder.build().bands.entries()) {
    const common = {
      cat: clean(band.fault),
      name: clipped(faultText(band), 120),
      id: `fault-${at}`,
      pid: FAULTS,
      tid: 0,
    };
    const { result, evidence, targets } = band;
    yield {
      ...common,
      ph: 'b',
      ts: micros(band.beginNanos),
      args: { result, evidence, targets: targets.join(', '), lane: clean(band.lane) },
    };
    // One that never took effect has no end of its own: it would look as if it had lasted.
    const lasted = result === 'installed' ? endNanos : band.beginNanos;
    yield { ...common, ph: 'e', ts: micros(band.endNanos ?? lasted) };
  }
}

function* nodeEvents(history: History, endNanos: number): Generator<TraceEvent> {
  const builder = new ClusterBuilder();
  for (const op of history.observations()) if (op.f === 'roles') builder.add(op);
  const { lanes, changes } = builder.build(endNanos);
  for (const [tid, { node, spans }] of lanes.entries()) {
    yield named('thread_name', NODES, tid, node);
    for (const { role, term, startNanos, endNanos: end } of spans)
      yield {
        ph: 'X',
        name: term === undefined ? role : `${role} (term ${term})`,
        cat: role,
        pid: NODES,
        tid,
        ts: micros(startNanos),
        dur: micros(end - startNanos),
      };
  }
  for (const { timeNanos, leader, gapNanos } of changes)
    yield {
      ph: 'i',
      s: 'g',
      name: clean(`leader: ${leaderText(leader)}`),
      cat: 'leader',
      pid: NODES,
      tid: Math.max(
        0,
        lanes.findIndex(({ node }) => node === leader.node),
      ),
      ts: micros(timeNanos),
      args: { leaderless_ms: gapNanos / 1e6 },
    };
}

function* counterEvents(history: History, endNanos: number): Generator<TraceEvent> {
  const series = new SeriesBuilder(endNanos);
  for (const { invoke, completion } of history.operations())
    if (completion !== undefined && completion.type !== 'invoke')
      series.add(completion.type, completion.time, completion.time - invoke.time);
  for (const { startNanos, endNanos: end, ok, fail, info, p50, p99 } of series.build()) {
    const seconds = Math.max(1e-9, (end - startNanos) / 1e9);
    const common = { ph: 'C', pid: COUNTERS, tid: 0, ts: micros(startNanos) };
    const rate = (count: number): number => Math.round(count / seconds);
    yield {
      ...common,
      name: 'operations per second',
      args: { ok: rate(ok), failed: rate(fail), unknown: rate(info) },
    };
    if (p50 !== null && p99 !== null)
      yield { ...common, name: 'latency of ok (ms)', args: { p50: p50 / 1e6, p99: p99 / 1e6 } };
  }
}

function named(what: string, pid: number, tid: number, name: string): TraceEvent {
  return { ph: 'M', name: what, pid, tid, args: { name: clean(name) } };
}

function micros(nanos: number): number {
  return nanos / 1000;
}
