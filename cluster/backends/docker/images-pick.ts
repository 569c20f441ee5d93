/** Which files of this project, and of the packages it uses, a program needs to run. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** All paths are relative to the root of the project, with `/`. */
export interface Picked {
  readonly files: readonly string[];
  /** Folders below `node_modules`, with everything that they need in turn. */
  readonly packages: readonly string[];
}

/** Never read by Node.js. */
const USELESS = /\.(d\.[mc]?ts|map|md|markdown|flow)$/;

/** Follows imports from where programs start, and the dependencies of every package it meets. */
export function pickFiles(root: string, entries: readonly string[]): Picked {
  const files = new Set<string>();
  const packages = new Set<string>();
  // It says that modules are modules.
  const waiting = entries.length === 0 ? [] : ['package.json', ...entries];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (files.has(path)) continue;
    files.add(path);
    if (!/\.(ts|mjs)$/.test(path)) continue;
    for (const name of importsOf(readFileSync(join(root, path), 'utf8'))) {
      if (name.startsWith('.')) waiting.push(join(dirname(path), name));
      else if (!name.startsWith('node:')) addPackage(root, '', packageOf(name), packages);
    }
  }
  return { files: sorted(files), packages: sorted(packages) };
}

/** The files of a package that are worth to be copied. */
export function packageFiles(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && !USELESS.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .toSorted();
}

/** What a module imports when it runs; imports of types alone are erased. */
function importsOf(text: string): string[] {
  const found: string[] = [];
  // A constant that holds a text is exported without a `from`.
  const statements = /^(?:import|export)\s(?!type\s)(?:[^;'"]*?\bfrom\s)?'([^']+)';/gm;
  for (const [, name] of text.matchAll(statements)) if (name !== undefined) found.push(name);
  for (const [, name] of text.matchAll(/(?<!typeof )\bimport\('([^']+)'\)/g))
    if (name !== undefined) found.push(name);
  // Programs and workers, which are `.ts` here and `.js` in a package.
  for (const [, name] of text.matchAll(/new URL\(\s*['`](\.[^'`]+)['`]/g))
    if (name !== undefined) found.push(name.replace(/\$\{.*\}$/, '.ts'));
  for (const [, name] of text.matchAll(/\(import\.meta\.dirname, '([^']+\.\w+)'/g))
    if (name !== undefined) found.push(`./${name}`);
  return found;
}

function packageOf(name: string): string {
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');
}

/** Looks as Node.js does: in the package that asks, then outwards. Types are no use at run time. */
function addPackage(root: string, asking: string, name: string, found: Set<string>): void {
  if (name.startsWith('@types/')) return;
  const folder = join(asking, 'node_modules', name);
  if (!existsSync(join(root, folder, 'package.json'))) {
    // An optional one may be missing altogether.
    if (asking !== '') addPackage(root, outer(asking), name, found);
    return;
  }
  if (found.has(folder)) return;
  found.add(folder);
  const { dependencies = {}, optionalDependencies = {} } = JSON.parse(
    readFileSync(join(root, folder, 'package.json'), 'utf8'),
  ) as { dependencies?: object; optionalDependencies?: object };
  for (const needed of Object.keys({ ...dependencies, ...optionalDependencies }))
    addPackage(root, folder, needed, found);
}

/** The package within whose `node_modules` this one is; the project itself is ''. */
function outer(folder: string): string {
  const at = folder.lastIndexOf('/node_modules/');
  return at < 0 ? '' : folder.slice(0, at);
}

function sorted(set: ReadonlySet<string>): string[] {
  return [...set].toSorted();
}
