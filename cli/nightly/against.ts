/** Finds the earlier suites that a new one is compared with. */
import { glob, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { HarnessError } from '../../harness/core/errors.ts';
import type { SuiteResult } from '../../harness/protocols/suite.ts';
import { isArchive, unpack } from '../../harness/store/archive.ts';
import { listSuites, readSuite } from '../../harness/store/suites.ts';
import { inOrder } from '../../reports/trend/nights.ts';
import type { Shell } from '../program.ts';

/** Folders that hold no suites, and much else. */
const IGNORED: ReadonlySet<string> = new Set(['runs', 'node_modules', '.git', 'nodes']);

/** As `earlierSuites`, told to the user where nothing is found; undefined: nothing was asked. */
export async function earlierOf(
  shell: Pick<Shell, 'err'>,
  paths: readonly string[] | undefined,
): Promise<readonly SuiteResult[] | undefined> {
  if (paths === undefined) return undefined;
  const found: SuiteResult[] = [];
  for (const path of paths) {
    const suites = await earlierSuites(path);
    if (suites.length === 0)
      shell.err(
        `schism: --against: there are no suites in ${path} yet, and so none to compare with\n`,
      );
    found.push(...suites);
  }
  return inOrder(found);
}

/**
 * All suites in a folder where runs are kept, in any folder with such folders or blobs below it, or in
 * one blob. None where there is no such path: before the first night there is nothing. Suites that
 * cannot be read are left out. Throws `bad-input` for a file that is no archive.
 */
export async function earlierSuites(path: string): Promise<readonly SuiteResult[]> {
  const there = await stat(path).catch(() => undefined);
  if (there === undefined) return [];
  if (there.isDirectory()) return inFolder(resolve(path));
  if (!(await isArchive(path)))
    throw new HarnessError('bad-input', `--against: ${path} is neither a folder nor an archive`);
  return inArchive(path);
}

async function inFolder(dir: string): Promise<readonly SuiteResult[]> {
  const stored = (await listSuites(dir)).map(({ result }) => result);
  if (stored.length > 0) return stored;
  const found: SuiteResult[] = [];
  const exclude = (name: string): boolean => IGNORED.has(name.split(/[/\\]/).at(-1) ?? '');
  for await (const name of glob(['**/suite.json', '**/*.zip'], { cwd: dir, exclude })) {
    const path = join(dir, name);
    if (!name.endsWith('.zip')) found.push(...(await readable(dirname(path))));
    else if (await isArchive(path)) found.push(...(await inArchive(path).catch(() => [])));
  }
  return found;
}

async function inArchive(path: string): Promise<readonly SuiteResult[]> {
  const into = await mkdtemp(join(tmpdir(), 'schism-against-'));
  try {
    await unpack(path, into);
    const found: SuiteResult[] = [];
    for await (const name of glob('**/suite.json', { cwd: into }))
      found.push(...(await readable(dirname(join(into, name)))));
    return found;
  } finally {
    await rm(into, { recursive: true, force: true });
  }
}

/** What cannot be read is no reason to lose tonight's result. */
async function readable(dir: string): Promise<readonly SuiteResult[]> {
  try {
    return [await readSuite(dir)];
  } catch {
    return [];
  }
}
