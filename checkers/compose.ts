import { messageOf } from '../harness/core/errors.ts';
import type { History } from '../harness/history/history.ts';
import type { CheckContext, Checker, CheckResult, Verdict } from '../harness/protocols/checker.ts';

/** Runs checkers one after another; none can take the others' results with it. */
export async function checkAll(
  checkers: readonly Checker[],
  history: History,
  ctx: CheckContext,
  options: { readonly onResult?: (result: CheckResult) => void } = {},
): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const checker of checkers) {
    const result = await runChecker(checker, history, ctx);
    results.push(result);
    options.onResult?.(result);
  }
  return results;
}

/** A checker that throws has not judged: `unknown`, with the error as the reason. */
export async function runChecker(
  checker: Checker,
  history: History,
  ctx: CheckContext,
): Promise<CheckResult> {
  try {
    return await checker.check(history, ctx);
  } catch (error) {
    const name = error instanceof Error ? error.name : 'Error';
    return {
      checker: checker.name,
      verdict: 'unknown',
      anomalies: [],
      covered: 'nothing: the checker failed',
      reason: `The checker itself failed, so it says nothing about the store: ${messageOf(error)}`,
      details: { error: `${name}: ${messageOf(error)}` },
    };
  }
}

const PRECEDENCE: readonly Verdict[] = ['invalid', 'unknown', 'valid'];

/** A violation decides, then doubt; nothing judged is doubt. */
export function mergeVerdicts(verdicts: readonly Verdict[]): Verdict {
  return PRECEDENCE.find((verdict) => verdicts.includes(verdict)) ?? 'unknown';
}
