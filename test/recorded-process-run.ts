/** What `schism run` with these words does and finds on real processes, as a user starts it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HarnessError } from '../harness/core/errors.ts';
import type { CheckResult } from '../harness/protocols/checker.ts';
import type { RunResult } from '../harness/protocols/run.ts';
import { type ProcessCanary, processWordsOf } from '../regressions/raftkv-process-canaries.ts';
import { sandbox } from './cli-testing.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SCHEDULES = 'regressions/';

/** `words` as on the command line, without `schism run`; schedules are those of the repository. */
export async function recordedProcessRun(words: readonly string[]): Promise<RunResult> {
  await using box = await sandbox();
  const found = words.map((word) => (word.startsWith(SCHEDULES) ? join(ROOT, word) : word));
  const { code, err } = await box.schism(['run', '--system', 'raftkv', ...found, '-q']);
  const text = await readFile(join(await box.runDir(), 'results.json'), 'utf8').catch(() => {
    throw new HarnessError('bad-input', `schism ended with code ${code} and no result: ${err}`);
  });
  return JSON.parse(text) as RunResult;
}

export interface Hunt {
  readonly canary: ProcessCanary;
  /** Runs that were played; the last one showed the bug if `seen` is not empty. */
  readonly tries: number;
  /** Those of the expected anomalies that were seen. */
  readonly seen: readonly string[];
}

/**
 * Plays the recorded run with its bug until it shows, as often as its row allows. `more`: where else
 * it is to be played.
 */
export async function hunt(canary: ProcessCanary, more: readonly string[] = []): Promise<Hunt> {
  for (let tries = 1; ; tries++) {
    const words = [...processWordsOf(canary, tries), '--bug', canary.bug, ...more];
    const { checks } = await recordedProcessRun(words);
    const kinds = kindsOf(checks);
    const seen = canary.expected.filter((kind) => kinds.has(kind));
    if (seen.length > 0 || tries === canary.tries) return { canary, tries, seen };
  }
}

/** The kinds of all anomalies that the checkers name. */
export function kindsOf(checks: readonly CheckResult[]): ReadonlySet<string> {
  return new Set(checks.flatMap(({ anomalies }) => anomalies.map(({ kind }) => kind)));
}

/** Runs the tasks in order, `lanes` at a time: a small machine has no room for more clusters. */
export async function inLanes<T, R>(
  lanes: number,
  items: readonly T[],
  task: (item: T) => Promise<R>,
): Promise<R[]> {
  const waiting = items.entries();
  const results: R[] = [];
  const lane = async (): Promise<void> => {
    for (const [at, item] of waiting) results[at] = await task(item);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}
