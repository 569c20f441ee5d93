// Plain JavaScript for Node >= 18: installs the locked packages when they are missing or stale, and
// builds what is not checked in when its sources changed: the engine of the linearizability checker
// and the program of the report's page.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const stamp = join(modules, '.setup-stamp');
const wanted = createHash('sha256')
  .update(readFileSync(join(root, 'package.json')))
  .update(readFileSync(join(root, 'package-lock.json')))
  .update(`${process.platform} ${process.arch}`)
  .digest('hex');
const read = (file) => (existsSync(file) ? readFileSync(file, 'utf8') : '');

if (read(stamp) !== wanted || !existsSync(join(modules, '.bin', 'node'))) {
  // `npm ci` deletes node_modules, so it must not run on the Node inside it.
  const path = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((dir) => !dir.includes(`${sep}node_modules${sep}.bin`))
    .join(delimiter);
  const done = spawnSync('npm', ['ci', '--include=dev', '--loglevel=error'], {
    cwd: root,
    env: { ...process.env, PATH: path },
    stdio: ['ignore', 2, 2],
  });
  if (done.status !== 0) process.exit(done.status ?? 1);
  writeFileSync(stamp, wanted);
}

/** Runs an npm script whose output is missing, or older than what is in `sources` now. */
function build(script, stampName, sources, output) {
  const stampFile = join(modules, stampName);
  const hash = createHash('sha256').update(wanted);
  for (const file of sources.sort()) hash.update(file).update(readFileSync(join(root, file)));
  const now = hash.digest('hex');
  if (read(stampFile) === now && existsSync(join(root, output))) return;
  const done = spawnSync('npm', ['run', '--silent', script], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (done.status !== 0) process.exit(done.status ?? 1);
  writeFileSync(stampFile, now);
}

const filesIn = (...folder) =>
  readdirSync(join(root, ...folder)).map((file) => join(...folder, file));
const linearizable = join('checkers', 'linearizable');
build(
  'build:wasm',
  '.engine-stamp',
  filesIn(linearizable, 'engine'),
  join(linearizable, 'engine.wasm'),
);

const html = join('reports', 'html');
const page = [...filesIn(html, 'page'), join(html, 'page-format.ts'), 'vite.config.ts'];
build('build:page', '.page-stamp', page, join(html, 'built', 'page.js'));
