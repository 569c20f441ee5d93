/** Suites below the root: `suites/<time>-<id>/`, beside the runs that they are made of. */
import { existsSync, realpathSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { HarnessError, messageOf, systemCodeOf } from '../core/errors.ts';
import type { Random } from '../core/prng.ts';
import type { SuiteResult } from '../protocols/suite.ts';
import { idOfFolder, runFolderName } from './layout.ts';
import { pointAt, writeWhole } from './store.ts';

/** Written last, whole or not at all: a suite without it crashed, or still runs. */
const SUITE_FILE = 'suite.json';

export function suitesDir(root: string): string {
  return join(root, 'suites');
}

/** A suite that is being made. */
export interface SuiteFolder {
  readonly id: string;
  readonly dir: string;
  path(name: string): string;
  /** Replaces the file whole, so that a reader never sees half of it. */
  writeText(name: string, text: string): Promise<void>;
  /** Writes `suite.json`, and points `latest-suite` at the folder. */
  finish(result: SuiteResult): Promise<void>;
}

/** A suite that came to its end. */
export interface StoredSuite {
  readonly id: string;
  readonly dir: string;
  readonly result: SuiteResult;
}

/** Makes the folder of a new suite. Throws `store-failed` where the root cannot be written. */
export async function createSuite(
  root: string,
  suite: { readonly startedAtMs: number; readonly random: Random },
): Promise<SuiteFolder> {
  try {
    await mkdir(suitesDir(root), { recursive: true });
    const { id, dir } = await freshFolder(root, suite);
    return folderOf(resolve(root), id, dir);
  } catch (error) {
    throw new HarnessError(
      'store-failed',
      `cannot make a suite below ${root}: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/** Ids begin with `s`, so that they are never taken for a run's. */
async function freshFolder(
  root: string,
  { startedAtMs, random }: { readonly startedAtMs: number; readonly random: Random },
): Promise<{ id: string; dir: string }> {
  const taken = new Set((await suiteFolders(root)).map(({ id }) => id));
  for (;;) {
    const hex = Array.from({ length: 4 }, () => random.int(0, 15).toString(16)).join('');
    const id = `s${hex}`;
    const dir = resolve(suitesDir(root), runFolderName(id, startedAtMs));
    if (taken.has(id)) continue;
    try {
      await mkdir(dir);
      return { id, dir };
    } catch (error) {
      if (systemCodeOf(error) !== 'EEXIST') throw error;
    }
  }
}

function folderOf(root: string, id: string, dir: string): SuiteFolder {
  const path = (name: string): string => join(dir, name);
  const writeText = (name: string, text: string): Promise<void> => writeWhole(path(name), text);
  return {
    id,
    dir,
    path,
    writeText,
    finish: async (result) => {
      await writeText(SUITE_FILE, `${JSON.stringify(result, null, 2)}\n`);
      await pointAt(join(root, 'latest-suite'), join('suites', basename(dir)));
    },
  };
}

/** Folders of all suites, the oldest first, whether they came to their end or not. */
async function suiteFolders(root: string): Promise<readonly { id: string; dir: string }[]> {
  const names = await readdir(suitesDir(root)).catch(() => []);
  return names
    .toSorted((a, b) => (a < b ? -1 : 1))
    .flatMap((name) => {
      const id = idOfSuite(name);
      return id === undefined ? [] : [{ id, dir: resolve(suitesDir(root), name) }];
    });
}

function idOfSuite(folder: string): string | undefined {
  const [, time = '', id] = /^(.*-)(s[0-9a-f]{4,16})$/.exec(folder) ?? [];
  return id !== undefined && idOfFolder(`${time}0000`) === '0000' ? id : undefined;
}

/** All suites that came to their end, the oldest first; one that cannot be read is left out. */
export async function listSuites(root: string): Promise<readonly StoredSuite[]> {
  const folders = await suiteFolders(root);
  const read = folders.map(async ({ id, dir }): Promise<readonly StoredSuite[]> => {
    try {
      return [{ id, dir, result: await readSuite(dir) }];
    } catch {
      return [];
    }
  });
  return (await Promise.all(read)).flat();
}

/** The newest suite that came to its end. */
export async function lastSuite(root: string): Promise<StoredSuite | undefined> {
  const folders = await suiteFolders(root);
  for (const { id, dir } of folders.toReversed())
    if (existsSync(join(dir, SUITE_FILE))) return { id, dir, result: await readSuite(dir) };
  return undefined;
}

/**
 * The suite that `ref` names: `latest`, `-1` (the last), `-2`, the beginning of an id that no other
 * suite has, or the path of a suite's folder or of its `suite.json`. Throws `bad-input`, saying what
 * there is.
 */
export async function openSuite(root: string, ref: string): Promise<StoredSuite> {
  const ended = (await suiteFolders(root)).filter(({ dir }) => existsSync(join(dir, SUITE_FILE)));
  const [found, ...others] = matching(ended, ref);
  if (found !== undefined && others.length === 0)
    return { ...found, result: await readSuite(found.dir) };
  if (found !== undefined)
    throw new HarnessError(
      'bad-input',
      `'${ref}' is the beginning of ${others.length + 1} suites: ` +
        [found, ...others].map(({ id }) => id).join(', '),
    );
  const dir = folderAt(ref);
  if (dir !== undefined) {
    const result = await readSuite(dir);
    return { id: result.manifest.suite, dir, result };
  }
  const some = ended.slice(-5).map(({ id }) => id);
  const there = some.length === 0 ? 'there are none' : `the newest are ${some.join(', ')}`;
  throw new HarnessError('bad-input', `no suite '${ref}' below ${root}; ${there}`);
}

/** Whether this can only be the id of a suite, not of a run. */
export function isSuiteId(text: string): boolean {
  return /^s[0-9a-f]{4,16}$/.test(text);
}

function matching<T extends { readonly id: string }>(
  suites: readonly T[],
  ref: string,
): readonly T[] {
  if (ref === 'latest' || ref === 'latest-suite') return suites.slice(-1);
  if (/^-[1-9]\d{0,3}$/.test(ref))
    return suites.filter((suite) => suite === suites.at(Number(ref)));
  if (!/^s[0-9a-f]*$/.test(ref)) return [];
  return suites.filter(({ id }) => id.startsWith(ref));
}

/** Not by way of a link: runs are named from where the folder really is. */
function folderAt(path: string): string | undefined {
  const dir = basename(path) === SUITE_FILE ? dirname(path) : path;
  return existsSync(join(dir, SUITE_FILE)) ? realpathSync(dir) : undefined;
}

/** `suite.json` of this folder. Throws `bad-input` when it is missing, broken or another version's. */
export async function readSuite(dir: string): Promise<SuiteResult> {
  const path = join(dir, SUITE_FILE);
  let result: unknown;
  try {
    result = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new HarnessError('bad-input', `cannot read ${path}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (!isSuite(result))
    throw new HarnessError('bad-input', `${path}: not a suite of this version of schism`);
  return result;
}

/** As much as every reader counts on: a blob may come from anywhere. */
function isSuite(value: unknown): value is SuiteResult {
  const { manifest, tests, exitCode, wallMs, explored } = fieldsOf(value);
  const { schism, suite, startedAt, seed, selected, config, shard } = fieldsOf(manifest);
  return (
    schism === 1 &&
    areTexts([suite, startedAt, seed, config ?? '']) &&
    areNumbers([exitCode, wallMs, selected]) &&
    (shard === undefined || isShard(shard)) &&
    (explored === undefined || isExplored(explored)) &&
    Array.isArray(tests) &&
    tests.every(isTest)
  );
}

function isExplored(value: unknown): boolean {
  const { runs, ms, operations, situations, fresh, undecided, findings } = fieldsOf(value);
  return areNumbers([runs, ms, operations, situations, fresh, undecided, findings]);
}

const SHARDS_MAX = 9999;

function isShard(value: unknown): boolean {
  const { index, total } = fieldsOf(value);
  const [at, of] = [Number(index), Number(total)];
  const areWhole = [index, total].every((one) => Number.isInteger(one));
  return areWhole && at >= 1 && at <= of && of <= SHARDS_MAX;
}

function isTest(value: unknown): boolean {
  const { test, runs, outcome, exitCode, reason, expects = { runs: 1 } } = fieldsOf(value);
  const { id, title, file = '', project = '', line = 1, repeat = 1 } = fieldsOf(test);
  const expected = fieldsOf(expects);
  const { anomaly = '', anomalies = [], known = '' } = expected;
  return (
    areTexts([id, title, reason, file, project, anomaly, known]) &&
    Array.isArray(anomalies) &&
    areTexts(anomalies) &&
    areNumbers([exitCode, line, repeat, expected['runs']]) &&
    ['pass', 'fail', 'unknown', 'error', 'not-run'].includes(String(outcome)) &&
    Array.isArray(runs) &&
    runs.every(isRun)
  );
}

function isRun(value: unknown): boolean {
  const { run, dir, verdict, exitCode, wallMs, counts, ...lists } = fieldsOf(value);
  const { ok, fail, info, open } = fieldsOf(counts);
  const {
    reasons,
    faults,
    anomalies,
    checks,
    availability = 0,
    fingerprint = '',
    text = '',
  } = lists;
  return (
    areTexts([run, dir, fingerprint, text]) &&
    areNumbers([exitCode, wallMs, ok, fail, info, open, availability]) &&
    ['pass', 'fail', 'unknown', 'error'].includes(String(verdict)) &&
    [reasons, anomalies].every((list) => Array.isArray(list) && areTexts(list)) &&
    Array.isArray(faults) &&
    faults.map(fieldsOf).every(({ fault, tookEffect, begun }) => {
      return areTexts([fault]) && areNumbers([tookEffect, begun]);
    }) &&
    Array.isArray(checks) &&
    checks.map(fieldsOf).every(({ checker, verdict: said, line, kind = '' }) => {
      const isKnown = ['valid', 'invalid', 'unknown'].includes(String(said));
      return isKnown && areTexts([checker, line, kind]);
    })
  );
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function areTexts(values: readonly unknown[]): boolean {
  return values.every((value) => typeof value === 'string');
}

function areNumbers(values: readonly unknown[]): boolean {
  return values.every((value) => typeof value === 'number' && Number.isFinite(value));
}

/** For each run, by its folder's name, the suite it was made for. */
export async function suitesOfRuns(root: string): Promise<ReadonlyMap<string, string>> {
  const suites = await listSuites(root);
  return new Map(
    suites.flatMap(({ id, result }) =>
      result.tests.flatMap(({ runs }) => runs.map(({ dir }) => [basename(dir), id] as const)),
    ),
  );
}
