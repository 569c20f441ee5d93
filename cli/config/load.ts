import { readFile } from 'node:fs/promises';
import { dirname, extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { HarnessError, messageOf, systemCodeOf } from '../../harness/core/errors.ts';
import type { SchismConfig } from './config.ts';
import { parseConfig } from './schema.ts';

const MODULES: readonly string[] = ['.ts', '.mts', '.js', '.mjs'];

/**
 * Reads a config: JSON, or a module whose default export it is. Paths in it come out relative to the
 * working folder. Throws `bad-input` when it cannot be read, `bad-option` for what it says.
 */
export async function loadConfig(file: string): Promise<SchismConfig> {
  const path = resolve(file);
  const config = parseConfig(await read(path, file), file);
  const from = (relative: string): string => resolve(dirname(path), relative);
  return {
    ...config,
    ...(config.schedule !== undefined && { schedule: from(config.schedule) }),
    ...(config.output !== undefined && { output: from(config.output) }),
  };
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
    throw new HarnessError('bad-input', `--config: ${file} does not load: ${messageOf(error)}`, {
      cause: error,
      ...(error instanceof Error && error.stack !== undefined && { details: error.stack }),
    });
  }
  if ('default' in loaded) return loaded.default;
  throw new HarnessError(
    'bad-input',
    `--config: ${file} exports no config; write: export default defineConfig({ ... })`,
  );
}
