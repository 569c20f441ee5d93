/** What `schism init` would write, decided before anything is written. */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HarnessError, messageOf, systemCodeOf } from '../../harness/core/errors.ts';

/** A file that is made, or changed, by `schism init`. */
export interface InitFile {
  /** Relative to the folder. */
  readonly path: string;
  /** All of it. */
  readonly text: string;
  /** For people: what it is, or what is added to it. */
  readonly about: string;
  /** There was such a file, and it keeps everything it had. */
  readonly grows: boolean;
}

export interface InitPlan {
  readonly files: readonly InitFile[];
  /** What stands where a new file should go; nothing is written while there is any. */
  readonly taken: readonly string[];
  /** Plain sentences: what was left out, and why. */
  readonly notes: readonly string[];
}

const RUNS = '.schism/';
const SCRIPT = { name: 'chaos', command: 'schism run' };
const CONFIGS = ['ts', 'mts', 'js', 'mjs', 'json'].map((kind) => `schism.config.${kind}`);
const WORKFLOW = '.github/workflows/chaos.yml';
const TEMPLATES = {
  config: new URL('./template/schism.config.ts', import.meta.url),
  test: new URL('./template/register.chaos.ts', import.meta.url),
  workflow: new URL('./template/chaos.yml', import.meta.url),
};

/** Reads what is in the folder, which need not exist. Throws `bad-input` for what cannot be read. */
export async function planInit(dir: string): Promise<InitPlan> {
  const manifest = await nearest(dir, 'package.json');
  // Without `"type": "module"` Node.js would have to guess, and says so at each start.
  const kind = manifest === undefined || typeOf(manifest) === 'module' ? 'ts' : 'mts';
  const repository = await nearestFolder(dir, '.git');
  const isInside = repository !== undefined && repository !== dir;
  const [config, test, workflow] = await Promise.all(
    [TEMPLATES.config, TEMPLATES.test, TEMPLATES.workflow].map((from) => readFile(from, 'utf8')),
  );
  const fresh = [
    { path: `schism.config.${kind}`, text: config, about: 'what every test starts from' },
    {
      path: `chaos/register.chaos.${kind}`,
      text: test,
      about: 'three tests, one of them for a bug that is known',
    },
    ...(isInside
      ? []
      : [{ path: WORKFLOW, text: workflow, about: 'every night, on GitHub Actions' }]),
  ].map(({ path, text = '', about }) => ({ path, text, about, grows: false }));
  const wanted = [...CONFIGS, ...fresh.slice(1).map(({ path }) => path)];
  const there = await Promise.all(
    wanted.map(async (path) => ((await textAt(join(dir, path))) === undefined ? [] : [path])),
  );
  const script = await withScript(dir, manifest);
  const notes = isInside
    ? [`no workflow: GitHub reads those at the root of the repository only, ${repository}`]
    : [];
  return {
    files: [...fresh, ...(await withIgnored(dir)), ...script.files],
    taken: there.flat(),
    notes: [...notes, ...script.notes],
  };
}

/** Runs are large, and nobody wants them under version control. */
async function withIgnored(dir: string): Promise<readonly InitFile[]> {
  const path = '.gitignore';
  const text = await textAt(join(dir, path));
  const lines = (text ?? '').split(/\r?\n/).map((line) => line.trim().replace(/^\//, ''));
  if (lines.includes(RUNS) || lines.includes(RUNS.slice(0, -1))) return [];
  const before = text === undefined || text === '' || text.endsWith('\n') ? text : `${text}\n`;
  const grows = text !== undefined;
  return [{ path, text: `${before ?? ''}${RUNS}\n`, about: `the line ${RUNS}`, grows }];
}

interface Script {
  readonly files: readonly InitFile[];
  readonly notes: readonly string[];
}

async function withScript(dir: string, nearestOne: Found | undefined): Promise<Script> {
  const path = 'package.json';
  const script = { [SCRIPT.name]: SCRIPT.command };
  if (nearestOne === undefined) {
    const text = jsonText({ private: true, type: 'module', scripts: script });
    return { files: [{ path, text, about: 'a package of its own', grows: false }], notes: [] };
  }
  // A folder within a package: its scripts start elsewhere.
  if (dirname(nearestOne.path) !== dir) return { files: [], notes: [] };
  const manifest = parsed(nearestOne);
  const scripts = manifest['scripts'] ?? {};
  if (typeof scripts !== 'object' || Array.isArray(scripts))
    throw new HarnessError('bad-input', `${nearestOne.path}: its scripts are no object`);
  const own = (scripts as Record<string, unknown>)[SCRIPT.name];
  if (own === SCRIPT.command) return { files: [], notes: [] };
  if (own !== undefined)
    return { files: [], notes: [`package.json has a script ${SCRIPT.name}, which stays as it is`] };
  const indent = /^[ \t]+/m.exec(nearestOne.text)?.[0] ?? '  ';
  const text = jsonText({ ...manifest, scripts: { ...scripts, ...script } }, indent);
  return { files: [{ path, text, about: `the script ${SCRIPT.name}`, grows: true }], notes: [] };
}

function jsonText(value: object, indent = '  '): string {
  return `${JSON.stringify(value, null, indent)}\n`;
}

interface Found {
  readonly path: string;
  readonly text: string;
}

function parsed({ path, text }: Found): Readonly<Record<string, unknown>> {
  try {
    const value = JSON.parse(text.replace(/^\uFEFF/, '')) as unknown;
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch (error) {
    throw new HarnessError('bad-input', `${path}: ${messageOf(error)}`, { cause: error });
  }
  throw new HarnessError('bad-input', `${path} is no JSON object`);
}

function typeOf(manifest: Found): unknown {
  return parsed(manifest)['type'];
}

/** The file of that name in the folder, or in the nearest one around it. */
async function nearest(dir: string, name: string): Promise<Found | undefined> {
  const path = join(dir, name);
  const text = await textAt(path);
  if (text !== undefined) return { path, text };
  return dirname(dir) === dir ? undefined : nearest(dirname(dir), name);
}

/** The folder that has it: this one, or the nearest around it. */
async function nearestFolder(dir: string, name: string): Promise<string | undefined> {
  if ((await textAt(join(dir, name))) !== undefined) return dir;
  return dirname(dir) === dir ? undefined : nearestFolder(dirname(dir), name);
}

/** Of a folder: an empty text. */
async function textAt(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (code === 'EISDIR') return '';
    throw new HarnessError('bad-input', `cannot read ${path}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
