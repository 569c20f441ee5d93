import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, test } from 'vitest';

/** Programs that some tests need, and what provides them. */
const PROVIDERS = {
  etcd: 'etcd-server',
  etcdctl: 'etcd-client',
  chromium: 'chromium',
} as const;
type Program = keyof typeof PROVIDERS;

function isMissing(program: Program): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).every((dir) => {
    try {
      accessSync(join(dir, program), constants.X_OK);
      return false;
    } catch {
      return true;
    }
  });
}

/**
 * A group of tests that needs a program on PATH. Without it the group counts as skipped and its
 * title says what to install; where `CI` is set nothing may skip, so there it fails.
 */
export function describeWith(program: Program, title: string, group: () => void): void {
  if (!isMissing(program)) {
    describe(title, group);
    return;
  }
  const missing = `${title} (needs ${program} on PATH; Debian: ${PROVIDERS[program]})`;
  if (process.env['CI'])
    test(missing, () => {
      throw new Error(`${program} is not on PATH, and in CI nothing may skip`);
    });
  else describe.skipIf(true)(missing, group);
}
