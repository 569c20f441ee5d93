/**
 * What Porcupine's visualiser draws: `render(data)` of the page that `porcupine.Visualize` writes.
 * Each key is one partition; faults and leaders are annotations. The page draws every operation as
 * boxes of their own, so that only those around a violation are given.
 */
import type { JsonValue } from '../../harness/core/json.ts';
import type { History, Operation } from '../../harness/history/history.ts';
import type { Op } from '../../harness/history/op.ts';
import type { Anomaly } from '../../harness/protocols/checker.ts';
import { ClusterBuilder, leaderText } from '../cluster.ts';
import { FaultBuilder } from '../faults.ts';
import {
  clean,
  clipped,
  countText,
  faultText,
  operationText,
  outcomeText,
  spanText,
} from '../words.ts';
import type { Exported } from './exported.ts';

export const SHOWN_MAX = 2000;

/** Moments lie so far apart that the page can move ends that touch. */
const STEP = 100;

interface Note {
  readonly tag: string;
  readonly startNanos: number;
  readonly endNanos: number;
  readonly text: string;
  readonly details: string;
}

/** `anomalies` say which operations matter; without any the history is shown from its beginning. */
export function exportPorcupine(
  history: History,
  anomalies: readonly Pick<Anomaly, 'key' | 'ops'>[],
): Exported {
  const { shown, of, around } = selected(history, anomalies);
  const said =
    shown.length === of
      ? `all ${countText(of)} operations`
      : `${countText(shown.length)} of ${countText(of)} operations: ${around}`;
  const notes = notesWithin(history, shown);
  const moments = new Moments(history, shown, notes);
  const partitions = [...Map.groupBy(shown, ({ invoke }) => invoke.key ?? '').values()];
  const data = {
    Partitions: partitions.map((operations) => ({
      History: operations.map((operation) => elementOf(operation, moments)),
      PartialLinearizations: [],
      Largest: {},
    })),
    Annotations: [
      annotation({ tag: 'schism', startNanos: 0, endNanos: 0, text: said, details: said }, 0, 0),
      ...notes.map((note) =>
        annotation(note, moments.at(note.startNanos), moments.at(note.endNanos)),
      ),
    ],
  };
  // The page holds it in a script element.
  return { text: [`${JSON.stringify(data).replaceAll('<', '\\u003c')}\n`], notes: [said] };
}

interface Selection {
  readonly shown: readonly Operation[];
  readonly of: number;
  readonly around: string;
}

/** The operations of the violations, then their neighbours on the same keys, nearest first. */
function selected(history: History, anomalies: readonly Pick<Anomaly, 'key' | 'ops'>[]): Selection {
  const all = [...history.operations()];
  const [first] = anomalies;
  if (first === undefined)
    return { shown: all.slice(0, SHOWN_MAX), of: all.length, around: 'the first ones' };
  const own = new Set<number>();
  for (const { ops } of anomalies)
    for (const index of ops) if (index < history.length) own.add(index).add(history.pairOf(index));
  const focus = first.ops.at(-1) ?? 0;
  const isNear = ({ invoke }: Operation): boolean =>
    own.has(invoke.index) || (first.key ?? '') === '' || invoke.key === first.key;
  const rank = ({ invoke }: Operation): number =>
    own.has(invoke.index) ? -1 : Math.abs(invoke.index - focus);
  const shown = all
    .filter(isNear)
    .toSorted((a, b) => rank(a) - rank(b))
    .slice(0, SHOWN_MAX)
    .toSorted((a, b) => a.invoke.index - b.invoke.index);
  const key = (first.key ?? '') === '' ? '' : ` of key ${clean(first.key ?? '')}`;
  return { shown, of: all.length, around: `those${key} nearest to the first violation` };
}

/** Faults and leaders, as far as they lie within what is shown. */
function notesWithin(history: History, shown: readonly Operation[]): readonly Note[] {
  const [first, last] = [shown[0], shown.at(-1)];
  if (first === undefined || last === undefined) return [];
  const from = first.invoke.time;
  const to = (last.completion ?? last.invoke).time;
  const faults = new FaultBuilder();
  for (const op of history.faults()) faults.add(op);
  const cluster = new ClusterBuilder();
  for (const op of history.observations()) if (op.f === 'roles') cluster.add(op);
  const { changes } = cluster.build(to);
  const all: readonly Note[] = [
    ...faults.build().bands.map((band) => ({
      tag: `fault: ${clean(band.lane)}`,
      startNanos: band.beginNanos,
      endNanos: band.endNanos ?? (band.result === 'installed' ? to : band.beginNanos),
      text: clipped(faultText(band), 80),
      details: `${band.result}: ${band.evidence}`,
    })),
    ...changes.map(({ timeNanos, leader, gapNanos }, at) => ({
      tag: 'leader',
      startNanos: timeNanos,
      endNanos: changes[at + 1]?.timeNanos ?? to,
      text: clean(leaderText(leader)),
      details: `no leader was seen for ${spanText(gapNanos)} before`,
    })),
  ];
  return all.flatMap((note) => {
    const [startNanos, endNanos] = [Math.max(from, note.startNanos), Math.min(to, note.endNanos)];
    return endNanos < startNanos ? [] : [{ ...note, startNanos, endNanos }];
  });
}

/** Where on the axis: by the order of the history, since entries of one moment do have an order. */
class Moments {
  readonly #history: History;
  readonly #ranks: Map<number, number> = new Map();
  /** After everything: where operations stay open. */
  readonly end: number;

  constructor(history: History, shown: readonly Operation[], notes: readonly Note[]) {
    this.#history = history;
    const indices = new Set<number>();
    for (const { invoke, completion } of shown) {
      indices.add(invoke.index);
      if (completion !== undefined) indices.add(completion.index);
    }
    for (const { startNanos, endNanos } of notes)
      indices.add(this.#indexAt(startNanos)).add(this.#indexAt(endNanos));
    for (const index of [...indices].toSorted((a, b) => a - b))
      this.#ranks.set(index, this.#ranks.size * STEP);
    this.end = this.#ranks.size * STEP;
  }

  of(op: Op): number {
    return this.#ranks.get(op.index) ?? this.end;
  }

  at(timeNanos: number): number {
    return this.#ranks.get(this.#indexAt(timeNanos)) ?? this.end;
  }

  /** The first entry that is not earlier. */
  #indexAt(timeNanos: number): number {
    let [low, high] = [0, this.#history.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#history.time(middle) < timeNanos) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function elementOf({ invoke, completion }: Operation, moments: Moments): JsonValue {
  const isOpen = completion === undefined || completion.type === 'info';
  const outcome = outcomeText(completion?.type);
  const suffix = outcome === 'ok' ? '' : ` (${outcome})`;
  return {
    ClientId: invoke.process,
    Start: moments.of(invoke),
    OriginalStart: `${invoke.time}`,
    End: isOpen ? moments.end : moments.of(completion),
    OriginalEnd: completion === undefined ? 'never' : `${completion.time}`,
    Description: clipped(operationText(invoke, completion), 80) + suffix,
    Metadata: markup(`#${invoke.index} ${invoke.node ?? ''} ${invoke.mode ?? ''}`.trim()),
  };
}

function annotation({ tag, text, details }: Note, Start: number, End: number): JsonValue {
  return {
    ClientId: 0,
    Tag: tag,
    Start,
    End: Math.max(Start, End),
    Description: text,
    Details: markup(details),
    Annotation: true,
    TextColor: '',
    BackgroundColor: '',
  };
}

/** The page takes these texts for HTML. */
function markup(text: string): string {
  return clean(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
