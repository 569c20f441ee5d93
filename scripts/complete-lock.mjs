// Adds to package-lock.json the packages for other platforms that the registry in use did not serve.
// Without them `npm ci` refuses the lock file ("Missing: ... from lock file").
import { readFileSync, writeFileSync } from 'node:fs';

const file = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8'));
const added = [];
for (const [at, parent] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    const nested = `${at}/node_modules/${name}`;
    const top = `node_modules/${name}`;
    const platform =
      /(aix|android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32)[-_]([a-z0-9]+)/.exec(
        name,
      );
    if (nested in lock.packages || top in lock.packages || platform === null) continue;
    lock.packages[top] = {
      version,
      cpu: [platform[2]],
      ...(parent.dev === true && { dev: true }),
      ...(name.includes('musl') && { libc: ['musl'] }),
      optional: true,
      os: [platform[1]],
    };
    added.push(`${name}@${version}`);
  }
}
const order = ([a], [b]) => a.localeCompare(b, 'en');
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(order));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.error(`added ${added.length}: ${added.join(' ')}`);
