import { expect, test } from 'vitest';
import { HarnessError } from '../harness/core/errors.ts';
import type { RunVerdict } from '../harness/protocols/checker.ts';
import { eachOf, type Told, togetherOf } from './check-several.ts';

const told = (verdict: RunVerdict | undefined, exitCode: number): Told => ({
  exitCode,
  ...(verdict !== undefined && { verdict }),
  document: {},
});

test.each<[string, Told[], number, string]>([
  ['all pass', [told('pass', 0), told('pass', 0)], 0, 'no violation found'],
  ['a violation hides behind nothing', [told('error', 3), told('fail', 1)], 1, '1 violation'],
  ['what is no history', [told('pass', 0), told(undefined, 254)], 254, '1 could not be judged'],
  ['what gave up', [told('unknown', 2), told('pass', 0)], 2, '1 unknown'],
  ['what gave up and may', [told('unknown', 0), told('pass', 0)], 0, 'no violation found'],
])('%s', (_, all, exitCode, reason) => {
  const together = togetherOf(all);
  expect(together.exitCode).toBe(exitCode);
  expect(together.lines).toMatch(new RegExp(`\n exit ${exitCode}: ${reason}\n$`));
});

test('one that cannot be read costs only itself', async () => {
  const complaints: string[] = [];
  const all = await eachOf(
    ['a', 'b', 'c'],
    (ref) =>
      ref === 'b'
        ? Promise.reject(new HarnessError('bad-input', 'b: there is no such file'))
        : Promise.resolve({ ...told('pass', 0), document: { verdict: 'pass' } }),
    ({ message }) => complaints.push(message),
  );
  expect(complaints).toEqual(['b: there is no such file']);
  expect(all.map(({ document }) => document)).toEqual([
    { input: 'a', verdict: 'pass' },
    { input: 'b', exitCode: 254, error: 'b: there is no such file' },
    { input: 'c', verdict: 'pass' },
  ]);
  expect(togetherOf(all).lines).toContain(
    '3 histories: 0 failed, 2 passed, 0 unknown, 0 errors, 1 not judged',
  );
});

test('our own bugs are not taken for bad input', async () => {
  const bug = eachOf(
    ['a'],
    () => Promise.reject(new TypeError('oops')),
    () => undefined,
  );
  await expect(bug).rejects.toThrow('oops');
});
