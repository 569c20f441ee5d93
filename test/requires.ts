import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, test } from 'vitest';

/** What some tests need, and what provides it. */
const PROVIDERS = {
  etcd: 'etcd-server',
  etcdctl: 'etcd-client',
  chromium: 'chromium',
  /** A container engine that answers. */
  engine: 'docker.io',
} as const;
type Needed = keyof typeof PROVIDERS;

function isMissing(needed: Needed): boolean {
  if (needed === 'engine') return !engineAnswers();
  return (process.env['PATH'] ?? '').split(delimiter).every((dir) => {
    try {
      accessSync(join(dir, needed), constants.X_OK);
      return false;
    } catch {
      return true;
    }
  });
}

const ASK_ENGINE = `
const { openEngine } = await import(process.argv[1]);
await openEngine(process.env);
`;

/** Whether one answers, found as a run would find it; asked in a process, since tests are laid out at once. */
export function engineAnswers(): boolean {
  const engine = new URL('../cluster/backends/docker/engine.ts', import.meta.url).href;
  const args = ['--input-type=module', '-e', ASK_ENGINE, engine];
  return spawnSync(process.execPath, args, { stdio: 'ignore' }).status === 0;
}

/**
 * A group of tests that needs a program on PATH, or a container engine. Without it the group counts
 * as skipped and its title says what to install; where `CI` is set nothing may skip, so there it
 * fails.
 */
export function describeWith(needed: Needed, title: string, group: () => void): void {
  if (!isMissing(needed)) {
    describe(title, group);
    return;
  }
  const what = needed === 'engine' ? 'a container engine that answers' : `${needed} on PATH`;
  const missing = `${title} (needs ${what}; Debian: ${PROVIDERS[needed]})`;
  if (process.env['CI'])
    test(missing, () => {
      throw new Error(`this needs ${what}, and in CI nothing may skip`);
    });
  else describe.skipIf(true)(missing, group);
}
