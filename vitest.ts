/** Chaos tests within a suite of vitest: `import { chaosTest } from 'schism/vitest'`. */
import { test } from 'vitest';
import { parseTestOptions } from './cli/config/schema.ts';
import { playEmbedded } from './cli/embedded.ts';
import type { ChaosTestOptions, ViolationTestOptions } from './cli/suite/chaos-test.ts';

interface Beside {
  /**
   * A config file with defaults, and with stores and workloads of your own. Default: the
   * `schism.config.ts` of the working folder, if there is one.
   */
  readonly config?: string;
}

/** As `test()` of a `*.chaos.ts` file takes them, but for checks of your own and tags. */
export type ChaosOptions = Omit<ChaosTestOptions, 'checks' | 'tags'> & Beside;
export type ViolationOptions = Omit<ViolationTestOptions, 'checks' | 'tags'> & Beside;

export interface ChaosTest {
  /** Starts a cluster, breaks it, and passes when no check finds a violation. */
  (title: string, options: ChaosOptions): void;
  /** A known bug: passes when the violation is found, and fails when it is not. */
  expectViolation(title: string, options: ViolationOptions): void;
}

/** As much of `test` as is used; vitest has it from version 3 on. */
export type DeclareTest = (
  title: string,
  options: { readonly timeout: number },
  run: (context: { readonly signal?: AbortSignal }) => Promise<void>,
) => unknown;

/**
 * `chaosTest` by another `test`: `chaosTestWith(test.only)`, or one that your test file imported,
 * where this package would find another copy of vitest than yours.
 */
export function chaosTestWith(declare: DeclareTest): ChaosTest {
  const chaosTest = (title: string, options: ChaosOptions): void => {
    declareWith(declare, { title, options, isExpected: false, caller: chaosTest });
  };
  const expectViolation = (title: string, options: ViolationOptions): void => {
    declareWith(declare, { title, options, isExpected: true, caller: expectViolation });
  };
  return Object.assign(chaosTest, { expectViolation });
}

/**
 * Declares a test that is one run, or as many as it takes to find an expected violation. Its run is
 * kept below `.schism/`; when it does not pass, the error is the explanation, with the commands that
 * show and repeat it. It has no time limit but its own, which follows from its durations.
 */
export const chaosTest: ChaosTest = chaosTestWith(test);

interface Declared {
  readonly title: string;
  readonly options: ChaosOptions;
  readonly isExpected: boolean;
  /** What was called: the stack above it is the caller's own. */
  readonly caller: (...args: never) => unknown;
}

function declareWith(
  declare: DeclareTest,
  { title, options: { config, ...given }, isExpected, caller }: Declared,
): void {
  const words = isExpected ? 'chaosTest.expectViolation' : 'chaosTest';
  const parsed = parseTestOptions(given, `${words}('${title}')`, isExpected);
  const call = { stack: '' };
  Error.captureStackTrace(call, caller);
  // With 0 vitest sets no limit.
  declare(title, { timeout: 0 }, async ({ signal }) => {
    const why = await playEmbedded({
      title,
      ...parsed,
      ...(config !== undefined && { config }),
      ...(signal !== undefined && { signal }),
    });
    if (why !== undefined) throw failureAt(call.stack, why);
  });
}

/** It points at the call of `chaosTest`: nobody looks for a stack within this package. */
function failureAt(stack: string, why: string): Error {
  const error = new Error(why);
  const frames = stack.split('\n').filter((line) => line.startsWith('    at '));
  error.stack = [`Error: ${why}`, ...frames].join('\n');
  return error;
}
