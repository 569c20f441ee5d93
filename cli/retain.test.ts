import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runFolderName } from '../harness/store/layout.ts';
import { pruned, retainOf } from './retain.ts';

const NOW = Date.UTC(2026, 10, 21);
const DAY = 86_400_000;

async function storeOf(ages: readonly number[]): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'schism-retain-'));
  for (const [at, days] of ages.entries()) {
    const dir = join(root, 'runs', runFolderName(`000${at}`, NOW - days * DAY));
    await mkdir(dir, { recursive: true });
    await writeFile(join(dir, 'verdict.json'), '{"verdict":"pass"}');
    await writeFile(join(dir, 'history.jsonl'), 'x'.repeat(982));
  }
  return root;
}

test('without a word about it nothing is deleted', async () => {
  const root = await storeOf([999]);
  expect(retainOf({ logs: 'on-failure' })).toEqual({ keep: { logs: 'on-failure' } });
  expect(await pruned(root, retainOf(), [], NOW)).toBeUndefined();
  expect(await pruned(root, retainOf({ runs: {} }), [], NOW)).toBeUndefined();
  await rm(root, { recursive: true });
});

test('one line says what was deleted, and why', async () => {
  const root = await storeOf([50, 40, 3, 2, 1]);
  const old = retainOf({ runs: { maxAge: '45d' } });
  expect(await pruned(root, old, [], NOW)).toBe(
    'deleted 1 run, 1\u00a0kB, as the config says: older than 45 days',
  );
  const both = retainOf({ runs: { maxAge: '30d', max: 2 } });
  expect(await pruned(root, both, [], NOW)).toBe(
    'deleted 2 runs, 2\u00a0kB, as the config says: 1 run older than 30 days, 1 run more than 2 runs',
  );
  await rm(root, { recursive: true });
});

test('a store that cannot be tidied is said', async () => {
  const root = await storeOf([50]);
  await writeFile(join(root, 'suites'), 'in the way');
  await mkdir(join(root, 'runs', 'index.jsonl.tmp'));
  const said = await pruned(root, retainOf({ runs: { maxAge: '1d' } }), [], NOW);
  expect(said).toMatch(/^old runs could not be deleted: /);
  await rm(root, { recursive: true });
});
