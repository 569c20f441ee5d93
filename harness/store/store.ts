import { existsSync } from 'node:fs';
import {
  appendFile,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
} from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { HarnessError, messageOf } from '../core/errors.ts';
import type { Random } from '../core/prng.ts';
import type { RunManifest, RunResult } from '../protocols/run.ts';
import { historyFile, idOfFolder, runFolderName, runsDir, testDir } from './layout.ts';

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
  /** Enters the run into `index.jsonl`, and points `latest` (and `latest-failed`) at it. */
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
    const id = await freshId(root, run.random);
    const dir = resolve(runsDir(root), runFolderName(id, run.startedAtMs));
    const test = testDir(dir, run.test);
    await mkdir(join(test, 'checks'), { recursive: true });
    return handle(resolve(root), id, dir, test);
  } catch (error) {
    throw new HarnessError('store-failed', `cannot make a run below ${root}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

async function freshId(root: string, random: Random): Promise<string> {
  const taken = new Set((await listRuns(root)).map(({ id }) => id));
  for (let digits = 4; ; digits++) {
    for (let tries = 0; tries < 8; tries++) {
      const id = Array.from({ length: digits }, () => random.int(0, 15).toString(16)).join('');
      if (!taken.has(id)) return id;
    }
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
      const line = {
        run: id,
        dir: basename(dir),
        verdict,
        exitCode,
        startedAt: manifest.startedAt,
      };
      await appendFile(join(runsDir(root), 'index.jsonl'), `${JSON.stringify(line)}\n`);
      await pointAt(join(root, 'latest'), dir);
      if (verdict !== 'pass') await pointAt(join(root, 'latest-failed'), dir);
    },
  };
}

/** Write, fsync, rename: after a power failure the old file or the new one is there, never half. */
async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.tmp`;
  await mkdir(dirname(path), { recursive: true });
  {
    await using file = await open(temporary, 'w');
    await file.writeFile(text);
    await file.sync();
  }
  await rename(temporary, path);
}

/** A symbolic link, or a text file with the folder's name where links cannot be made. */
async function pointAt(link: string, dir: string): Promise<void> {
  const target = join('runs', basename(dir));
  const temporary = `${link}.tmp`;
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
  try {
    const { verdict } = JSON.parse(await readFile(join(run.dir, 'verdict.json'), 'utf8')) as {
      verdict: string;
    };
    return { ...run, verdict };
  } catch {
    return run;
  }
}

/**
 * The folder that `ref` names: `latest`, `latest-failed`, `-1` (the last), `-2`, the beginning of
 * an id that no other run has, or a path. Throws `bad-input`, saying what there is.
 */
export async function findRun(root: string, ref: string): Promise<string> {
  if (existsSync(ref) && (await stat(ref)).isDirectory()) return resolve(ref);
  const runs = await listRuns(root);
  const matching = matches(runs, ref);
  const [found] = matching;
  if (found !== undefined && matching.length === 1) return found.dir;
  const some = runs.slice(-5).map(({ id }) => id);
  const there = some.length === 0 ? 'there are none' : `the newest are ${some.join(', ')}`;
  throw new HarnessError(
    'bad-input',
    matching.length > 1
      ? `'${ref}' is the beginning of ${matching.length} runs: ${matching.map(({ id }) => id).join(', ')}`
      : `no run '${ref}' below ${root}; ${there}`,
  );
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
  return manifest;
}

/** The history of a stored run's test, compressed or as a crash left it. */
export function storedHistory(dir: string, test: string): string {
  const plain = historyFile(testDir(dir, test));
  const path = [plain, `${plain}.gz`].find((candidate) => existsSync(candidate));
  if (path === undefined)
    throw new HarnessError('bad-input', `${testDir(dir, test)} holds no history.jsonl(.gz)`);
  return path;
}
