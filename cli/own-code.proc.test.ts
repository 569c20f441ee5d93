import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sandbox } from '../test/cli-testing.ts';

const ROOT = join(import.meta.dirname, '..');
const from = (file: string): string => JSON.stringify(join(ROOT, file));

const CONFIG = `
import { memory } from ${from('cluster/systems/memory.ts')};
import { register } from ${from('workloads/register.ts')};
 export default {
  system: 'my-store', workload: 'mine', duration: '300ms', quietStart: '50ms', faults: false,
  systems: [{ ...memory, name: 'my-store' }],
  workloads: [{ ...register, name: 'mine' }],
};`;

const TESTS = `
import { test } from ${from('cli/suite/test-api.ts')};
const counted = {
  name: 'counted',
  check: async (history) => ({
    checker: 'counted', verdict: 'invalid', covered: 'all of it', details: { ops: history.length },
    anomalies: [{ kind: 'too-many', ops: [0], certificate: {}, explanation: 'There are many.' }],
  }),
};
test('of my own', { checks: [counted] });
`;

test('own stores, workloads and checks judge alike in a suite and in a check of its run', async () => {
  await using box = await sandbox();
  await writeFile(join(box.dir, 'schism.config.ts'), CONFIG);
  await mkdir(join(box.dir, 'chaos'));
  await writeFile(join(box.dir, 'chaos', 'a.chaos.ts'), TESTS);

  const suite = await box.schism(['run', '--json', '--seed', '3']);
  expect(suite.code).toBe(1);
  const dir = await box.runDir();
  const stored = JSON.parse(await readFile(join(dir, 'results.json'), 'utf8')) as Judged;
  const { config } = stored.manifest;
  expect(config).toMatchObject({ system: 'my-store', workload: 'mine', ownChecks: ['counted'] });
  expect(config.test).toMatchObject({ title: 'of my own', file: 'chaos/a.chaos.ts', line: 10 });

  const again = await box.schism(['check', '--json']);
  expect(again.code).toBe(1);
  const { checks } = JSON.parse(again.out) as Judged;
  expect(checks).toEqual(stored.checks);
  expect(checks.map(({ checker }) => checker)).toContain('counted');

  const replayed = await box.schism(['replay', 'latest', '--json']);
  expect(JSON.parse(replayed.out)).toMatchObject({ runs: [{ verdict: 'fail', same: true }] });

  // Elsewhere nobody knows the workload, and nothing that the run names is looked for.
  await using other = await sandbox();
  const apart = await other.schism(['check', dir]);
  expect(apart.code).toBe(254);
  expect(apart.err).toContain("there is no workload 'mine' here; give the config that defines it");
  expect(await readdir(other.dir)).toEqual([]);
});

interface Judged {
  readonly manifest: { readonly config: Readonly<Record<string, unknown>> };
  readonly checks: readonly { readonly checker: string; readonly verdict: string }[];
}
