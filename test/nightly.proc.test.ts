/** `schism run --budget` as a night has it: known bugs, a search, and what is new since the night before. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readSuite } from '../harness/store/suites.ts';
import { sandbox } from './cli-testing.ts';

const NIGHT = [
  'run',
  '--budget',
  '25s',
  '--backend',
  'sim',
  '--bug',
  'ack-before-commit',
  '-j',
  '1',
];

test('a night plays its regression, finds the bug again, and says the next day that it is ongoing', async () => {
  await using box = await sandbox();
  const first = await box.schism([...NIGHT, '--seed', '5', '--against', '.schism']);
  expect(first.code).toBe(1);
  expect(first.err).toContain('there are no suites in .schism yet');
  expect(first.out).toContain('Explored');
  expect(first.out).toContain('✗ new');
  const suite = await readSuite(join(box.dir, '.schism', 'latest-suite'));
  const regression = suite.tests.find(({ expects }) => expects !== undefined);
  expect(regression?.test.title).toBe('raftkv-ack-before-commit-sim');
  // On a slow machine a fifth of the time may be over before it.
  expect(['pass', 'not-run']).toContain(regression?.outcome);
  expect(suite.explored?.runs).toBeGreaterThan(0);
  const finding = suite.tests.find(({ test: { id } }) => id.startsWith('exploring/'));
  expect(finding).toMatchObject({ outcome: 'fail', exitCode: 1 });
  const run = finding?.runs[0]?.run ?? '';
  expect((await box.schism(['explain', run])).code).toBe(0);

  const second = await box.schism([...NIGHT, '--seed', '5', '--against', '.schism', '--json']);
  expect(second.code).toBe(1);
  const { changes } = JSON.parse(second.out) as typeof suite;
  expect(changes?.nights).toBe(1);
  expect(changes?.findings.length).toBeGreaterThan(0);

  const trend = await box.schism(['report', '--trend']);
  expect({ code: trend.code, err: trend.err }).toEqual({ code: 0, err: '' });
  const page = await readFile(join(box.dir, '.schism', 'trend.html'), 'utf8');
  expect(page).toContain('raftkv-ack-before-commit-sim');
  expect(page).toContain('2 suites');
}, 240_000);
