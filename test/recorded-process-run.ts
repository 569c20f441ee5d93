/** What `schism run` with these words does and finds on real processes, as a user starts it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isShown } from '../cli/regressions/words.ts';
import { PACKAGE_ROOT } from '../cli/version.ts';
import { HarnessError } from '../harness/core/errors.ts';
import type { CheckResult } from '../harness/protocols/checker.ts';
import type { RunResult } from '../harness/protocols/run.ts';
import { sandbox } from './cli-testing.ts';
import { cleanWords, type Planted } from './planted.ts';

const SCHEDULES = 'regressions/';

/** `words` as on the command line, without `schism run`; schedules are those of the repository. */
export async function recordedProcessRun(words: readonly string[]): Promise<RunResult> {
  await using box = await sandbox();
  const found = words.map((word) => (word.startsWith(SCHEDULES) ? join(PACKAGE_ROOT, word) : word));
  const { code, err } = await box.schism(['run', '--system', 'raftkv', ...found, '-q']);
  const read = async (): Promise<string> =>
    readFile(join(await box.runDir(), 'results.json'), 'utf8');
  const text = await read().catch(() => {
    throw new HarnessError('bad-input', `schism ended with code ${code} and no result: ${err}`);
  });
  return JSON.parse(text) as RunResult;
}

export interface Hunt {
  readonly planted: Planted;
  /** Runs that were played; the last one showed the bug if `seen` is not empty. */
  readonly tries: number;
  /** Those of the expected anomalies that were seen. */
  readonly seen: readonly string[];
}

/**
 * Plays the recorded run with its bug and the seeds 1, 2, ... until it shows, as often as it may.
 * `more`: where else it is to be played.
 */
export async function hunt(planted: Planted, more: readonly string[] = []): Promise<Hunt> {
  for (let tries = 1; ; tries++) {
    const words = [...cleanWords(planted, tries), '--bug', planted.bug, ...more];
    const { checks } = await recordedProcessRun(words);
    const kinds = kindsOf(checks);
    const isFound = isShown(planted.regression.expect, kinds);
    const seen = isFound ? planted.expected.filter((kind) => kinds.has(kind)) : [];
    if (isFound || tries === planted.tries) return { planted, tries, seen };
  }
}

/** The kinds of all anomalies that the checkers name. */
export function kindsOf(checks: readonly CheckResult[]): ReadonlySet<string> {
  return new Set(checks.flatMap(({ anomalies }) => anomalies.map(({ kind }) => kind)));
}
