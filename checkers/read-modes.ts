import { type Clock, realClock } from '../harness/core/clock.ts';
import { type Nanos, nanos } from '../harness/core/units.ts';
import type { History } from '../harness/history/history.ts';
import type { ReadMode } from '../harness/history/op.ts';
import type { Anomaly, CheckContext, Checker, CheckResult } from '../harness/protocols/checker.ts';
import type { ReadModeRow, ReadModesDetails } from '../harness/protocols/details.ts';
import { modeOf } from './key-history.ts';
import { budgetOf } from './linearizable/checker.ts';
import { undecidedText } from './linearizable/undecided.ts';
import { register } from './models/register.ts';
import { judgeMode, type ModeJudgement } from './read-modes/mode.ts';
import { READ_MODES, removalsOf } from './removals.ts';
import { counted } from './text.ts';

export interface ReadModesOptions {
  /** Default: the real one. */
  readonly clock?: Clock;
}

/** Of the time limit, for finding out that a mode did better than it promised. */
const MEASURING_SHARE = 0.25;

/**
 * What each read mode promised, whether it kept it, how far behind its reads were, and the
 * strongest model that they kept in this run. Stale reads of a mode that may be stale are
 * measured; values that nobody stored, two values or two keys at one revision, and a client that
 * goes back in time at one node break every promise.
 */
export function readModes(options: ReadModesOptions = {}): Checker {
  return {
    name: 'read-modes',
    check: (history, ctx) => {
      const clock = options.clock ?? realClock();
      return Promise.resolve(resultOf(history, ctx, judgeModes(history, ctx, clock)));
    },
    removals: (history) =>
      removalsOf(history, { model: register, modes: READ_MODES, ends: true, others: false }),
  };
}

/** The modes that promise more come first: their verdict needs the time. */
function judgeModes(history: History, ctx: CheckContext, clock: Clock): ModeJudgement[] {
  const budget = budgetOf(clock, register, ctx);
  const isStrict = (mode: ReadMode): boolean => ctx.promises[mode] === 'linearizable';
  const modes = modesIn(history).toSorted((a, b) => Number(isStrict(b)) - Number(isStrict(a)));
  return modes.map((mode) => {
    const share = nanos(clock.now() + (budget.deadline - clock.now()) * MEASURING_SHARE);
    const deadline: Nanos = isStrict(mode) ? budget.deadline : share;
    return judgeMode(history, mode, ctx.promises[mode], { ...budget, deadline });
  });
}

/** Every mode that some read asked for, answered or not. */
function modesIn(history: History): ReadMode[] {
  const modes = new Set<ReadMode>();
  for (const { invoke } of history.operations()) if (invoke.f === 'read') modes.add(modeOf(invoke));
  return (['linearizable', 'serializable'] as const).filter((mode) => modes.has(mode));
}

function resultOf(
  history: History,
  ctx: CheckContext,
  modes: readonly ModeJudgement[],
): CheckResult {
  const rows = modes.map(({ row }) => row);
  const anomalies = withoutRepeats(modes.flatMap((mode) => mode.anomalies));
  const details: ReadModesDetails = { modes: rows };
  const base = {
    checker: 'read-modes',
    anomalies,
    covered: coveredText(rows),
    details: details as unknown as CheckResult['details'],
  };
  if (rows.some(({ result }) => result === 'broken')) return { ...base, verdict: 'invalid' };
  if (rows.length === 0)
    return { ...base, verdict: 'unknown', reason: 'There is nothing to judge: nothing was read.' };
  const reasons = modes
    .filter(({ row }) => row.result === 'unknown')
    .map(({ row, judgements }) =>
      row.reads === 0
        ? `No ${row.mode} read was answered, so its promise was not tested.`
        : undecidedText(history, judgements, ctx.limits),
    );
  return reasons.length === 0
    ? { ...base, verdict: 'valid' }
    : { ...base, verdict: 'unknown', reason: reasons.join(' ') };
}

/** The same contradiction among writes shows in every mode. */
function withoutRepeats(anomalies: readonly Anomaly[]): Anomaly[] {
  const byName = new Map(anomalies.map((one) => [`${one.kind} ${one.ops.join()}`, one]));
  return [...byName.values()];
}

function coveredText(rows: readonly ReadModeRow[]): string {
  if (rows.length === 0) return 'no read';
  return rows.map(({ mode, reads }) => counted(reads, `${mode} read`)).join(', ');
}
