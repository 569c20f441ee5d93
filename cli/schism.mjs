#!/usr/bin/env node
// Plain JavaScript for Node >= 18: installs what is missing, then runs main.ts on the project's Node.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

if (Number.parseInt(process.versions.node, 10) >= 24) {
  await import('./main.ts');
} else {
  await import('../scripts/setup.mjs');
  const here = (path) => fileURLToPath(new URL(path, import.meta.url));
  const child = spawn(
    here('../node_modules/.bin/node'),
    [here('main.ts'), ...process.argv.slice(2)],
    {
      stdio: 'inherit',
    },
  );
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exitCode = code;
    else process.kill(process.pid, 'SIGKILL');
  });
}
