import { secondsText } from '../../harness/core/units.ts';
import type { History } from '../../harness/history/history.ts';
import type { CheckContext } from '../../harness/protocols/checker.ts';
import type { KeyHistory } from '../key-history.ts';
import { counted, listed } from '../text.ts';
import type { KeyJudgement } from './judge.ts';

const TOLD_MAX = 3;

/** Why some keys are undecided, how far each was decided, what makes it hard and what helps. */
export function undecidedText(
  history: History,
  keys: readonly KeyHistory[],
  judgements: readonly KeyJudgement[],
  { limits }: CheckContext,
): string {
  const undecided = judgements.filter(({ result }) => result === 'unknown');
  const names = undecided.map(({ key }) => key);
  const decided = judgements.length - undecided.length;
  const memory = undecided.some(({ reason }) => reason === 'memory');
  const time = undecided.some(({ reason }) => reason !== 'memory');
  const why = [
    ...(time ? [`after ${limits.timeoutMs / 1000} s`] : []),
    ...(memory ? [`at ${Math.round(limits.memoryBytes / 2 ** 20)} MiB of memory`] : []),
  ].join(' and ');
  return [
    `The checker stopped ${why} on ${counted(names.length, 'key')} (${listed(names)}) without`,
    'finding an order and without ruling one out. This is not evidence of a bug, and not a pass.',
    `${decided} of ${counted(judgements.length, 'key')} ${decided === 1 ? 'was' : 'were'} decided.`,
    ...undecided.slice(0, TOLD_MAX).map((judgement) => howFar(history, keys, judgement)),
    'What helps: a longer check timeout on the same history; or fewer operations per key, and',
    'client timeouts longer than the faults, so that fewer outcomes stay unknown.',
  ].join(' ');
}

function howFar(
  history: History,
  keys: readonly KeyHistory[],
  { key, decidedUpTo, operations }: KeyJudgement,
): string {
  const ops = keys.find((one) => one.key === key)?.ops ?? [];
  const done = ops.filter(({ end }) => end < decidedUpTo).length;
  const open = ops.filter(
    ({ call, start }) => call.outcome === 'indefinite' && start < decidedUpTo,
  ).length;
  const doubt =
    open === 0
      ? ''
      : `; by then ${counted(open, 'operation')} of unknown outcome may each have happened or not`;
  return decidedUpTo < 0
    ? `${key} was not begun (${counted(operations, 'operation')}).`
    : `${key} was decided up to ${secondsText(history.time(decidedUpTo))} s ` +
        `(${done} of ${operations} operations)${doubt}.`;
}
