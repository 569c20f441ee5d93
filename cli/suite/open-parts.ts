/** Finds the suites to merge, in blobs and folders, and brings their runs home. */
import {
  cp,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { HarnessError, messageOf } from '../../harness/core/errors.ts';
import type { SuiteResult } from '../../harness/protocols/suite.ts';
import { isArchive, unpack } from '../../harness/store/archive.ts';
import { filesOf } from '../../harness/store/files.ts';
import { idOfFolder, runsDir } from '../../harness/store/layout.ts';
import { MARKS } from '../../harness/store/marks.ts';
import { rebuildIndex, repoint } from '../../harness/store/store.ts';
import { readSuite, suitesDir } from '../../harness/store/suites.ts';
import type { Part } from './merge.ts';

/** A suite, and the folder in which its runs are kept. */
export interface OpenedPart extends Part {
  readonly root: string;
}

export interface OpenedParts extends AsyncDisposable {
  readonly parts: readonly OpenedPart[];
}

/**
 * Opens blobs, folders of a suite, and folders with blobs below them. What is unpacked is gone when
 * it is disposed. Throws `bad-input`.
 */
export async function openParts(paths: readonly string[]): Promise<OpenedParts> {
  const temporary = await mkdtemp(join(tmpdir(), 'schism-merge-'));
  const dispose = (): Promise<void> => rm(temporary, { recursive: true, force: true });
  try {
    const parts: OpenedPart[] = [];
    for (const path of paths) parts.push(...(await partsAt(path, temporary)));
    return { parts, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function partsAt(path: string, temporary: string): Promise<readonly OpenedPart[]> {
  const there = await stat(path).catch(() => undefined);
  if (there === undefined) throw new HarnessError('bad-input', `merge: there is no ${path}`);
  if (!there.isDirectory()) return [await unpacked(path, temporary)];
  const suite = await suiteIn(path, path);
  if (suite !== undefined) return [suite];
  const zips = (await filesOf(path)).filter(({ name }) => name.endsWith('.zip'));
  const parts: OpenedPart[] = [];
  // Other archives may lie there, too.
  for (const zip of zips)
    if (await isArchive(zip.path)) parts.push(...(await tried(zip.path, temporary)));
  if (parts.length === 0)
    throw new HarnessError('bad-input', `merge: there is no blob below ${path}`);
  return parts;
}

async function tried(zip: string, temporary: string): Promise<readonly OpenedPart[]> {
  const part = await unpackedInto(zip, temporary);
  return part === undefined ? [] : [part];
}

async function unpacked(zip: string, temporary: string): Promise<OpenedPart> {
  if (!(await isArchive(zip)))
    throw new HarnessError('bad-input', `merge: ${zip} is no blob: it is not an archive`);
  const part = await unpackedInto(zip, temporary);
  if (part !== undefined) return part;
  throw new HarnessError('bad-input', `merge: ${zip} is no blob: there is no suite in it`);
}

async function unpackedInto(zip: string, temporary: string): Promise<OpenedPart | undefined> {
  const into = await mkdtemp(join(temporary, 'blob-'));
  await unpack(zip, into);
  return suiteIn(into, zip);
}

/** In a suite's own folder, or in one in which runs are kept and that has one suite. */
async function suiteIn(dir: string, source: string): Promise<OpenedPart | undefined> {
  const names = await readdir(dir);
  if (names.includes('suite.json')) {
    // `latest-suite` is a link.
    const root = resolve(await realpath(dir), '..', '..');
    return { source, root, result: await readSuite(dir) };
  }
  const [suite, ...others] = await readdir(suitesDir(dir)).catch(() => []);
  if (suite === undefined) return undefined;
  if (others.length > 0)
    throw new HarnessError('bad-input', `merge: ${source} holds several suites; name one of them`);
  return { source, root: dir, result: await readNamed(join(suitesDir(dir), suite), source) };
}

/** What is unpacked lies where nobody knows it: it is called as it was given. */
async function readNamed(dir: string, source: string): Promise<SuiteResult> {
  try {
    return await readSuite(dir);
  } catch (error) {
    const message = messageOf(error).replaceAll(join(dir, 'suite.json'), `the suite in ${source}`);
    throw new HarnessError('bad-input', `merge: ${message}`, { cause: error });
  }
}

/**
 * Copies the runs of a part below `root`, and returns its result as seen from a suite's folder there.
 * Nothing but folders of runs is read or written, whatever the suite says. Throws `bad-input` where
 * another run has the same folder.
 */
export async function bringHome(part: OpenedPart, root: string): Promise<SuiteResult> {
  const tests = part.result.tests.map((test) => ({
    ...test,
    runs: test.runs.map((run) => ({ ...run, dir: `../../runs/${runFolder(part, run.dir)}` })),
  }));
  const folders = new Set(tests.flatMap(({ runs }) => runs.map(({ dir }) => basename(dir))));
  for (const folder of folders)
    await copyRun(join(runsDir(part.root), folder), join(runsDir(root), folder));
  if (folders.size > 0) {
    await rebuildIndex(root);
    await repoint(root);
  }
  return { ...part.result, tests };
}

function runFolder({ source }: Part, dir: string): string {
  const folder = basename(dir);
  if (idOfFolder(folder) !== undefined) return folder;
  throw new HarnessError('bad-input', `merge: ${source}: '${dir}' is no folder of a run`);
}

async function copyRun(from: string, to: string): Promise<void> {
  if (resolve(from) === resolve(to)) return;
  const [there, here] = await Promise.all([manifestIn(from), manifestIn(to)]);
  if (there === undefined || there === here) return;
  if (here !== undefined)
    throw new HarnessError('bad-input', `merge: ${to} is there already, and is another run`);
  if ((await lstat(from)).isSymbolicLink())
    throw new HarnessError('bad-input', `merge: ${from} is a link; links are not followed`);
  const temporary = `${to}.tmp`;
  await mkdir(dirname(to), { recursive: true });
  await rm(temporary, { recursive: true, force: true });
  // Marks say something of the store they came from.
  await cp(from, temporary, {
    recursive: true,
    filter: async (path) =>
      !MARKS.includes(basename(path)) && !(await lstat(path)).isSymbolicLink(),
  });
  await rename(temporary, to);
}

/** The text of `run.json`; undefined where there is no run. */
async function manifestIn(dir: string): Promise<string | undefined> {
  return readFile(join(dir, 'run.json'), 'utf8').catch(() => undefined);
}
