/** Plays a plan: which run comes when, when it ends, and what the runs of a test amount to. */
import type { Clock } from '../../harness/core/clock.ts';
import { EXIT, exitCodeOf, HarnessError, messageOf } from '../../harness/core/errors.ts';
import { Random, type Seed, seedFrom } from '../../harness/core/prng.ts';
import { msFromNanos } from '../../harness/core/units.ts';
import type { RunConfig } from '../../harness/protocols/run.ts';
import type { SuiteRun, SuiteTest } from '../../harness/protocols/suite.ts';
import { repeatOf } from './candidates.ts';
import { judgeExpected, judgeRuns, type MadeRuns, notRun } from './outcome.ts';
import type { PlannedTest, SuitePlan } from './plan.ts';

/** What executing needs of the world around it; tests bring their own. */
export interface SuiteHost {
  readonly clock: Clock;
  /** Makes one run. Throws what kept it from starting at all. */
  run(test: PlannedTest, config: RunConfig): Promise<SuiteRun>;
  /** Aborts on the first interrupt: what runs comes to its end by itself, and nothing else begins. */
  readonly interrupt: AbortSignal;
  readonly interruptedBy: () => 'SIGINT' | 'SIGTERM' | undefined;
  onTestStart(test: PlannedTest): void;
  onTestEnd(test: SuiteTest): void;
}

type Order = Pick<
  SuitePlan,
  'tests' | 'workers' | 'maxFailures' | 'infraRetries' | 'repeatForMs' | 'deadline'
>;

/**
 * Runs the tests, `workers` at a time, and returns one result for each, in the order of the plan:
 * those that did not come to their turn are `not-run`. Never throws for what a test did.
 */
export async function executePlan(plan: Order, host: SuiteHost): Promise<readonly SuiteTest[]> {
  const results: SuiteTest[] = [];
  const turns = turnsOf(plan, host.clock);
  const startMs = msFromNanos(host.clock.now());
  const late = (): string | undefined => {
    const { afterMs = Number.POSITIVE_INFINITY, why: said } = plan.deadline ?? {};
    return msFromNanos(host.clock.now()) - startMs >= afterMs ? said : undefined;
  };
  let failures = 0;
  const why = (): string | undefined => {
    if (host.interrupt.aborted) return `the suite was interrupted by ${host.interruptedBy()}`;
    if (plan.maxFailures === 0 || failures < plan.maxFailures) return late();
    const tests = failures === 1 ? 'one test' : `${failures} tests`;
    return `the suite ended after ${tests} that did not pass`;
  };
  const worker = async (): Promise<void> => {
    for (;;) {
      if (why() !== undefined) return;
      const turn = turns.next();
      if (turn.done === true) return;
      const [at, test] = turn.value;
      host.onTestStart(test);
      const result = await playTest(test, plan, host, late);
      results[at] = result;
      if (result.outcome !== 'pass' && result.exitCode !== EXIT.pass) failures++;
      host.onTestEnd(result);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, plan.workers) }, worker));
  const reason = why();
  if (reason === undefined) return results;
  // What a time asks for has no end of its own: then only what never had a turn was left out.
  const left = plan.tests.slice(results.length).map((test) => notRun(test, reason));
  return [...results, ...left];
}

/** Each test once; or all of them, round after round, until the time is over. */
function* turnsOf(
  { tests, repeatForMs }: Order,
  clock: Clock,
): Generator<readonly [at: number, test: PlannedTest], void, undefined> {
  if (repeatForMs === undefined) {
    yield* tests.entries();
    return;
  }
  const now = (): number => msFromNanos(clock.now());
  const endMs = now() + repeatForMs;
  for (let at = 0; tests.length > 0 && (at < tests.length || now() < endMs); at++) {
    const test = tests[at % tests.length];
    if (test !== undefined) yield [at, repeatOf(test, Math.floor(at / tests.length) + 1)];
  }
}

/** The configuration for the `nth` run of a test: the first is as planned. */
function seeded(config: RunConfig, nth: number): RunConfig {
  if (nth === 1) return config;
  const seed = Random.stream(config.seed as Seed, `within/${nth}`).int(0, 2 ** 32 - 1);
  return { ...config, seed: seedFrom(seed) };
}

async function playTest(
  test: PlannedTest,
  { infraRetries }: Order,
  host: SuiteHost,
  late: () => string | undefined,
): Promise<SuiteTest> {
  const { expects } = test;
  const made: SuiteRun[] = [];
  for (let nth = 1; nth <= (expects?.runs ?? 1); nth++) {
    const error = await makeRun(test, seeded(test.config, nth), { infraRetries, host, made });
    const by = host.interruptedBy();
    const so: MadeRuns = { runs: made, ...(error !== undefined && { error }), ...(by && { by }) };
    if (expects === undefined) return judgeRuns(test, so);
    const judged = judgeExpected(test, expects, so, nth);
    if (judged !== undefined) return judged;
    const why = late();
    if (why !== undefined)
      return { ...notRun(test, cutShort(why, nth, expects.runs)), runs: [...made] };
  }
  // The last of them was judged as the last.
  return notRun(test, 'it asks for no run');
}

/** Too few runs say nothing of a bug that is not seen in each. */
function cutShort(why: string, made: number, most: number): string {
  return `${why}, after ${made} of ${most} runs`;
}

/** One run, and others in its place while it ends as `error`. Returns what was thrown at last. */
async function makeRun(
  test: PlannedTest,
  config: RunConfig,
  {
    infraRetries,
    host,
    made,
  }: { readonly infraRetries: number; readonly host: SuiteHost; readonly made: SuiteRun[] },
): Promise<{ readonly message: string; readonly exitCode: number } | undefined> {
  for (let retries = 0; ; retries++) {
    const isLast = (): boolean => retries >= infraRetries || host.interrupt.aborted;
    try {
      const run = await host.run(test, config);
      made.push(run);
      if (run.verdict !== 'error' || isLast()) return undefined;
    } catch (error) {
      const exitCode = error instanceof HarnessError ? exitCodeOf(error.code) : EXIT.bug;
      // What we did wrong, and what somebody must change, is the same the next time.
      if (exitCode !== EXIT.infrastructure || isLast())
        return { message: messageOf(error), exitCode };
    }
  }
}
