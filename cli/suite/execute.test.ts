import { describe, expect, test } from 'vitest';
import { realClock, sleep, VirtualClock } from '../../harness/core/clock.ts';
import { HarnessError } from '../../harness/core/errors.ts';
import type { RunConfig } from '../../harness/protocols/run.ts';
import type { Expectation, SuiteRun, SuiteTest } from '../../harness/protocols/suite.ts';
import { executePlan, type SuiteHost } from './execute.ts';
import type { PlannedTest } from './plan.ts';

const CODES = { pass: 0, fail: 1, unknown: 2, error: 3 } as const;
type Ended = keyof typeof CODES | HarnessError | Error;

function planned(id: string, expects?: Expectation): PlannedTest {
  const ref = { id, title: id };
  return {
    ref,
    // Nothing else of a configuration is looked at.
    config: { seed: 1, test: ref } as unknown as RunConfig,
    checks: [],
    ...(expects !== undefined && { expects }),
  };
}

interface Played {
  readonly results: readonly SuiteTest[];
  /** `id/seed` in the order in which they began. */
  readonly began: readonly string[];
}

interface Order {
  readonly workers?: number;
  readonly maxFailures?: number;
  readonly infraRetries?: number;
  readonly repeatForMs?: number;
  readonly deadline?: { readonly afterMs: number; readonly why: string };
  /** What a violation is of. */
  readonly kind?: string;
  /** Interrupts while the so-maniest run goes on. */
  readonly interruptAt?: number;
  readonly clock?: VirtualClock;
}

/** Plays tests whose runs end as they are told to, one after another; the last word goes on. */
async function play(
  tests: readonly PlannedTest[],
  ends: Readonly<Record<string, readonly Ended[]>>,
  order: Order = {},
): Promise<Played> {
  const began: string[] = [];
  const counts = new Map<string, number>();
  const controller = new AbortController();
  const clock = order.clock ?? realClock();
  const host: SuiteHost = {
    clock,
    interrupt: controller.signal,
    interruptedBy: () => (controller.signal.aborted ? 'SIGINT' : undefined),
    onTestStart: () => undefined,
    onTestEnd: () => undefined,
    run: async ({ ref }, config) => {
      began.push(`${ref.id}/${config.seed}`);
      const at = counts.get(ref.id) ?? 0;
      counts.set(ref.id, at + 1);
      if (began.length === order.interruptAt) controller.abort();
      if (order.clock !== undefined) await sleep(order.clock, 1000);
      const list = ends[ref.id] ?? ['pass'];
      const end = list[Math.min(at, list.length - 1)] ?? 'pass';
      if (end instanceof Error) throw end;
      return runOf(end, order.kind ?? 'stale-read', controller.signal.aborted);
    },
  };
  const { workers = 1, maxFailures = 0, infraRetries = 0, repeatForMs, deadline } = order;
  const plan = { tests, workers, maxFailures, infraRetries, ...(deadline && { deadline }) };
  const suite = executePlan(repeatForMs === undefined ? plan : { ...plan, repeatForMs }, host);
  return { results: await (order.clock?.run(suite) ?? suite), began };
}

function runOf(verdict: keyof typeof CODES, kind: string, interrupted: boolean): SuiteRun {
  const cut = interrupted && verdict !== 'fail' && verdict !== 'error';
  return {
    run: 'abcd',
    dir: '../../runs/20260101T000000Z-abcd',
    verdict,
    exitCode: cut ? 130 : CODES[verdict],
    reasons: [...(cut ? ['interrupted by SIGINT'] : []), ...(verdict === 'pass' ? [] : ['why'])],
    counts: { ok: 1, fail: 0, info: 0, open: 0 },
    wallMs: 1,
    faults: [],
    anomalies: verdict === 'fail' ? [kind] : [],
    checks: [],
  };
}

const outcomes = ({ results }: Played): string[] => results.map(({ outcome }) => outcome);

describe('tests', () => {
  test('each runs once, in the order of the plan, with the verdict of its run', async () => {
    const played = await play(
      ['a', 'b', 'c'].map((id) => planned(id)),
      { b: ['fail'] },
    );
    expect(played.began).toEqual(['a/1', 'b/1', 'c/1']);
    expect(outcomes(played)).toEqual(['pass', 'fail', 'pass']);
    expect(played.results[1]).toMatchObject({
      exitCode: 1,
      reason: 'why',
      runs: [{ exitCode: 1 }],
    });
  });

  test('several at a time give their results in the order of the plan', async () => {
    const clock = new VirtualClock();
    const ids = ['a', 'b', 'c', 'd', 'e'];
    const all = ids.map((id) => planned(id));
    const played = await play(all, { d: ['unknown'] }, { workers: 3, clock });
    expect(played.results.map(({ test: { id } }) => id)).toEqual(ids);
    expect(outcomes(played)).toEqual(['pass', 'pass', 'pass', 'unknown', 'pass']);
    // Five seconds of work, three at a time.
    expect(clock.now()).toBe(2_000_000_000);
  });

  test('what cannot start is an error of that test, and the suite goes on', async () => {
    const missing = new HarnessError('binary-missing', 'there is no etcd');
    const played = await play([planned('a'), planned('b')], { a: [missing] });
    expect(played.results[0]).toMatchObject({
      outcome: 'error',
      exitCode: 3,
      reason: 'there is no etcd',
      runs: [],
    });
    expect(outcomes(played)).toEqual(['error', 'pass']);
  });

  test('our own bug is named as one, and not tried again', async () => {
    const played = await play([planned('a')], { a: [new TypeError('oops')] }, { infraRetries: 3 });
    expect(played.results[0]).toMatchObject({ outcome: 'error', exitCode: 255 });
    expect(played.began).toHaveLength(1);
  });
});

describe('retries', () => {
  test('an error is tried again with the same seed, and every run is kept', async () => {
    const played = await play(
      [planned('a')],
      { a: ['error', 'error', 'pass'] },
      { infraRetries: 2 },
    );
    expect(played.began).toEqual(['a/1', 'a/1', 'a/1']);
    expect(played.results[0]?.runs.map(({ verdict }) => verdict)).toEqual([
      'error',
      'error',
      'pass',
    ]);
    expect(outcomes(played)).toEqual(['pass']);
  });

  test('no other verdict is ever tried again', async () => {
    const tests = [planned('a'), planned('b')];
    const played = await play(
      tests,
      { a: ['fail', 'pass'], b: ['unknown', 'pass'] },
      { infraRetries: 2 },
    );
    expect(played.began).toEqual(['a/1', 'b/1']);
    expect(outcomes(played)).toEqual(['fail', 'unknown']);
  });

  test('what cannot start is tried again, too', async () => {
    const busy = new HarnessError('port-in-use', 'taken');
    const played = await play([planned('a')], { a: [busy, 'pass'] }, { infraRetries: 1 });
    expect(outcomes(played)).toEqual(['pass']);
    expect(played.results[0]?.runs).toHaveLength(1);
  });
});

describe('an end before the end', () => {
  test('after so many failures the rest is not run, and says why', async () => {
    const tests = ['a', 'b', 'c', 'd'].map((id) => planned(id));
    const played = await play(tests, { b: ['fail'] }, { maxFailures: 1 });
    expect(outcomes(played)).toEqual(['pass', 'fail', 'not-run', 'not-run']);
    expect(played.results[3]).toMatchObject({ exitCode: 0, runs: [] });
    expect(played.results[3]?.reason).toMatch('after one test that did not pass');
  });

  test('an interrupt lets the running test end, and nothing else begins', async () => {
    const tests = ['a', 'b', 'c'].map((id) => planned(id));
    const played = await play(tests, {}, { interruptAt: 2 });
    expect(outcomes(played)).toEqual(['pass', 'unknown', 'not-run']);
    expect(played.results[1]).toMatchObject({ exitCode: 130, reason: 'interrupted by SIGINT' });
    expect(played.results[2]?.reason).toMatch('interrupted by SIGINT');
  });

  test('an interrupt hides no violation', async () => {
    const played = await play([planned('a'), planned('b')], { a: ['fail'] }, { interruptAt: 1 });
    expect(played.results[0]).toMatchObject({ outcome: 'fail', exitCode: 1 });
  });

  test('an interrupted error is not tried again', async () => {
    const played = await play(
      [planned('a')],
      { a: ['error'] },
      { interruptAt: 1, infraRetries: 5 },
    );
    expect(played.began).toHaveLength(1);
  });
});

describe('an expected violation', () => {
  const asked = { anomaly: 'stale-read', runs: 4 };

  test('ends at the first run that shows it, each with a seed of its own', async () => {
    const played = await play([planned('a', asked)], { a: ['pass', 'unknown', 'fail', 'pass'] });
    expect(played.results[0]).toMatchObject({ outcome: 'pass', exitCode: 0, expects: asked });
    expect(played.results[0]?.reason).toBe('expected stale-read; found stale-read in run 3 of 4');
    expect(new Set(played.began).size).toBe(3);
    expect(await play([planned('a', asked)], { a: ['pass', 'pass', 'fail'] })).toMatchObject({
      began: played.began,
    });
  });

  test('is no threshold that was not met, unless that was said', async () => {
    const kind = 'threshold';
    for (const expects of [asked, { runs: 2 }]) {
      const { results, began } = await play([planned('a', expects)], { a: ['fail'] }, { kind });
      expect(began).toHaveLength(expects.runs);
      expect(results[0]).toMatchObject({ outcome: 'fail', exitCode: 1 });
      expect(results[0]?.reason).toMatch(`and it was not found in ${expects.runs} runs`);
    }
    const said = await play([planned('a', { anomaly: kind, runs: 2 })], { a: ['fail'] }, { kind });
    expect(said.results[0]).toMatchObject({ outcome: 'pass', exitCode: 0 });
  });

  test('that is not found is a failure', async () => {
    const played = await play([planned('a', asked)], { a: ['pass'] });
    expect(played.results[0]).toMatchObject({
      outcome: 'fail',
      exitCode: 1,
      reason: 'expected stale-read, and it was not found in 4 runs',
    });
    expect(played.results[0]?.runs).toHaveLength(4);
  });

  test('a violation of another kind is news, and a failure', async () => {
    const played = await play(
      [planned('a', asked)],
      { a: ['pass', 'fail'] },
      { kind: 'lost-write' },
    );
    expect(played.results[0]).toMatchObject({ outcome: 'fail', exitCode: 1 });
    expect(played.results[0]?.reason).toMatch('another violation was found: lost-write');
    expect(played.results[0]?.runs).toHaveLength(2);
  });

  test('of no kind in particular is any', async () => {
    const played = await play([planned('a', { runs: 1 })], { a: ['fail'] }, { kind: 'lost-write' });
    expect(outcomes(played)).toEqual(['pass']);
  });

  test('of runs that only ended in errors nothing is said', async () => {
    const played = await play([planned('a', { runs: 2 })], { a: ['error'] });
    expect(played.results[0]).toMatchObject({ outcome: 'error', exitCode: 3 });
  });

  test('that was interrupted before it was found is undecided', async () => {
    const played = await play([planned('a', asked)], { a: ['pass'] }, { interruptAt: 2 });
    expect(played.results[0]).toMatchObject({ outcome: 'unknown', exitCode: 130 });
    expect(played.results[0]?.runs).toHaveLength(2);
  });
});

describe('for a time', () => {
  test('all tests run again and again, each time with another seed and name', async () => {
    const clock = new VirtualClock();
    const tests = [planned('a'), planned('b')];
    const played = await play(tests, {}, { repeatForMs: 4500, clock });
    expect(played.results.map(({ test: { id } }) => id)).toEqual([
      'a.repeat-1',
      'b.repeat-1',
      'a.repeat-2',
      'b.repeat-2',
      'a.repeat-3',
    ]);
    expect(played.results[2]?.test.repeat).toBe(2);
    expect(played.began[0]).toBe('a.repeat-1/1');
    expect(new Set(played.began.map((text) => text.split('/')[1])).size).toBe(3);
  });

  test('each runs once, however short the time is', async () => {
    const clock = new VirtualClock();
    const played = await play([planned('a'), planned('b')], {}, { repeatForMs: 1, clock });
    expect(played.results.map(({ test: { id } }) => id)).toEqual(['a.repeat-1', 'b.repeat-1']);
  });
});

describe('a deadline', () => {
  const deadline = { afterMs: 2500, why: 'the time was over' };

  test('lets what is under way come to its end, and names what had no turn', async () => {
    const tests = ['a', 'b', 'c', 'd'].map((id) => planned(id));
    const { results, began } = await play(tests, {}, { clock: new VirtualClock(), deadline });
    expect(began.length).toBe(3);
    expect(results.map(({ outcome }) => outcome)).toEqual(['pass', 'pass', 'pass', 'not-run']);
    expect(results[3]?.reason).toBe('the time was over');
  });

  test('makes a bug that was not seen in too few runs no verdict, and keeps the runs', async () => {
    const tests = [planned('a', { anomaly: 'stale-read', runs: 9 })];
    const { results } = await play(tests, {}, { clock: new VirtualClock(), deadline });
    expect(results).toMatchObject([
      { outcome: 'not-run', exitCode: 0, reason: 'the time was over, after 3 of 9 runs' },
    ]);
    expect(results[0]?.runs.length).toBe(3);
  });

  test('never hides a violation that was seen in time', async () => {
    const tests = [planned('a', { anomaly: 'lost-write', runs: 9 })];
    const ends = { a: ['pass', 'pass', 'fail'] } as const;
    const { results } = await play(tests, ends, { clock: new VirtualClock(), deadline });
    expect(results).toMatchObject([{ outcome: 'fail', exitCode: 1 }]);
  });
});
