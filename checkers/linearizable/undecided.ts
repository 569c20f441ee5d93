import { unreachable } from '../../harness/core/invariant.ts';
import { secondsText } from '../../harness/core/units.ts';
import type { History } from '../../harness/history/history.ts';
import type { CheckLimits } from '../../harness/protocols/checker.ts';
import { counted, listed } from '../text.ts';
import type { KeyJudgement } from './judgement.ts';
import type { UnknownReason } from './wgl.ts';

const TOLD_MAX = 3;

/** Why some keys are undecided, how far each was decided, what makes it hard and what helps. */
export function undecidedText(
  history: History,
  judgements: readonly KeyJudgement[],
  limits: CheckLimits,
): string {
  const undecided = judgements.filter(({ result }) => result === 'unknown');
  const names = undecided.map(({ key }) => key);
  const decided = judgements.length - undecided.length;
  const reasons = new Set(undecided.map(({ reason }) => reason ?? 'time'));
  const why = [...reasons].map((reason) => whyText(reason, undecided, limits)).join(' and ');
  return [
    `The checker stopped ${why} on ${counted(names.length, 'key')} (${listed(names)}) without`,
    'finding an order and without ruling one out. This is not evidence of a bug, and not a pass.',
    `${decided} of ${counted(judgements.length, 'key')} ${decided === 1 ? 'was' : 'were'} decided.`,
    ...undecided.slice(0, TOLD_MAX).map((judgement) => howFar(history, judgement)),
    'What helps: a longer check timeout on the same history; or fewer operations per key, and',
    'client timeouts longer than the faults, so that fewer outcomes stay unknown.',
  ].join(' ');
}

function whyText(
  reason: UnknownReason,
  undecided: readonly KeyJudgement[],
  limits: CheckLimits,
): string {
  const those = undecided.filter((one) => (one.reason ?? 'time') === reason);
  switch (reason) {
    case 'time':
      return `after ${limits.timeoutMs / 1000} s`;
    case 'memory':
      return `at ${Math.round(limits.memoryBytes / 2 ** 20)} MiB of memory`;
    case 'width':
      return `with more than ${most(those, ({ width }) => width)} operations in flight at once`;
    case 'states':
      return `at ${most(those, ({ states }) => states)} states of the model`;
    case 'steps':
      return `after ${most(those, ({ steps }) => steps)} steps`;
    default:
      return unreachable(reason);
  }
}

function most(judgements: readonly KeyJudgement[], of: (one: KeyJudgement) => number): string {
  return judgements.reduce((sum, one) => Math.max(sum, of(one)), 0).toLocaleString('en');
}

function howFar(history: History, judgement: KeyJudgement): string {
  const { key, decidedUpTo, operations, decided, doubts, configurations, width } = judgement;
  if (decidedUpTo < 0) return `${key} was not begun (${counted(operations, 'operation')}).`;
  const doubt =
    doubts === 0
      ? ''
      : `; by then ${counted(doubts, 'operation')} of unknown outcome may each have happened or not`;
  const effort =
    configurations === 0
      ? ''
      : `; it looked at ${configurations.toLocaleString('en')} configurations, with up to ` +
        `${counted(width, 'operation')} in flight at once`;
  return (
    `${key} was decided up to ${secondsText(history.time(decidedUpTo))} s ` +
    `(${decided} of ${operations} operations)${doubt}${effort}.`
  );
}
