import { existsSync } from 'node:fs';
import { appendFile, mkdir, open, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { HarnessError, messageOf, systemCodeOf } from '../core/errors.ts';
import type { Random } from '../core/prng.ts';
import type { RunManifest, RunResult } from '../protocols/run.ts';
import type { WorkloadOptions } from '../protocols/workload.ts';
import { historyFile, idOfFolder, runFolderName, runsDir, testDir } from './layout.ts';
import { markWriting, markWritten } from './marks.ts';

export interface NewRun {
  readonly startedAtMs: number;
  /** Draws the id. */
  readonly random: Random;
  /** Name of the one test of this run. */
  readonly test: string;
}

/** A run that is being made. */
export interface RunFolderHandle {
  readonly id: string;
  readonly dir: string;
  readonly testDir: string;
  readonly historyPath: string;
  path(name: string): string;
  /** Replaces the file whole, so that a reader never sees half of it. */
  writeText(name: string, text: string): Promise<void>;
  writeJson(name: string, value: unknown): Promise<void>;
  /** Ends the writing: enters the run into `index.jsonl`, points `latest` (and `latest-failed`) at it. */
  finish(result: RunResult): Promise<void>;
}

/** A run on disk. `verdict` is absent when it crashed. */
export interface StoredRun {
  readonly id: string;
  readonly dir: string;
  readonly verdict?: string;
}

/** Makes the folders of a new run. Throws `store-failed` where the root cannot be written. */
export async function createRun(root: string, run: NewRun): Promise<RunFolderHandle> {
  try {
    await mkdir(runsDir(root), { recursive: true });
    const { id, dir } = await freshFolder(root, run);
    const test = testDir(dir, run.test);
    await markWriting(dir);
    await mkdir(join(test, 'checks'), { recursive: true });
    return handle(resolve(root), id, dir, test);
  } catch (error) {
    throw new HarnessError('store-failed', `cannot make a run below ${root}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Ids have four digits, more where those are taken, also by a run that begins at this moment. */
async function freshFolder(root: string, run: NewRun): Promise<{ id: string; dir: string }> {
  const taken = new Set((await listRuns(root)).map(({ id }) => id));
  for (let tries = 0; ; tries++) {
    const length = Math.min(16, 4 + Math.floor(tries / 8));
    const id = Array.from({ length }, () => run.random.int(0, 15).toString(16)).join('');
    if (taken.has(id)) continue;
    const dir = resolve(runsDir(root), runFolderName(id, run.startedAtMs));
    if (await makesFolder(dir)) return { id, dir };
  }
}

/** False if it was there already. */
async function makesFolder(dir: string): Promise<boolean> {
  try {
    await mkdir(dir);
    return true;
  } catch (error) {
    if (systemCodeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function handle(root: string, id: string, dir: string, test: string): RunFolderHandle {
  const writeText = (name: string, text: string): Promise<void> =>
    writeWhole(join(dir, name), text);
  return {
    id,
    dir,
    testDir: test,
    historyPath: historyFile(test),
    path: (name) => join(dir, name),
    writeText,
    writeJson: (name, value) => writeText(name, `${JSON.stringify(value, null, 2)}\n`),
    finish: async ({ verdict, exitCode, manifest }) => {
      const { startedAt } = manifest;
      await appendFile(
        indexFile(root),
        indexLine({ run: id, dir: basename(dir), verdict, exitCode, startedAt }),
      );
      await pointAt(join(root, 'latest'), join('runs', basename(dir)));
      if (verdict !== 'pass')
        await pointAt(join(root, 'latest-failed'), join('runs', basename(dir)));
      await markWritten(dir);
    },
  };
}

/** Points `latest` and `latest-failed` at what is there; they go where nothing is left to point at. */
export async function repoint(root: string): Promise<void> {
  const runs = (await listRuns(root)).filter(({ verdict }) => verdict !== undefined);
  const links = [
    ['latest', runs.at(-1)],
    ['latest-failed', runs.findLast(({ verdict }) => verdict !== 'pass')],
  ] as const;
  for (const [name, run] of links) {
    const link = join(root, name);
    await (run === undefined
      ? rm(link, { force: true })
      : pointAt(link, join('runs', basename(run.dir))));
  }
}

/** One line of `runs/index.jsonl`. A run that crashed has no verdict and no exit code. */
export interface IndexEntry {
  readonly run: string;
  readonly dir: string;
  readonly verdict?: string;
  readonly exitCode?: number;
  readonly startedAt?: string;
}

function indexFile(root: string): string {
  return join(runsDir(root), 'index.jsonl');
}

function indexLine(entry: IndexEntry): string {
  return `${JSON.stringify(entry)}\n`;
}

/** Writes `index.jsonl` anew from the runs that are there: it only repeats what they say. */
export async function rebuildIndex(root: string): Promise<void> {
  const runs = await listRuns(root);
  const lines = await Promise.all(
    runs.map(async ({ id, dir }) => {
      const run = await readRecord(join(dir, 'run.json'));
      const { verdict, exitCode } = await readRecord(join(dir, 'verdict.json'));
      const startedAt = run['startedAt'];
      return indexLine({
        run: id,
        dir: basename(dir),
        ...(typeof verdict === 'string' && { verdict }),
        ...(typeof exitCode === 'number' && { exitCode }),
        ...(typeof startedAt === 'string' && { startedAt }),
      });
    }),
  );
  await writeWhole(indexFile(root), lines.join(''));
}

/** The fields of a JSON file; none if it is missing or broken. */
export async function readRecord(path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** Write, fsync, rename: after a power failure the old file or the new one is there, never half. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.tmp`;
  await mkdir(dirname(path), { recursive: true });
  {
    await using file = await open(temporary, 'w');
    await file.writeFile(text);
    await file.sync();
  }
  await rename(temporary, path);
}

/** A symbolic link, or a text file with the target's path where links cannot be made. */
export async function pointAt(link: string, target: string): Promise<void> {
  // Runs of one suite may end at the same moment.
  const temporary = `${link}.${basename(target)}.tmp`;
  await rm(temporary, { force: true });
  try {
    await symlink(target, temporary);
  } catch {
    await writeWhole(link, `${target}\n`);
    return;
  }
  await rename(temporary, link);
}

/** All runs below the root, oldest first. A root that does not exist has none. */
export async function listRuns(root: string): Promise<readonly StoredRun[]> {
  let names: string[];
  try {
    names = await readdir(runsDir(root));
  } catch {
    return [];
  }
  const runs = names.toSorted().flatMap((name) => {
    const id = idOfFolder(name);
    return id === undefined ? [] : [{ id, dir: resolve(runsDir(root), name) }];
  });
  return Promise.all(runs.map(withVerdict));
}

async function withVerdict(run: { id: string; dir: string }): Promise<StoredRun> {
  const { verdict } = await readRecord(join(run.dir, 'verdict.json'));
  return typeof verdict === 'string' ? { ...run, verdict } : run;
}

/**
 * The folder that `ref` names: `latest`, `latest-failed` (not passed, crashed included), `-1` (the
 * last), `-2`, the beginning of an id that no other run has, or the path of a run's folder or of a
 * file in it. Throws `bad-input`, saying what there is.
 */
export async function findRun(root: string, ref: string): Promise<string> {
  const runs = await listRuns(root);
  const matching = matches(runs, ref);
  const [found] = matching;
  if (found !== undefined && matching.length === 1) return found.dir;
  if (matching.length > 1) {
    const ids = matching.map(({ id }) => id).join(', ');
    throw new HarnessError(
      'bad-input',
      `'${ref}' is the beginning of ${matching.length} runs: ${ids}`,
    );
  }
  const dir = existsSync(ref) ? runAround(resolve(ref)) : undefined;
  if (dir !== undefined) return dir;
  const some = runs.slice(-5).map(({ id }) => id);
  const newest = some.toReversed().join(', ');
  const there = some.length === 0 ? 'there are none' : `the newest are ${newest}`;
  // What a suite prints first is its own id, and it looks much like that of a run.
  const isOfSuite = /^s[0-9a-f]{4,16}$/.test(ref);
  const hint = isOfSuite ? ` (suites have such ids; schism runs ls tells the runs of each)` : '';
  throw new HarnessError('bad-input', `no run '${ref}' below ${root}${hint}; ${there}`);
}

/** The folder with a `run.json` that holds this path, which may be that folder. */
function runAround(path: string): string | undefined {
  for (let dir = path; dir !== dirname(dir); dir = dirname(dir))
    if (existsSync(join(dir, 'run.json'))) return dir;
  return undefined;
}

function matches(runs: readonly StoredRun[], ref: string): readonly StoredRun[] {
  if (ref === 'latest') return runs.slice(-1);
  if (ref === 'latest-failed') return runs.filter(({ verdict }) => verdict !== 'pass').slice(-1);
  if (/^-\d{1,4}$/.test(ref))
    return runs.slice(Number(ref)).slice(0, runs.length >= -Number(ref) ? 1 : 0);
  if (!/^[0-9a-f]+$/.test(ref)) return [];
  const exact = runs.filter(({ id }) => id === ref);
  return exact.length > 0 ? exact : runs.filter(({ id }) => id.startsWith(ref));
}

/** `run.json` of a stored run. Throws `bad-input` when it is missing or from another version. */
export async function readManifest(dir: string): Promise<RunManifest> {
  const path = join(dir, 'run.json');
  let manifest: RunManifest;
  try {
    manifest = JSON.parse(await readFile(path, 'utf8')) as RunManifest;
  } catch (error) {
    throw new HarnessError('bad-input', `cannot read ${path}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (manifest.schism !== 1)
    throw new HarnessError('bad-input', `${path}: written by another version of schism`);
  requireName(manifest, path);
  return completed(manifest);
}

/** Files are called by it, and a run may come from anywhere. */
function requireName({ run }: RunManifest, path: string): void {
  if (typeof run !== 'string' || !/^[\w.-]{1,64}$/.test(run))
    throw new HarnessError('bad-input', `${path}: its 'run' is no id of a run`);
}

/** Runs that were stored before options said what the system can do asked for registers only. */
function completed(manifest: RunManifest): RunManifest {
  const { config } = manifest;
  const { capabilities = ['register'] } = config.workloadOptions as Partial<WorkloadOptions>;
  const workloadOptions = { ...config.workloadOptions, capabilities };
  return { ...manifest, config: { ...config, workloadOptions } };
}

/**
 * `results.json` of a stored run: its whole outcome. Throws `bad-input` for a run that did not come
 * to its end, and for one of another version.
 */
export async function readResult(dir: string): Promise<RunResult> {
  const manifest = await readManifest(dir);
  const record = await readRecord(join(dir, 'results.json'));
  if (!isResult(record))
    throw new HarnessError(
      'bad-input',
      `run ${manifest.run} did not come to its end: it has no whole results.json; ` +
        `\`schism check ${manifest.run}\` judges what it recorded`,
    );
  const result = record as unknown as RunResult;
  requireName(result.manifest, join(dir, 'results.json'));
  return { ...result, manifest: completed(result.manifest) };
}

/** As much as every reader counts on. */
function isResult(record: Readonly<Record<string, unknown>>): boolean {
  const { manifest, verdict, counts, checks, problems, phases, reasons } = record;
  const isWhole = (manifest as { schism?: unknown } | undefined)?.schism === 1;
  const lists = [checks, problems, phases, reasons];
  return (
    isWhole &&
    ['pass', 'fail', 'unknown', 'error'].includes(String(verdict)) &&
    typeof counts === 'object' &&
    lists.every((list) => Array.isArray(list))
  );
}

/** The history of a stored run's test, compressed or as a crash left it. */
export function storedHistory(dir: string, test: string): string {
  const plain = historyFile(testDir(dir, test));
  const path = [plain, `${plain}.gz`].find((candidate) => existsSync(candidate));
  if (path === undefined)
    throw new HarnessError(
      'bad-input',
      `${testDir(dir, test)} holds no history.jsonl(.gz); retain.history may have let it go`,
    );
  return path;
}
