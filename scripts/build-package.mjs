// Makes the package that is published: JavaScript with declarations, as Node.js strips no types below
// node_modules. It becomes dist/ (or the folder that is named), with a package.json of its own, so
// that within the project `import 'schism'` goes on to mean the sources.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pickFiles } from '../cluster/backends/docker/images-pick.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const target = resolve(root, process.argv[2] ?? 'dist');
const MAIN = 'cli/main.ts';
/** Written as they are for whoever calls `schism init`. */
const TEMPLATES = 'cli/init/template';
const LEFT_OUT = ['devDependencies', 'scripts', 'allowScripts'];
const ours = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Compiles what the programs need; `npm run check` is there to look at the types. */
function compile(sources) {
  // Below the root, or the compiler would not find the types of packages.
  const folder = mkdtempSync(join(root, 'node_modules', '.package-'));
  const config = join(folder, 'tsconfig.json');
  const compilerOptions = {
    noEmit: false,
    noCheck: true,
    rootDir: root,
    outDir: target,
    typeRoots: [join(root, 'node_modules', '@types')],
  };
  const files = sources.map((path) => join(root, path));
  const project = { extends: join(root, 'tsconfig.json'), compilerOptions, files, include: [] };
  writeFileSync(config, JSON.stringify(project));
  const compiler = join(root, 'node_modules', '.bin', 'tsc');
  const done = spawnSync(compiler, ['-p', config], { cwd: root, stdio: ['ignore', 2, 2] });
  rmSync(folder, { recursive: true });
  if (done.status !== 0) process.exit(done.status ?? 1);
}

/** The compiler rewrites the imports of what runs, and leaves those of declarations. */
function pointDeclarationsAtEachOther() {
  for (const entry of readdirSync(target, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.d.ts')) continue;
    const path = join(entry.parentPath, entry.name);
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replaceAll(/((?:from |import\()['"]\.[^'"]*)\.ts(['"])/g, '$1.js$2'));
  }
}

function copy(path) {
  mkdirSync(join(target, dirname(path)), { recursive: true });
  copyFileSync(join(root, path), join(target, path));
}

function manifest() {
  const entry = ([name, path]) => [
    name,
    path.endsWith('.ts')
      ? { types: path.replace(/\.ts$/, '.d.ts'), default: path.replace(/\.ts$/, '.js') }
      : path,
  ];
  const kept = Object.entries(ours).filter(([name]) => !LEFT_OUT.includes(name));
  return {
    ...Object.fromEntries(kept),
    exports: Object.fromEntries(Object.entries(ours.exports).map(entry)),
  };
}

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
const entries = Object.values(ours.exports).map((path) => path.slice(2));
const { files } = pickFiles(root, [MAIN, ...entries]);
const missing = files.filter((path) => !existsSync(join(root, path)));
if (missing.length > 0) {
  process.stderr.write(`not there: ${missing.join(', ')}; first: node scripts/setup.mjs\n`);
  process.exit(1);
}
compile(files.filter((path) => extname(path) === '.ts' && !path.startsWith(TEMPLATES)));
pointDeclarationsAtEachOther();
for (const path of files) if (!['.ts', '.json'].includes(extname(path))) copy(path);
for (const name of readdirSync(join(root, TEMPLATES))) copy(join(TEMPLATES, name));
for (const name of ['README.md', 'CHANGELOG.md', 'LICENSE'])
  if (existsSync(join(root, name))) copy(name);
// Found beside the manifest, wherever that is.
for (const name of readdirSync(join(root, 'regressions'), { recursive: true }))
  if (extname(name) === '.json') copy(join('regressions', name));
copy('cli/schism.mjs');
chmodSync(join(target, 'cli/schism.mjs'), 0o755);
writeFileSync(join(target, 'package.json'), `${JSON.stringify(manifest(), null, 2)}\n`);
