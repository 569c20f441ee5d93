/** Finds the test files below a folder, and lets them declare their tests. */
import { glob, realpath } from 'node:fs/promises';
import { basename, relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { HarnessError, messageOf } from '../../harness/core/errors.ts';
import { installHint, whereThrown, withSchedule } from '../config/load.ts';
import type { DeclaredTest } from './chaos-test.ts';
import { testsOf } from './test-api.ts';

const FILES = '*.chaos.{ts,mts,js,mjs}';
/** Folders with files that are not the user's own. */
const IGNORED: ReadonlySet<string> = new Set(['node_modules', '.schism', '.git']);
/** Of the folder where runs are kept, which may have any name. */
const KEPT: readonly string[] = ['runs', 'repro', 'suites'];

export interface TestFile {
  /** Absolute. */
  readonly path: string;
  /** Relative to the working folder, with `/`. */
  readonly file: string;
  /** In the order in which they stand there. */
  readonly tests: readonly DeclaredTest[];
}

/** All test files below a folder with their tests, in the order of their names. */
export async function collectTests(testDir: string): Promise<readonly TestFile[]> {
  return loadTestFiles(await findTestFiles(testDir));
}

/** Of absolute paths. One after another, so that what they print stays together. */
export async function loadTestFiles(paths: readonly string[]): Promise<readonly TestFile[]> {
  const files: TestFile[] = [];
  for (const path of paths)
    files.push({ path, file: shownPath(path), tests: await loadTestFile(path) });
  return files;
}

/** Where test files may be, beside the folder that is given. */
export interface Places {
  /** `true`: in that folder and below its `chaos/`; otherwise anywhere below it. */
  readonly isDefault?: boolean;
  /** The folder where runs are kept: what stands there is no test. */
  readonly store?: string;
}

/** Absolute paths, in order. Loads nothing. */
export async function findTestFiles(
  testDir: string,
  { isDefault = false, store }: Places = {},
): Promise<readonly string[]> {
  const cwd = resolve(testDir);
  const kept = store === undefined ? [] : KEPT.map((name) => `${resolve(store, name)}${sep}`);
  const exclude = (name: string): boolean => IGNORED.has(basename(name));
  const patterns = isDefault ? [FILES, `chaos/**/${FILES}`] : [`**/${FILES}`];
  const found: string[] = [];
  for await (const name of glob(patterns, { cwd, exclude })) found.push(resolve(cwd, name));
  return found.filter((path) => !kept.some((dir) => path.startsWith(dir))).toSorted();
}

/** Throws one clear line for a file that does not load, or declares nothing. */
export async function loadTestFile(path: string): Promise<readonly DeclaredTest[]> {
  const shown = shownPath(path);
  // A call tells the file that it stands in, whatever links lead there.
  const real = await realpath(path);
  try {
    await import(pathToFileURL(real).href);
  } catch (error) {
    throw notLoaded(shown, error);
  }
  const tests = testsOf(real);
  if (tests.length === 0)
    throw new HarnessError(
      'bad-input',
      `${shown} declares no test; write: import { test } from 'schism'; test('title', { ... })`,
    );
  const beside = (inside: string): string => resolve(path, '..', inside);
  return tests.map((test) => ({ ...test, options: withSchedule(test.options, beside) }));
}

function notLoaded(shown: string, error: unknown): HarnessError {
  // By name: it may come of another copy of this package.
  if (error instanceof Error && error.name === 'HarnessError')
    return new HarnessError('bad-option', `${shown}: ${error.message}`, {
      cause: error,
      ...('details' in error && typeof error.details === 'string' && { details: error.details }),
    });
  const why = `${messageOf(error)}${installHint(error)}`;
  return new HarnessError('bad-input', `${shown} does not load: ${why}`, {
    cause: error,
    ...whereThrown(error),
  });
}

function shownPath(path: string): string {
  return relative('', path).replaceAll('\\', '/');
}
