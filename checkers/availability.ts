import { msFromNanos, type NodeName } from '../harness/core/units.ts';
import type { History } from '../harness/history/history.ts';
import type { Phase } from '../harness/history/op.ts';
import type { CheckContext, Checker, CheckResult } from '../harness/protocols/checker.ts';
import type {
  AvailabilityDetails,
  AvailabilityWindow,
  FaultBand,
  RecoveryRow,
} from '../harness/protocols/details.ts';
import {
  type Answer,
  answersOf,
  firstSuccess,
  longestGap,
  phaseSpan,
  quantile,
  type Successes,
  successesOf,
} from './answers.ts';
import { faultBands } from './fault-bands.ts';
import { counted } from './text.ts';
import { isWithin, type Window, windowsOf } from './windows.ts';

/**
 * How well the store served, while which faults lasted, and how fast it came back. The main phase
 * is cut into windows at every begin and end of a fault. Only measures: it never accuses.
 *
 * A compare-and-set that was refused with the value it saw counts as served here: the store
 * answered. Latencies are those of served operations.
 */
export function availability(): Checker {
  return {
    name: 'availability',
    check: (history, ctx) => Promise.resolve(resultOf(history, ctx)),
  };
}

function resultOf(history: History, ctx: CheckContext): CheckResult {
  const answers = answersOf(history);
  const successes = successesOf(answers);
  const main = phaseSpan(history, 'main');
  const bands = faultBands(history)
    .map(({ band }) => band)
    .filter(({ result }) => result === 'installed');
  const windows =
    main === undefined
      ? []
      : windowsOf(main, bands).map((window) => windowOf(window, answers, successes()));
  const details: AvailabilityDetails = {
    windows,
    longestGapMs: main === undefined ? 0 : longestGap(successes(), main),
    recovery: bands.flatMap((band) => recoveryOf(band, successes)),
    // An interrupted run has no recovery that could be measured.
    nodes: hasPhase(history, 'recover') ? nodesOf(history, ctx, successes) : [],
  };
  const asked = windows.reduce((sum, { ok, fail, info }) => sum + ok + fail + info, 0);
  const served = windows.reduce((sum, { ok }) => sum + ok, 0);
  const base = {
    checker: 'availability',
    anomalies: [],
    details: details as unknown as CheckResult['details'],
  };
  if (asked === 0) {
    const reason = 'No operation was invoked in the main phase, so there is nothing to measure.';
    return { ...base, verdict: 'unknown', covered: 'no operation', reason };
  }
  const covered =
    `${percent(served, asked)} of ${asked} operations served in ${counted(windows.length, 'window')}, ` +
    `longest gap ${Math.round(details.longestGapMs)} ms`;
  return { ...base, verdict: 'valid', covered };
}

function percent(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(2)} %`;
}

function windowOf(
  window: Window,
  answers: readonly Answer[],
  successes: Successes,
): AvailabilityWindow {
  const { startNanos, endNanos, active } = window;
  const invoked = answers.filter(
    ({ startNanos: at, phase }) => phase === 'main' && isWithin(at, window),
  );
  const count = (type: Answer['type']): number =>
    invoked.filter((answer) => answer.type === type).length;
  const latencies = invoked
    .filter(({ type }) => type === 'ok')
    .map((answer) => msFromNanos(answer.endNanos - answer.startNanos))
    .toSorted((a, b) => a - b);
  const ok = count('ok');
  return {
    label: active.length === 0 ? 'no fault' : active.map(labelOf).join(' + '),
    faults: [...new Set(active.map(({ fault }) => fault))],
    startNanos,
    endNanos,
    ok,
    fail: count('fail'),
    info: count('info'),
    rate: invoked.length === 0 ? null : ok / invoked.length,
    longestGapMs: longestGap(successes, window),
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
  };
}

function labelOf({ fault, text }: FaultBand): string {
  return text.startsWith(fault) ? text : `${fault}: ${text}`;
}

/** From the end of a fault to the first success at each node that it hit: the slowest of them. */
function recoveryOf(band: FaultBand, successes: (node?: NodeName) => Successes): RecoveryRow[] {
  const { fault, text, endNanos, targets } = band;
  if (endNanos === undefined) return [];
  const first = (targets.length === 0 ? [undefined] : targets).map((node) =>
    firstSuccess(successes(node), endNanos),
  );
  const worst = first.reduce<number | null>(
    (slowest, ms) => (slowest === null || ms === null ? null : Math.max(slowest, ms)),
    0,
  );
  return [{ fault, text, endNanos, firstOkMs: worst }];
}

/** First success of each node after everything was undone. */
function hasPhase(history: History, phase: Phase): boolean {
  for (const { invoke } of history.operations()) if (invoke.phase === phase) return true;
  return false;
}

function nodesOf(
  history: History,
  { nodes }: CheckContext,
  successes: (node?: NodeName) => Successes,
): AvailabilityDetails['nodes'] {
  const healed = phaseSpan(history, 'heal') ?? phaseSpan(history, 'main');
  return nodes.map((node) => ({
    node,
    firstOkMs: healed === undefined ? null : firstSuccess(successes(node), healed.endNanos),
  }));
}
