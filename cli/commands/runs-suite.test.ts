import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { madeSuite, madeTest } from '../suite/testing.ts';
import { called } from '../testing.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'schism-suite-runs-'));
  for (const id of ['1111', '2222'])
    await mkdir(join(root, 'runs', folderOf(id)), { recursive: true });
  const suite = join(root, 'suites', folderOf('s0001'));
  await mkdir(suite, { recursive: true });
  // The second of its runs was deleted since.
  const tests = [madeTest('a', '1111'), madeTest('b', '3333')];
  await writeFile(join(suite, 'suite.json'), JSON.stringify(madeSuite(tests)));
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

function folderOf(id: string): string {
  return `20260101T000000Z-${id}`;
}

async function schism(...argv: readonly string[]): Promise<{ code: number; out: string }> {
  const { code, out, err } = await called([...argv, '--output', root]);
  return { code, out: out + err };
}

test('the list says which suite a run was made for', async () => {
  const { out } = await schism('runs', 'ls');
  expect(out).toMatch(/run +suite/);
  expect(out).toMatch(/1111 +s0001/);
  expect(out).not.toMatch(/2222 +s/);
  const { runs } = JSON.parse((await schism('runs', 'ls', '--json')).out) as { runs: object[] };
  expect(runs).toContainEqual(expect.objectContaining({ run: '1111', suite: 's0001' }));
  expect(runs).toContainEqual(expect.not.objectContaining({ suite: expect.anything() as string }));
});

test('a suite is pinned by pinning its runs', async () => {
  expect(await schism('runs', 'pin', 's0001')).toEqual({
    code: 0,
    out: 'pinned: 1 run of suite s0001\n',
  });
  const pinned = (id: string): boolean => existsSync(join(root, 'runs', folderOf(id), 'pinned'));
  expect([pinned('1111'), pinned('2222')]).toEqual([true, false]);
  await schism('runs', 'unpin', 's0001');
  expect(pinned('1111')).toBe(false);
  expect((await schism('runs', 'pin', 's9999')).code).toBe(254);
});
