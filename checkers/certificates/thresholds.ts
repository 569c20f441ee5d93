/** A second opinion on figures: counted again, moment by moment, straight from the entries. */
import type { JsonValue } from '../../harness/core/json.ts';
import type { History } from '../../harness/history/history.ts';
import type { Anomaly } from '../../harness/protocols/checker.ts';
import { deedAt } from './deeds.ts';
import { stalenessAgain } from './staleness.ts';

/** What a certificate says was measured. */
export interface Figure {
  readonly name: string;
  readonly aggregate: string;
  readonly tags: Readonly<Record<string, JsonValue>>;
}

/** True, or what does not hold. */
export function recheckThreshold({ certificate }: Anomaly, history: History): true | string {
  const { name, aggregate, tags, comparison, limit, value } = certificate;
  if (typeof name !== 'string' || typeof aggregate !== 'string' || typeof limit !== 'number')
    return 'it names no figure';
  if (typeof tags !== 'object' || tags === null || Array.isArray(tags)) return 'it has no tags';
  if (typeof value !== 'number') return 'there is no second opinion on what was not seen to end';
  const again = figureAgain({ name, aggregate, tags: tags as Figure['tags'] }, history);
  if (again === 'too-many') return 'there is no second opinion on the staleness of so many reads';
  if (again === undefined) return 'there is nothing to measure';
  if (Math.abs(again - value) > 1e-9 * Math.abs(value)) return `it is ${again}`;
  const isBroken = typeof comparison === 'string' ? BROKEN[comparison] : undefined;
  return isBroken?.(value, limit) === true ? true : 'what was asked holds';
}

const BROKEN: Readonly<Record<string, (value: number, limit: number) => boolean>> = {
  '<': (value, limit) => value >= limit,
  '<=': (value, limit) => value > limit,
  '>': (value, limit) => value <= limit,
  '>=': (value, limit) => value < limit,
  '==': (value, limit) => value !== limit,
  '!=': (value, limit) => value === limit,
};

interface Row {
  readonly from: number;
  /** Infinity when it was never answered. */
  readonly to: number;
  readonly end: 'ok' | 'fail' | 'info';
  readonly f: string;
  readonly mode: string;
  readonly node: string | undefined;
  readonly phase: string;
}

interface Fault {
  readonly fault: string;
  readonly targets: readonly JsonValue[];
  readonly begin: number;
  readonly worked: boolean;
  end: number;
}

/** Undefined where there is nothing to measure, or no end of it is seen. */
export function figureAgain(
  { name, aggregate, tags }: Figure,
  history: History,
): number | 'too-many' | undefined {
  const faults = faultsIn(history).filter(({ fault }) => is(tags['fault'], fault));
  const worked = faults.filter((fault) => fault.worked);
  if (name === 'faults_effective')
    return aggregate === 'count' ? worked.length : ratio(worked.length, faults.length);
  const rows = rowsIn(history);
  if (name === 'recovery_ms') {
    const ended = worked.filter(({ end }) => end < Infinity);
    return aggregated(
      aggregate,
      ended.map((fault) => recovery(fault, rows)),
    );
  }
  const wanted = rows.filter(({ f, mode }) => is(tags['kind'], f) && is(tags['mode'], mode));
  const pieces = piecesOf(tags['window'], history, worked);
  const isIn = (phase: string, from: number): boolean =>
    tags['window'] === 'recover'
      ? phase === 'recover' || phase === 'final'
      : phase === 'main' && (tags['window'] === undefined || pieces.some(holding(from)));
  if (name === 'staleness_ms') {
    const modes = ['linearizable', 'serializable'].filter((mode) => is(tags['mode'], mode));
    const ages = modes.map((mode) =>
      stalenessAgain(history, mode, ({ phase, time }) => isIn(phase, time)),
    );
    const all = ages.flatMap((each) => each ?? []);
    return ages.includes(undefined) ? 'too-many' : aggregated(aggregate, all);
  }
  const inside = wanted.filter(({ phase, from }) => isIn(phase, from));
  const busy = wanted.some((row) =>
    pieces.some(({ from, to }) => row.from <= to && row.to >= from),
  );
  const served = wanted.filter(({ end }) => end === 'ok');
  const count = (end: Row['end']): number => inside.filter((row) => row.end === end).length;
  switch (name) {
    case 'availability':
      return ratio(count('ok'), inside.length);
    case 'ops_failed':
    case 'ops_unknown': {
      const found = count(name === 'ops_failed' ? 'fail' : 'info');
      if (inside.length === 0) return undefined;
      return aggregate === 'count' ? found : ratio(found, inside.length);
    }
    case 'latency_ms':
      return aggregated(
        aggregate,
        inside.filter(({ end }) => end === 'ok').map(({ from, to }) => (to - from) / 1e6),
      );
    case 'throughput': {
      const length = pieces.reduce((sum, { from, to }) => sum + to - from, 0);
      const within = served.filter((row) =>
        pieces.some(({ from, to }) => row.to >= from && row.to <= to),
      );
      return busy ? ratio(within.length, length / 1e9) : undefined;
    }
    case 'longest_gap_ms':
      return busy ? Math.max(...pieces.map((piece) => longest(piece, served))) : undefined;
    default:
      return undefined;
  }
}

function is(wanted: JsonValue | undefined, word: string): boolean {
  return wanted === undefined || wanted === word;
}

function ratio(part: number, whole: number): number | undefined {
  return whole === 0 ? undefined : part / whole;
}

function rowsIn(history: History): Row[] {
  const rows: Row[] = [];
  for (let index = 0; index < history.length; index++) {
    const deed = history.isClient(index) ? deedAt(history, index) : '';
    if (typeof deed === 'string') continue;
    const { invoke, completion, end } = deed;
    const isRead = invoke.f === 'read' || invoke.mode !== undefined;
    rows.push({
      from: invoke.time,
      to: completion?.time ?? Infinity,
      // Who was refused for what was there was served.
      end: end === 'ok' || end === 'refused' ? 'ok' : end === 'failed' ? 'fail' : 'info',
      f: invoke.f,
      mode: isRead ? (invoke.mode ?? 'linearizable') : '',
      node: invoke.node,
      phase: invoke.phase,
    });
  }
  return rows;
}

type Fields = Readonly<Record<string, JsonValue | undefined>>;

function faultsIn(history: History): Fault[] {
  const faults: (Fault & { lane: string; id: string; undone: boolean })[] = [];
  for (const { type, value, lane = '', id = '', time } of history.faults()) {
    if (type === 'invoke' || typeof value !== 'object' || value === null) continue;
    const { stage, fault, targets, evidence } = value as Fields;
    const result = ((evidence ?? {}) as Fields)['result'];
    if (typeof fault !== 'string' || !Array.isArray(targets)) continue;
    if (stage === 'begin') {
      const worked = result === 'installed';
      faults.push({ fault, targets, begin: time, worked, end: Infinity, lane, id, undone: false });
      continue;
    }
    const mine = faults.filter((one) => one.lane === lane && !one.undone);
    const named = mine.filter((one) => one.id === id);
    for (const one of named.length > 0 ? named : mine) {
      one.end = time;
      one.undone = result !== 'failed';
    }
  }
  return faults;
}

interface Piece {
  readonly from: number;
  readonly to: number;
  /** The last of the main phase holds its own end. */
  readonly closed: boolean;
}

function holding(moment: number): (piece: Piece) => boolean {
  return ({ from, to, closed }) => moment >= from && (moment < to || (closed && moment === to));
}

/** The times that belong to a window, joined where one follows another. */
function piecesOf(
  window: JsonValue | undefined,
  history: History,
  faults: readonly Fault[],
): readonly Piece[] {
  const phases = window === 'recover' ? ['recover', 'final'] : ['main'];
  const times = [...history.ops()].filter(({ phase }) => phases.includes(phase));
  const [from, to] = [times[0]?.time, times.at(-1)?.time];
  if (from === undefined || to === undefined) return [];
  if (window === undefined || window === 'recover') return [{ from, to, closed: true }];
  const moments = [from, to, ...faults.flatMap(({ begin, end }) => [begin, end])]
    .filter((moment) => moment >= from && moment <= to)
    .toSorted((a, b) => a - b);
  const pieces: Piece[] = [];
  for (const [at, start] of moments.entries()) {
    const end = moments[at + 1];
    if (end === undefined || end === start) continue;
    const now = faults.filter((fault) => fault.begin <= start && fault.end > start);
    const belongs =
      window === 'none'
        ? now.length === 0
        : now.some(({ fault }) => window === 'fault' || window === fault);
    if (!belongs) continue;
    const last = pieces.at(-1);
    const closed = end === to;
    if (last?.to === start) pieces.splice(-1, 1, { from: last.from, to: end, closed });
    else pieces.push({ from: start, to: end, closed });
  }
  return pieces;
}

function longest({ from, to }: Piece, served: readonly Row[]): number {
  const ends = served.map((row) => row.to).filter((end) => end >= from && end <= to);
  const all = [from, ...ends.toSorted((a, b) => a - b), to];
  return all.reduce((most, end, at) => Math.max(most, end - (all[at - 1] ?? end)), 0) / 1e6;
}

function recovery({ targets, end }: Fault, rows: readonly Row[]): number {
  const nodes = targets.length === 0 ? [undefined] : targets;
  const waits = nodes.map((node) => {
    const served = rows.filter(
      (row) => row.end === 'ok' && row.to >= end && (node === undefined || row.node === node),
    );
    return served.reduce((least, row) => Math.min(least, row.to), Infinity) - end;
  });
  return waits.reduce((most, wait) => Math.max(most, wait), 0) / 1e6;
}

/** Undefined for none, and for what is not seen to end. */
function aggregated(aggregate: string, samples: readonly number[]): number | undefined {
  const sorted = samples.toSorted((a, b) => a - b);
  const sum = sorted.reduce((total, one) => total + one, 0);
  const percentile = aggregate === 'med' ? 50 : Number(/^p\((.+)\)$/.exec(aggregate)?.[1]);
  // So many samples are no greater than it, in per cent.
  const reaching = sorted.find((_, at) => (100 * (at + 1)) / sorted.length >= percentile - 1e-9);
  const figure =
    aggregate === 'avg'
      ? sum / sorted.length
      : aggregate === 'min'
        ? sorted[0]
        : aggregate === 'max'
          ? sorted.at(-1)
          : reaching;
  return figure === Infinity || Number.isNaN(figure) ? undefined : figure;
}
