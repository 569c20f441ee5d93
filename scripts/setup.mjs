// Plain JavaScript for Node >= 18: installs the locked packages when they are missing or stale, and
// compiles the engine of the linearizability checker when its sources changed.
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

const linearizable = join(root, 'checkers', 'linearizable');
const engine = join(linearizable, 'engine');
const engineStamp = join(modules, '.engine-stamp');
const engineHash = createHash('sha256').update(wanted);
for (const file of readdirSync(engine).sort())
  engineHash.update(file).update(readFileSync(join(engine, file)));
const engineWanted = engineHash.digest('hex');

if (read(engineStamp) !== engineWanted || !existsSync(join(linearizable, 'engine.wasm'))) {
  const done = spawnSync('npm', ['run', '--silent', 'build:wasm'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (done.status !== 0) process.exit(done.status ?? 1);
  writeFileSync(engineStamp, engineWanted);
}
