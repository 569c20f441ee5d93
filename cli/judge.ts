import { extname } from 'node:path';
import { startingAt } from '../checkers/check-history.ts';
import { checkAll } from '../checkers/compose.ts';
import { sometimes } from '../checkers/sometimes/sometimes.ts';
import { thresholds } from '../checkers/thresholds/thresholds.ts';
import type { Clock } from '../harness/core/clock.ts';
import { HarnessError, messageOf } from '../harness/core/errors.ts';
import { unreachable } from '../harness/core/invariant.ts';
import type { JsonValue } from '../harness/core/json.ts';
import { startWorker } from '../harness/core/worker.ts';
import type { History } from '../harness/history/history.ts';
import type { CheckContext, Checker, CheckResult } from '../harness/protocols/checker.ts';
import type { RunConfig } from '../harness/protocols/run.ts';
import type { TestRef } from '../harness/protocols/suite.ts';
import type { WorkloadOptions } from '../harness/protocols/workload.ts';
import { type CriterionName, findCriterion } from './criteria.ts';
import type { HistoryFormat } from './load-history.ts';
import { findModel } from './models.ts';
import type { OwnCode } from './modules.ts';
import { findWorkload, WORKLOADS } from './workloads.ts';

/** A checker ends by itself at its time limit; one that does not is ended so much later. */
const GRACE_MS = 20_000;

const CANCELLED = 'it was cancelled';

export interface JudgeTask {
  readonly historyPath: string;
  /** Default: ours. */
  readonly format?: HistoryFormat;
  /** Judged by this model alone, whatever checkers the workload has. */
  readonly model?: ModelChoice;
  readonly workload: string;
  readonly workloadOptions: WorkloadOptions;
  readonly thresholds?: RunConfig['thresholds'];
  readonly sometimes?: RunConfig['sometimes'];
  /** Absolute paths of the config and the test file that the worker loads, too. */
  readonly modules?: readonly string[];
  readonly test?: TestRef;
  /** Names of the checks that `test` adds. */
  readonly ownChecks?: readonly string[];
  readonly context: CheckContext;
  /** Names of the checkers still to run. */
  readonly checkers: readonly string[];
}

export interface ModelChoice {
  /** As `--model` says it. */
  readonly name: string;
  /** Default: the model's own. */
  readonly init?: JsonValue;
  /** As `--criterion` says it; default: linearizable. */
  readonly criterion?: CriterionName;
}

/** Workloads, and the checks of a test. */
interface JudgeCode extends Pick<OwnCode, 'checks'> {
  readonly catalogue: Pick<OwnCode['catalogue'], 'workloads'>;
}

const OURS: JudgeCode = { catalogue: { workloads: WORKLOADS }, checks: [] };

/** What a task needs beside what is ours; loads nothing where it needs nothing. */
export async function codeOf({
  modules = [],
  test,
}: Pick<JudgeTask, 'modules' | 'test'>): Promise<JudgeCode> {
  if (modules.length === 0) return OURS;
  const { loadModules } = await import('./modules.ts');
  return loadModules(modules, test);
}

/** What of a run's configuration says what judges it. */
export function judgedBy(
  { workload, workloadOptions, thresholds: asked, sometimes: reached, test, ownChecks }: RunConfig,
  modules: readonly string[] = [],
): Pick<
  JudgeTask,
  'workload' | 'workloadOptions' | 'thresholds' | 'sometimes' | 'modules' | 'test' | 'ownChecks'
> {
  return {
    workload,
    workloadOptions,
    modules,
    ...(asked !== undefined && { thresholds: asked }),
    ...(reached !== undefined && { sometimes: reached }),
    ...(test !== undefined && { test }),
    ...(ownChecks !== undefined && { ownChecks }),
  };
}

/**
 * What judges a history: the checkers of its workload and of its test, the thresholds, and what a run
 * should reach, unless a model was asked for.
 * A check of the test takes the place of one of the workload that has its name.
 */
export function checkersOf(
  {
    model,
    workload,
    workloadOptions,
    thresholds: asked = {},
    sometimes: reached = [],
    ownChecks = [],
  }: Omit<JudgeTask, 'historyPath' | 'context' | 'checkers'>,
  { catalogue, checks }: JudgeCode = OURS,
): readonly Checker[] {
  if (model !== undefined) {
    const { checker } = findCriterion(model.criterion ?? 'linearizable');
    return [checker(startingAt(findModel(model.name), model.init))];
  }
  const own = ownChecks.map((name) => checks.find((one) => one.name === name) ?? missing(name));
  const others = findWorkload(workload, catalogue).checkers(workloadOptions);
  const limits = Object.keys(asked).length === 0 ? [] : [thresholds(asked)];
  const kept = others.filter(({ name }) => !ownChecks.includes(name));
  return [...kept, ...own, sometimes(reached), ...limits];
}

/** Without the code that judged it, a run is neither right nor wrong. */
function missing(name: string): Checker {
  const reason = `the check is in the run's test file; give its config with --config`;
  return { name, check: () => Promise.resolve(undecided(name, reason)) };
}

export type JudgeMessage =
  | { readonly kind: 'start'; readonly checker: string }
  | { readonly kind: 'result'; readonly result: CheckResult }
  | { readonly kind: 'failed'; readonly message: string };

/**
 * Judges a stored history in a worker with bounded memory. A checker that crashes the worker or
 * outlives its time is `unknown`; those after it go on in a new worker. When the signal aborts, the
 * worker is ended in the middle of whatever it does, and what is left is `unknown`.
 */
export async function judge(
  task: Omit<JudgeTask, 'checkers'>,
  clock: Clock,
  signal?: AbortSignal,
): Promise<readonly CheckResult[]> {
  const code = await codeOf(task);
  const names = checkersOf(task, code).map(({ name }) => name);
  const results = new Map<string, CheckResult>();
  const isCancelled = (): boolean => signal?.aborted === true;
  for (;;) {
    const left = names.filter((name) => !results.has(name));
    if (left.length === 0) return names.map((name) => results.get(name) as CheckResult);
    if (isCancelled()) {
      for (const name of left) results.set(name, gaveUp(name, CANCELLED));
      continue;
    }
    const end = await runWorker({ ...task, checkers: left }, clock, results, signal);
    if (end === undefined) {
      // A worker that came to its end has judged everything, or it never will.
      for (const name of left)
        if (!results.has(name)) results.set(name, gaveUp(name, 'its worker gave no result'));
      continue;
    }
    if (end.checker === undefined) {
      if (isCancelled()) continue;
      throw new HarnessError('bad-input', `the history could not be judged: ${end.why}`);
    }
    results.set(end.checker, gaveUp(end.checker, end.why));
  }
}

/** Judges a history that could not be stored, in this thread. */
export async function judgeInMemory(
  history: History,
  task: Omit<JudgeTask, 'checkers' | 'historyPath'>,
): Promise<readonly CheckResult[]> {
  const code = await codeOf(task);
  return checkAll(checkersOf(task, code), history, task.context);
}

/** Undefined when the worker came to its end; else the checker that broke it, and how. */
async function runWorker(
  task: JudgeTask,
  clock: Clock,
  results: Map<string, CheckResult>,
  signal: AbortSignal | undefined,
): Promise<{ readonly checker: string | undefined; readonly why: string } | undefined> {
  const { timeoutMs, memoryBytes } = task.context.limits;
  const url = new URL(`./judge-worker${extname(import.meta.url)}`, import.meta.url);
  const worker = startWorker(url, {
    workerData: task,
    resourceLimits: { maxOldGenerationSizeMb: Math.ceil(memoryBytes / 2 ** 20) },
  });
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  let running: string | undefined;
  const late = (): void => {
    resolve(`it did not end within ${(timeoutMs + GRACE_MS) / 1000} s`);
  };
  let timer = clock.timer(timeoutMs + GRACE_MS, late);
  worker.on('message', (message: JudgeMessage) => {
    timer.cancel();
    switch (message.kind) {
      case 'start':
        running = message.checker;
        timer = clock.timer(timeoutMs + GRACE_MS, late);
        return;
      case 'result':
        results.set(message.result.checker, message.result);
        running = undefined;
        return;
      case 'failed':
        resolve(message.message);
        return;
      default:
        unreachable(message);
    }
  });
  worker.on('error', (error) => {
    resolve(messageOf(error));
  });
  worker.on('exit', () => {
    resolve(running === undefined ? undefined : 'its worker ended');
  });
  const cancel = (): void => {
    resolve(CANCELLED);
  };
  signal?.addEventListener('abort', cancel, { once: true });
  const why = await promise;
  signal?.removeEventListener('abort', cancel);
  timer.cancel();
  await worker.terminate();
  return why === undefined ? undefined : { checker: running, why };
}

function gaveUp(checker: string, why: string): CheckResult {
  return undecided(checker, why, 'nothing: the checker did not come to an end');
}

function undecided(
  checker: string,
  reason: string,
  covered = 'nothing: the checker is not here',
): CheckResult {
  return { checker, verdict: 'unknown', anomalies: [], covered, reason, details: {} };
}
