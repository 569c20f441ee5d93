/** Finds the folder with the regressions, and reads them. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { HarnessError, messageOf, systemCodeOf } from '../../harness/core/errors.ts';
import { PACKAGE_ROOT } from '../version.ts';
import { parseRegression, type Regression } from './regression.ts';

/** What the folder is called, where none was named. */
export const REGRESSIONS = 'regressions';

/** Those that come with the package. */
export const OWN_REGRESSIONS: string = join(PACKAGE_ROOT, REGRESSIONS);

/**
 * The absolute path of the folder: as it was named, else beside the config or in the working folder,
 * else our own. Throws `bad-input` for one that was named and is not there.
 */
export function regressionsDir(given: string | true, configPath?: string): string {
  if (given === true) {
    const beside = resolve(configPath === undefined ? '' : dirname(configPath), REGRESSIONS);
    return existsSync(beside) ? beside : OWN_REGRESSIONS;
  }
  const path = resolve(given);
  if (existsSync(path)) return path;
  throw new HarnessError(
    'bad-input',
    `--regressions: there is no folder ${given}; words to filter by stand before the flag`,
  );
}

/**
 * All regressions of a folder, by their names. Throws `bad-input` for what cannot be read, and
 * `bad-option` for what a file says, in one line.
 */
export async function loadRegressions(dir: string): Promise<readonly Regression[]> {
  const found: Regression[] = [];
  for (const name of await namesIn(dir)) found.push(await loadRegression(join(dir, name)));
  return found;
}

/** Throws as `loadRegressions` does. */
export async function loadRegression(path: string): Promise<Regression> {
  const shown = relative('', path).replaceAll('\\', '/');
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    const why = systemCodeOf(error) === 'ENOENT' ? 'there is no such file' : messageOf(error);
    throw new HarnessError('bad-input', `cannot read ${shown}: ${why}`, { cause: error });
  }
  return parseRegression(value, resolve(path), shown);
}

async function namesIn(dir: string): Promise<readonly string[]> {
  try {
    const names = await readdir(dir);
    return names.filter((name) => name.endsWith('.json')).toSorted();
  } catch (error) {
    throw new HarnessError('bad-input', `--regressions: cannot read ${dir}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
