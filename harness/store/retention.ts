/** Which runs go when there are too many, too old ones, or too much of them. */
import { existsSync } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { HarnessError, systemCodeOf } from '../core/errors.ts';
import { bytesOf } from './files.ts';
import { runsDir, startOfFolder } from './layout.ts';
import { isBeingWritten, isPinned } from './marks.ts';
import { listRuns, rebuildIndex, repoint, type StoredRun } from './store.ts';
import { listSuites } from './suites.ts';

/** Of passed runs `maxAgeMs` counts, of all others `failedMaxAgeMs`. */
export interface Retention {
  readonly maxRuns: number;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  readonly failedMaxAgeMs: number;
}

const DAY_MS = 86_400_000;

export const RETENTION: Retention = {
  maxRuns: 100,
  maxBytes: 5e9,
  maxAgeMs: 30 * DAY_MS,
  failedMaxAgeMs: 90 * DAY_MS,
};

/** As people write it: `'5GB'`, `'30d'`. What is absent has no limit. */
export interface RunLimits {
  readonly max?: number;
  readonly maxSize?: string;
  /** Of runs that passed. */
  readonly maxAge?: string;
  /** Of all others. Default: as `maxAge`. */
  readonly failedMaxAge?: string;
}

/** Throws `bad-option`, beginning with `place`. */
export function retentionOf(limits: RunLimits, place: string): Retention {
  const { max = Infinity, maxSize, maxAge, failedMaxAge = maxAge } = limits;
  const age = (text: string | undefined, name: string): number =>
    text === undefined ? Infinity : ageMs(text, `${place}.${name}`);
  return {
    maxRuns: max,
    maxBytes: maxSize === undefined ? Infinity : sizeBytes(maxSize, `${place}.maxSize`),
    maxAgeMs: age(maxAge, 'maxAge'),
    failedMaxAgeMs: age(failedMaxAge, 'failedMaxAge'),
  };
}

const BYTES: Readonly<Record<string, number>> = { KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };

/** `500MB` or `5GB`. Throws `bad-option`, beginning with `what`. */
export function sizeBytes(text: string, what: string): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)\s*([KMGT]B)$/i.exec(text.trim()) ?? [];
  const bytes = BYTES[unit?.toUpperCase() ?? ''];
  if (count === undefined || bytes === undefined)
    throw new HarnessError('bad-option', `${what}: '${text}' is not a size; write 500MB or 5GB`);
  return Number(count) * bytes;
}

const HOURS: Readonly<Record<string, number>> = { h: 1, d: 24, w: 168 };

/** `12h`, `30d` or `8w`. Throws `bad-option`, beginning with `what`. */
export function ageMs(text: string, what: string): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)\s*([hdw])$/.exec(text.trim()) ?? [];
  const hours = HOURS[unit ?? ''];
  if (count === undefined || hours === undefined)
    throw new HarnessError('bad-option', `${what}: '${text}' is not an age; write 12h or 30d`);
  return Number(count) * hours * 3_600_000;
}

/** A run as retention looks at it. */
export interface Candidate {
  readonly id: string;
  readonly dir: string;
  /** Absent when it crashed, or has not ended. */
  readonly verdict?: string;
  readonly startedAtMs: number;
  readonly bytes: number;
  readonly pinned: boolean;
  readonly writing: boolean;
}

export interface Pruned {
  readonly run: Candidate;
  readonly why: string;
}

/** All runs below the root, oldest first, with their sizes. */
export async function candidates(root: string, nowMs: number): Promise<readonly Candidate[]> {
  const runs = await listRuns(root);
  return Promise.all(runs.map((run) => candidateOf(run, nowMs)));
}

export async function candidateOf(run: StoredRun, nowMs: number): Promise<Candidate> {
  return {
    ...run,
    startedAtMs: startOfFolder(run.dir),
    bytes: await bytesOf(run.dir),
    pinned: isPinned(run.dir),
    writing: await isBeingWritten(run.dir, nowMs),
  };
}

/**
 * Which of the runs, oldest first, would go, each with its reason. Pinned ones and those that are
 * being written count, and stay. What is too old goes first; of the rest passed runs go before
 * others, and older ones before newer. The newest is never too big.
 */
export function chooseToPrune(
  runs: readonly Candidate[],
  limits: Retention,
  nowMs: number,
): readonly Pruned[] {
  const chosen = new Map<Candidate, string>();
  const free = runs.filter(({ pinned, writing }) => !pinned && !writing);
  for (const run of free) {
    const maxMs = run.verdict === 'pass' ? limits.maxAgeMs : limits.failedMaxAgeMs;
    if (nowMs - run.startedAtMs > maxMs) chosen.set(run, `older than ${daysText(maxMs)}`);
  }
  const order = [
    ...free.filter(({ verdict }) => verdict === 'pass'),
    ...free.filter(({ verdict }) => verdict !== 'pass'),
  ].filter((run) => !chosen.has(run));
  let count = runs.length - chosen.size;
  let bytes = runs.reduce((sum, run) => sum + (chosen.has(run) ? 0 : run.bytes), 0);
  for (const run of order) {
    const tooMany = count > limits.maxRuns;
    if (!tooMany && (bytes <= limits.maxBytes || run === runs.at(-1))) continue;
    chosen.set(
      run,
      tooMany
        ? `more than ${limits.maxRuns} ${limits.maxRuns === 1 ? 'run' : 'runs'}`
        : 'more bytes than may be kept',
    );
    count--;
    bytes -= run.bytes;
  }
  return runs.flatMap((run) => {
    const why = chosen.get(run);
    return why === undefined ? [] : [{ run, why }];
  });
}

function daysText(ms: number): string {
  const days = ms / DAY_MS;
  return `${Number.isInteger(days) ? days : days.toFixed(2)} ${days === 1 ? 'day' : 'days'}`;
}

/**
 * Deletes what is beyond the limits, except `kept`: the runs that somebody has just made. Returns
 * what was deleted.
 */
export async function applyRetention(
  root: string,
  limits: Retention,
  kept: readonly string[],
  nowMs: number,
): Promise<readonly Pruned[]> {
  const runs = (await candidates(root, nowMs)).map((run) =>
    kept.includes(run.id) ? { ...run, pinned: true } : run,
  );
  return deleteRuns(root, chooseToPrune(runs, limits, nowMs), nowMs);
}

/** Named so until it is gone; a deletion that broke off is finished by the next. */
const GOING = 'going-';

/**
 * Deletes these runs, all but what was pinned or is written since they were chosen, with suites that
 * have no other runs, and puts index and links right. Returns what was deleted.
 */
export async function deleteRuns(
  root: string,
  chosen: readonly Pruned[],
  nowMs: number,
): Promise<readonly Pruned[]> {
  const deleted: Pruned[] = [];
  for (const each of chosen) {
    const { dir } = each.run;
    if (isPinned(dir) || (await isBeingWritten(dir, nowMs))) continue;
    if (await goesAway(dir, join(runsDir(root), `${GOING}${basename(dir)}`))) deleted.push(each);
  }
  for (const name of await readdir(runsDir(root)).catch(() => []))
    if (name.startsWith(GOING))
      await rm(join(runsDir(root), name), { recursive: true, force: true });
  if (deleted.length > 0) {
    await rebuildIndex(root);
    await repoint(root);
    await deleteEmptySuites(root);
  }
  return deleted;
}

/** At once, so that nobody finds half a run. False if somebody else has deleted it meanwhile. */
async function goesAway(dir: string, to: string): Promise<boolean> {
  try {
    await rename(dir, to);
    return true;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/** A suite goes with the last of its runs; the newest suite stays. */
async function deleteEmptySuites(root: string): Promise<void> {
  for (const { dir, result } of (await listSuites(root)).slice(0, -1)) {
    const runs = result.tests.flatMap((test) => test.runs);
    const isEmpty = runs.every((run) => !existsSync(join(dir, run.dir, 'run.json')));
    if (runs.length > 0 && isEmpty) await rm(dir, { recursive: true, force: true });
  }
}
