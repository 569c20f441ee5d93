/** What commands do alike with stored runs. */
import { basename, join, relative } from 'node:path';
import { HarnessError } from '../harness/core/errors.ts';
import type { History } from '../harness/history/history.ts';
import { readHistory } from '../harness/history/jsonl.ts';
import type { RunResult } from '../harness/protocols/run.ts';
import { type Candidate, candidates } from '../harness/store/retention.ts';
import { openRun } from '../harness/store/run-ref.ts';
import { readRecord, readResult, storedHistory } from '../harness/store/store.ts';
import { suitesOfRuns } from '../harness/store/suites.ts';
import { type RunRow, STATES } from '../reports/stored/figures.ts';
import type { VerdictSummary } from '../reports/summary.ts';

/** How all commands say what a run may be called. */
export const RUN_HELP = 'latest, latest-failed, -1, the beginning of an id, a folder or an archive';
export const DEFAULT_ROOT = '.schism';

/** A run that came to its end, with all that it stored. */
export interface LoadedRun extends AsyncDisposable {
  readonly dir: string;
  readonly archive?: string;
  readonly result: RunResult;
  readonly history: History;
  /** How to call it on the next command line. */
  readonly ref: string;
}

/** Throws `bad-input` for what is no run, or none that ended. */
export async function loadRun(root: string, ref: string): Promise<LoadedRun> {
  const run = await openRun(root, ref);
  try {
    const result = await readResult(run.dir);
    const { history } = await historyOf(run.dir, result);
    const byId = root === DEFAULT_ROOT ? result.manifest.run : relative('', run.dir);
    const dispose = (): PromiseLike<void> => run[Symbol.asyncDispose]();
    return {
      dir: run.dir,
      ...(run.archive !== undefined && { archive: run.archive }),
      result,
      history,
      ref: run.archive ?? byId,
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await run[Symbol.asyncDispose]();
    throw error;
  }
}

function historyOf(dir: string, { manifest }: RunResult): ReturnType<typeof readHistory> {
  return readHistory(storedHistory(dir, manifest.config.workload));
}

/** All runs below the root, oldest first, as lists show them. */
export async function runRows(root: string, nowMs: number): Promise<readonly RunRow[]> {
  const suites = await suitesOfRuns(root);
  return Promise.all(
    (await candidates(root, nowMs)).map(async (run) => {
      const suite = suites.get(basename(run.dir));
      return { ...(await rowOf(run)), ...(suite !== undefined && { suite }) };
    }),
  );
}

export async function rowOf(run: Candidate): Promise<RunRow> {
  const { id, dir, startedAtMs, bytes, pinned, writing } = run;
  const summary = await summaryIn(dir);
  const state = summary?.verdict ?? (writing ? 'running' : 'crashed');
  return {
    id,
    folder: basename(dir),
    startedAtMs,
    bytes,
    pinned,
    state,
    ...(summary !== undefined && { summary }),
  };
}

/** `verdict.json`, if it is whole and of this version. */
async function summaryIn(dir: string): Promise<VerdictSummary | undefined> {
  const record = await readRecord(join(dir, 'verdict.json'));
  const { schism, verdict, counts, checks, faults } = record;
  const isWhole =
    schism === 1 &&
    STATES.some((state) => state === verdict) &&
    typeof counts === 'object' &&
    Array.isArray(checks) &&
    Array.isArray(faults);
  return isWhole ? (record as unknown as VerdictSummary) : undefined;
}

/** A whole number from 0 to `max`. */
export function countOption(text: string, what: string, max: number): number {
  const count = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (count >= 0 && count <= max) return count;
  throw new HarnessError('bad-option', `${what}: '${text}' is not a whole number from 0 to ${max}`);
}
