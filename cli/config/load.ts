import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, extname, isAbsolute, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { HarnessError, messageOf, systemCodeOf } from '../../harness/core/errors.ts';
import type { RunOptions, SchismConfig } from './config.ts';
import { parseConfig } from './schema.ts';

const MODULES: readonly string[] = ['.ts', '.mts', '.js', '.mjs'];

/** What a config is called in the working folder, where none was named. */
const NAMES: readonly string[] = [...MODULES, '.json'].map((kind) => `schism.config${kind}`);

export interface LoadedConfig {
  readonly config: SchismConfig;
  /** Absolute; absent: there is none, and `config` is empty. */
  readonly path?: string;
}

/**
 * The config of this name, or the one of the folder; none is an empty one. Throws as `loadConfig`
 * does, and `bad-input` for a folder with two.
 */
export async function findConfig(given: string | undefined, dir = '.'): Promise<LoadedConfig> {
  if (given !== undefined) return { config: await loadConfig(given), path: resolve(given) };
  const path = defaultConfig(dir);
  return path === undefined ? { config: {} } : { config: await loadConfig(path), path };
}

/** The absolute path of the config of a folder; undefined: there is none. */
export function defaultConfig(dir = '.'): string | undefined {
  const [found, other] = NAMES.filter((name) => existsSync(resolve(dir, name)));
  if (other !== undefined)
    throw new HarnessError(
      'bad-input',
      `there is a ${found} and a ${other}; say with --config which one counts`,
    );
  return found === undefined ? undefined : resolve(dir, found);
}

/**
 * Reads a config: JSON, or a module whose default export it is. Paths in it come out absolute.
 * Throws `bad-input` when it cannot be read, `bad-option` for what it says.
 */
export async function loadConfig(file: string): Promise<SchismConfig> {
  const path = resolve(file);
  const shown = isAbsolute(file) ? relative('', file) || file : file;
  const config = parseConfig(await read(path, shown), shown);
  const from = (inside: string): string => resolve(dirname(path), inside);
  const { projects } = config;
  return {
    ...withSchedule(config, from),
    ...(projects !== undefined && {
      projects: projects.map((project) => withSchedule(project, from)),
    }),
    ...(config.output !== undefined && { output: from(config.output) }),
    ...(config.testDir !== undefined && { testDir: from(config.testDir) }),
  };
}

/** A schedule that is a file comes out as a path that does not depend on the working folder. */
export function withSchedule<Options extends RunOptions>(
  options: Options,
  from: (inside: string) => string,
): Options {
  const { schedule } = options;
  return typeof schedule === 'string' ? { ...options, schedule: from(schedule) } : options;
}

async function read(path: string, file: string): Promise<unknown> {
  const kind = extname(path);
  if (kind !== '.json' && !MODULES.includes(kind))
    throw new HarnessError(
      'bad-input',
      `--config: ${file} must end in .json or ${MODULES.join(', ')}`,
    );
  try {
    const text = await readFile(path, 'utf8');
    if (kind === '.json') return JSON.parse(text) as unknown;
  } catch (error) {
    const why = systemCodeOf(error) === 'ENOENT' ? 'there is no such file' : messageOf(error);
    throw new HarnessError('bad-input', `--config: cannot read ${file}: ${why}`, { cause: error });
  }
  return defaultExport(path, file);
}

async function defaultExport(path: string, file: string): Promise<unknown> {
  let loaded: object;
  try {
    loaded = (await import(pathToFileURL(path).href)) as object;
  } catch (error) {
    const why = `${messageOf(error)}${installHint(error)}`;
    throw new HarnessError('bad-input', `--config: ${file} does not load: ${why}`, {
      cause: error,
      ...whereThrown(error),
    });
  }
  if ('default' in loaded) return loaded.default;
  throw new HarnessError(
    'bad-input',
    `--config: ${file} exports no config; write: export default defineConfig({ ... })`,
  );
}

/** What to do where a file of the user's finds none of this package; else ''. */
export function installHint(error: unknown): string {
  const isMissing =
    systemCodeOf(error) === 'ERR_MODULE_NOT_FOUND' && messageOf(error).includes("package 'schism'");
  return isMissing ? '; install it where the file is: npm install --save-dev schism' : '';
}

/** As details of an error: where in the user's code it was thrown, if that can be told. */
export function whereThrown(error: unknown): { readonly details?: string } {
  if (!(error instanceof Error) || error.stack === undefined) return {};
  const lines = error.stack.split('\n').filter((line) => !/^\s+at .*\bnode:/.test(line));
  const said = `${error.name}: ${error.message}`.split('\n').length;
  return lines.length <= said ? {} : { details: lines.join('\n') };
}
