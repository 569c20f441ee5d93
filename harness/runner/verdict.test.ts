import { describe, expect, test } from 'vitest';
import type { CheckResult, Verdict } from '../protocols/checker.ts';
import type { RunProblem } from '../protocols/run.ts';
import { judgeRun, worstExit } from './verdict.ts';

const check = (checker: string, verdict: Verdict): CheckResult => ({
  checker,
  verdict,
  anomalies: [],
  covered: 'everything',
  ...(verdict !== 'valid' && { reason: `${checker} says so` }),
  details: {},
});
const problem = (severity: 'fatal' | 'warning', bug = false): RunProblem => ({
  step: 'setup',
  message: 'it broke',
  severity,
  bug,
});
const config = { unknown: 'fail', requireFaults: false } as const;

describe('the verdict of a run', () => {
  test('all valid and no problem is a pass', () => {
    expect(judgeRun(config, [check('linearizable', 'valid')], [])).toEqual({
      verdict: 'pass',
      exitCode: 0,
      reasons: [],
    });
  });

  test('a violation decides, whatever else went wrong', () => {
    const checks = [check('stats', 'unknown'), check('linearizable', 'invalid')];
    const problems = [problem('fatal', true), problem('fatal')];
    const judged = judgeRun(config, checks, problems, 'SIGINT');
    expect(judged).toMatchObject({ verdict: 'fail', exitCode: 1 });
    expect(judged.reasons[0]).toBe('linearizable: linearizable says so');
  });

  test('our own bug is 255, the machine is 3, a checker that gave up is 2', () => {
    const unknown = [check('linearizable', 'unknown')];
    const both = [problem('fatal'), problem('fatal', true)];
    expect(judgeRun(config, unknown, both)).toMatchObject({ verdict: 'error', exitCode: 255 });
    expect(judgeRun(config, unknown, [problem('fatal')]).exitCode).toBe(3);
    expect(judgeRun(config, unknown, [])).toMatchObject({ verdict: 'unknown', exitCode: 2 });
  });

  test('an accepted unknown exits 0 and is still called unknown', () => {
    const judged = judgeRun({ ...config, unknown: 'warn' }, [check('x', 'unknown')], []);
    expect(judged).toMatchObject({ verdict: 'unknown', exitCode: 0 });
  });

  test('a fault without effect is unknown, and an error where faults are required', () => {
    const checks = [check('linearizable', 'valid'), check('evidence', 'unknown')];
    expect(judgeRun(config, checks, [])).toMatchObject({ verdict: 'unknown', exitCode: 2 });
    const required = judgeRun({ ...config, requireFaults: true }, checks, []);
    expect(required).toMatchObject({ verdict: 'error', exitCode: 3 });
  });

  test('warnings never change a verdict', () => {
    expect(judgeRun(config, [check('x', 'valid')], [problem('warning', true)]).exitCode).toBe(0);
  });

  test('an interrupted run says so, but a violation or a bug outranks it', () => {
    expect(judgeRun(config, [check('x', 'valid')], [], 'SIGINT').exitCode).toBe(130);
    expect(judgeRun(config, [check('x', 'unknown')], [], 'SIGTERM').exitCode).toBe(143);
    expect(judgeRun(config, [check('x', 'invalid')], [], 'SIGINT').exitCode).toBe(1);
    expect(judgeRun(config, [], [problem('fatal', true)], 'SIGINT').exitCode).toBe(255);
    // Faults that could not be healed matter more than that somebody was impatient.
    expect(judgeRun(config, [], [problem('fatal')], 'SIGINT').exitCode).toBe(3);
  });

  test('no check at all is not a pass', () => {
    expect(judgeRun(config, [], [])).toMatchObject({ verdict: 'unknown', exitCode: 2 });
  });

  test('of several exit codes the worst: 1 > 255 > 3 > 2 > 4 > 0', () => {
    expect(worstExit([0, 2, 1, 255])).toBe(1);
    expect(worstExit([0, 2, 255, 3])).toBe(255);
    expect(worstExit([4, 2, 3])).toBe(3);
    expect(worstExit([4, 2, 0])).toBe(2);
    expect(worstExit([4, 0])).toBe(4);
    expect(worstExit([])).toBe(0);
  });
});
