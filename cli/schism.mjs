#!/usr/bin/env node
// Plain JavaScript for Node >= 18. In the project it installs what is missing, then runs main.ts on
// the project's Node; in an installed package it runs what main.ts was compiled to.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MIN = 24;
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const isProject = existsSync(here('main.ts'));
const main = isProject ? './main.ts' : './main.js';

/** Its program, where npm installed a Node that is new enough beside `file`. */
function nodeBeside(file) {
  try {
    const { resolve } = createRequire(file);
    const { version } = createRequire(file)('node/package.json');
    return Number.parseInt(version, 10) >= NODE_MIN ? resolve('node/bin/node') : undefined;
  } catch {
    return undefined;
  }
}

function runWith(node) {
  const child = spawn(node, [here(main), ...process.argv.slice(2)], { stdio: 'inherit' });
  const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of forwarded) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    if (signal === null) {
      process.exitCode = code;
      return;
    }
    // To end as it did, so that a shell sees Ctrl-C and not a crash.
    for (const each of forwarded) process.removeAllListeners(each);
    process.kill(process.pid, signal);
  });
}

if (Number.parseInt(process.versions.node, 10) >= NODE_MIN) {
  try {
    await import(main);
  } catch (error) {
    // Node.js would end with 1, which says that the store is wrong.
    process.stderr.write(`schism: it cannot start: ${error?.stack ?? error}\n`);
    process.exitCode = 255;
  }
} else if (isProject) {
  await import('../scripts/setup.mjs');
  runWith(here('../node_modules/.bin/node'));
} else {
  const node = nodeBeside(join(process.cwd(), 'any.js')) ?? nodeBeside(here(main));
  if (node === undefined) {
    process.stderr.write(
      `schism: it needs Node.js ${NODE_MIN} or newer, and this is ${process.versions.node}; ` +
        `install one, or for this project alone: npm install --save-dev node@${NODE_MIN}\n`,
    );
    process.exitCode = 3;
  } else {
    runWith(node);
  }
}
