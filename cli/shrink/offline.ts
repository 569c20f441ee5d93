/** From a history that a check refuses to the smallest part of it that the check still refuses. */
import { type Clock, realClock } from '../../harness/core/clock.ts';
import { HarnessError } from '../../harness/core/errors.ts';
import { NANOS_PER_MS, nanos } from '../../harness/core/units.ts';
import type { History } from '../../harness/history/history.ts';
import type {
  Anomaly,
  CheckContext,
  Checker,
  CheckResult,
} from '../../harness/protocols/checker.ts';
import { checkersOf, type JudgeTask, judge } from '../judge.ts';
import { loadModules } from '../modules.ts';
import { type SmallHistory, shrinkHistory } from './small-history.ts';

export interface Offline {
  readonly history: History;
  readonly task: Omit<JudgeTask, 'checkers'>;
  /** How it is called, for messages. */
  readonly ref: string;
  readonly timeoutMs: number;
  readonly clock?: Clock;
}

/** The violation that is made small, and what is left around it. */
export interface Shrunk {
  readonly checker: string;
  readonly target: Anomaly;
  readonly small: SmallHistory;
}

/**
 * Takes the first violation of the first check that allows removals. Throws `bad-input` where no check
 * finds one, and `nothing-selected` where those that do allow none.
 */
export async function shrinkOffline(offline: Offline): Promise<Shrunk> {
  const { history, task, ref, timeoutMs, clock = realClock() } = offline;
  const results = await judge(task, clock);
  const code = await loadModules(task.modules ?? [], task.test);
  const { checker, target } = targetOf(results, checkersOf(task, code), ref);
  const find = (one: History): Promise<Anomaly | undefined> =>
    sameIn(one, checker, target, task.context);
  const small = await shrinkHistory(history, {
    find,
    removals: (one) => checker.removals(one),
    clock,
    deadline: nanos(clock.now() + timeoutMs * NANOS_PER_MS),
  });
  if (small === undefined)
    throw new HarnessError(
      'bad-input',
      `${ref}: ${checker.name} found ${target.kind} once, and not again; give it more time with ` +
        '`schism check --check-timeout`',
    );
  return { checker: checker.name, target, small };
}

type Removing = Checker & Required<Pick<Checker, 'removals'>>;

function targetOf(
  results: readonly CheckResult[],
  checkers: readonly Checker[],
  ref: string,
): { readonly checker: Removing; readonly target: Anomaly } {
  const failed = results.filter(({ verdict }) => verdict === 'invalid');
  if (failed.length === 0)
    throw new HarnessError('bad-input', `${ref}: no check finds a violation, so nothing is shrunk`);
  for (const { checker: name, anomalies } of failed) {
    const checker = checkers.find((one) => one.name === name);
    const [target] = anomalies;
    if (target !== undefined && checker !== undefined && allowsRemovals(checker))
      return { checker, target };
  }
  const names = failed.map(({ checker }) => checker).join(', ');
  throw new HarnessError(
    'nothing-selected',
    `${ref}: ${names} found the violation, and there is no sound removal: it judges all that was ` +
      'recorded together, and a part of it proves nothing; `--run` shrinks what was done instead',
  );
}

function allowsRemovals(checker: Checker): checker is Removing {
  return checker.removals !== undefined;
}

/** The same kind of violation of the same key. */
async function sameIn(
  history: History,
  checker: Checker,
  { kind, key }: Anomaly,
  context: CheckContext,
): Promise<Anomaly | undefined> {
  const { anomalies } = await checker.check(history, context);
  return anomalies.find((one) => one.kind === kind && one.key === key);
}
