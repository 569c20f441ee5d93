/** What a metric came to in a history. */
import { msFromNanos, type NodeName } from '../../harness/core/units.ts';
import type { History } from '../../harness/history/history.ts';
import type { ReadMode } from '../../harness/history/op.ts';
import type { FaultBand } from '../../harness/protocols/details.ts';
import {
  type Answer,
  answersOf,
  firstFrom,
  firstSuccess,
  longestGap,
  phaseSpan,
  type Successes,
  successesOf,
} from '../answers.ts';
import { faultBands } from '../fault-bands.ts';
import { keyHistories, modeOf } from '../key-history.ts';
import { register } from '../models/register.ts';
import { staleReads } from '../read-modes/staleness.ts';
import { timelineOf } from '../read-modes/timeline.ts';
import { isWithin, type Span, windowsOf } from '../windows.ts';
import { aggregated, exactly, type Measured, type Range } from './aggregate.ts';
import type { Threshold } from './parse.ts';

/** What all metrics are measured from. */
export interface Material {
  readonly history: History;
  readonly answers: readonly Answer[];
  /** Of one node, or of all. */
  readonly successes: (node?: NodeName) => Successes;
  /** In the order in which they began, whether or not they took effect. */
  readonly faults: readonly FaultBand[];
  readonly main: Span | undefined;
}

export function materialOf(history: History): Material {
  const answers = answersOf(history);
  return {
    history,
    answers,
    successes: successesOf(answers),
    faults: faultBands(history).map(({ band }) => band),
    main: phaseSpan(history, 'main'),
  };
}

export function measure(threshold: Threshold, material: Material): Measured {
  switch (threshold.name) {
    case 'availability':
      return share(threshold, material, 'ok');
    case 'ops_failed':
      return share(threshold, material, 'fail');
    case 'ops_unknown':
      return share(threshold, material, 'info');
    case 'throughput':
      return throughput(threshold, material);
    case 'latency_ms':
      return latency(threshold, material);
    case 'longest_gap_ms':
      return gap(threshold, material);
    case 'recovery_ms':
      return recovery(threshold, material);
    case 'staleness_ms':
      return staleness(threshold, material);
    case 'faults_effective':
      return effective(threshold, material);
  }
}

interface Part {
  /** Spans in order, none touching the next. */
  readonly spans: readonly Span[];
  /** Whether an operation of this phase that was invoked then belongs to it. */
  readonly holds: (invoked: Pick<Answer, 'phase' | 'startNanos'>) => boolean;
}

/** The part of the run that a window names; a text where there was no such part. */
function partOf(window: string | undefined, { history, faults, main }: Material): Part | string {
  if (window === 'recover') return afterwards(history);
  if (main === undefined) return 'the run never came to its main phase';
  const isMain = ({ phase }: Pick<Answer, 'phase'>): boolean => phase === 'main';
  if (window === undefined) return { spans: [main], holds: isMain };
  const installed = faults.filter(({ result }) => result === 'installed');
  const chosen = windowsOf(main, installed).filter(({ active }) =>
    window === 'none'
      ? active.length === 0
      : active.some(({ fault }) => window === 'fault' || window === fault),
  );
  if (chosen.length === 0) {
    if (window === 'none') return 'faults lasted all through the main phase';
    return `no ${window === 'fault' ? 'fault' : window} took effect in the main phase`;
  }
  // Many operations are asked about in order, so that the next is mostly where the last one was.
  let near = chosen[0];
  const isInside = (nanos: number): boolean => {
    if (near !== undefined && isWithin(nanos, near)) return true;
    const found = chosen.find((each) => isWithin(nanos, each));
    near = found ?? near;
    return found !== undefined;
  };
  return { spans: merged(chosen), holds: (one) => isMain(one) && isInside(one.startNanos) };
}

/** What was asked after all faults were healed, until the end. */
function afterwards(history: History): Part | string {
  const spans = (['recover', 'final'] as const).flatMap((phase) => phaseSpan(history, phase) ?? []);
  if (spans.length === 0) return 'the run ended before its faults were healed';
  const startNanos = Math.min(...spans.map((span) => span.startNanos));
  const endNanos = Math.max(...spans.map((span) => span.endNanos));
  return {
    spans: [{ startNanos, endNanos }],
    holds: ({ phase }) => phase === 'recover' || phase === 'final',
  };
}

/** Where a second fault begins or ends within a first, the time goes on. */
function merged(spans: readonly Span[]): Span[] {
  const out: Span[] = [];
  for (const { startNanos, endNanos } of spans) {
    const last = out.at(-1);
    if (last?.endNanos === startNanos) out.splice(-1, 1, { ...last, endNanos });
    else out.push({ startNanos, endNanos });
  }
  return out;
}

/** The operations that the tags ask for, over the whole run. */
function asked({ kind, mode }: Threshold['tags'], { answers }: Material): readonly Answer[] {
  return answers.filter(
    (one) =>
      (kind === undefined || one.f === kind) &&
      (mode === undefined ||
        ((one.f === 'read' || one.mode !== undefined) && modeOfAnswer(one) === mode)),
  );
}

function modeOfAnswer({ mode }: Answer): ReadMode {
  return mode ?? 'linearizable';
}

/** Those of them that were invoked in the window; a text where there was none. */
function invokedIn({ tags }: Threshold, material: Material): readonly Answer[] | string {
  const part = partOf(tags.window, material);
  if (typeof part === 'string') return part;
  const found = asked(tags, material).filter(part.holds);
  return found.length > 0 ? found : noneInvoked(tags, material);
}

function noneInvoked({ kind, mode, window }: Threshold['tags'], { answers }: Material): string {
  const what = [mode, kind].filter((word) => word !== undefined);
  const there = [...new Set(answers.map(({ f }) => f))];
  const hint = kind === undefined || there.includes(kind) ? '' : `; there were ${there.join(', ')}`;
  const when = window === undefined ? 'in the main phase' : 'in that window';
  return `no ${[...what, 'operation'].join(' ')} was invoked ${when}${hint}`;
}

function share(threshold: Threshold, material: Material, type: Answer['type']): Measured {
  const found = invokedIn(threshold, material);
  if (typeof found === 'string') return { nothing: found };
  const count = found.filter((one) => one.type === type).length;
  return exactly(threshold.aggregate === 'count' ? count : count / found.length, found.length);
}

function latency(threshold: Threshold, material: Material): Measured {
  const found = invokedIn(threshold, material);
  if (typeof found === 'string') return { nothing: found };
  const served = found.filter(({ type }) => type === 'ok');
  return served.length === 0
    ? { nothing: `none of ${found.length} operations was served` }
    : aggregated(
        threshold.aggregate,
        served.map((one) => msFromNanos(one.endNanos - one.startNanos)),
      );
}

/** The window's spans, if anything that the tags ask for was under way in one of them. */
function busySpans(threshold: Threshold, material: Material): readonly Span[] | string {
  const { tags } = threshold;
  const part = partOf(tags.window, material);
  if (typeof part === 'string') return part;
  const found = asked(tags, material);
  const isBusy = part.spans.some((span) =>
    found.some((one) => one.startNanos <= span.endNanos && one.endNanos >= span.startNanos),
  );
  return isBusy ? part.spans : noneInvoked(tags, material);
}

function throughput(threshold: Threshold, material: Material): Measured {
  const spans = busySpans(threshold, material);
  if (typeof spans === 'string') return { nothing: spans };
  const length = spans.reduce((sum, span) => sum + span.endNanos - span.startNanos, 0);
  if (length === 0) return { nothing: 'that window had no length' };
  const successes = successesOf(asked(threshold.tags, material))();
  const served = spans.reduce((sum, { startNanos, endNanos }) => {
    // Times are whole, so that the next one begins behind all that are no later.
    const until = firstFrom(successes, endNanos + 1);
    return sum + until - firstFrom(successes, startNanos);
  }, 0);
  return exactly(served / (length / 1e9), served);
}

function gap(threshold: Threshold, material: Material): Measured {
  const spans = busySpans(threshold, material);
  if (typeof spans === 'string') return { nothing: spans };
  const successes = successesOf(asked(threshold.tags, material))();
  return exactly(Math.max(...spans.map((span) => longestGap(successes, span))), spans.length);
}

function recovery({ tags, aggregate }: Threshold, material: Material): Measured {
  const ended = material.faults.filter(
    ({ fault, result, endNanos }) =>
      result === 'installed' &&
      endNanos !== undefined &&
      (tags.fault === undefined || tags.fault === fault),
  );
  if (ended.length === 0)
    return { nothing: `no ${tags.fault ?? 'fault'} that took effect came to its end` };
  return aggregated(
    aggregate,
    ended.map((fault) => recoveryOf(fault, material)),
  );
}

/** To the first success at each node that the fault hit, the slowest of them. */
function recoveryOf({ targets, endNanos = 0 }: FaultBand, { answers, successes }: Material): Range {
  const ranges = (targets.length === 0 ? [undefined] : targets).map((node): Range => {
    const ms = firstSuccess(successes(node), endNanos);
    if (ms !== null) return { low: ms, high: ms };
    // No success is seen any more: it took longer than anybody asked.
    const tries = answers.filter(
      (one) => (node === undefined || one.node === node) && Number.isFinite(one.endNanos),
    );
    const last = tries.reduce((latest, one) => Math.max(latest, one.endNanos), endNanos);
    return { low: msFromNanos(last - endNanos), high: Infinity };
  });
  return {
    low: Math.max(...ranges.map(({ low }) => low)),
    high: Math.max(...ranges.map(({ high }) => high)),
  };
}

/** Of reads whose version is known; one that was up to date counts as 0. */
function staleness({ tags, aggregate }: Threshold, material: Material): Measured {
  const part = partOf(tags.window, material);
  if (typeof part === 'string') return { nothing: part };
  const reads = material.answers.filter(({ f }) => f === 'read');
  const modes = [...new Set(reads.map(modeOfAnswer))].filter(
    (mode) => tags.mode === undefined || tags.mode === mode,
  );
  const behind: number[] = [];
  for (const mode of modes)
    for (const key of keyHistories(material.history, register, [mode])) {
      const timeline = timelineOf(key);
      const stale = new Map(staleReads(timeline).map(({ read, nanos }) => [read, nanos]));
      for (const read of timeline.reads) {
        const { time: startNanos, phase } = read.invoke;
        const place = timeline.placeOf(read);
        if (modeOf(read.invoke) !== mode || !part.holds({ phase, startNanos })) continue;
        if (place !== undefined && place.high < Infinity)
          behind.push(msFromNanos(stale.get(read) ?? 0));
      }
    }
  if (behind.length > 0) return aggregated(aggregate, behind);
  return {
    nothing: `no ${tags.mode ?? ''} read returned a version whose place is known`.replace(
      '  ',
      ' ',
    ),
  };
}

function effective({ tags, aggregate }: Threshold, { faults }: Material): Measured {
  const begun = faults.filter(({ fault }) => tags.fault === undefined || tags.fault === fault);
  const count = begun.filter(({ result }) => result === 'installed').length;
  if (aggregate === 'count') return exactly(count, begun.length);
  return begun.length === 0
    ? { nothing: `no ${tags.fault ?? 'fault'} was tried` }
    : exactly(count / begun.length, begun.length);
}
