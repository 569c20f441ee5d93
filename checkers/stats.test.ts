import { expect, test } from 'vitest';
import { parseHistory } from '../harness/history/notation.ts';
import type { CheckResult } from '../harness/protocols/checker.ts';
import { stats } from './stats.ts';
import { checkContext } from './testkit/context.ts';

function check(text: string): Promise<CheckResult> {
  return stats().check(parseHistory(text), checkContext());
}

test('counts outcomes by function, and is valid when each succeeded in the main phase', async () => {
  const result = await check(`
    0 invoke write x 1 ph=quiet; 0 ok
    0 invoke write x 2; 0 ok
    0 invoke write x 3; 0 info err=timeout?
    1 invoke read x; 1 fail err=connection-refused!
    1 invoke read x; 1 ok read x 2
    2 invoke read x`);
  expect(result).toMatchObject({ verdict: 'valid', anomalies: [] });
  expect(result.covered).toBe('2 operations succeeded in the main phase: write 1, read 1');
  expect(result.details).toEqual({
    total: { write: { ok: 2, fail: 0, info: 1 }, read: { ok: 1, fail: 1, info: 1 } },
    main: { write: { ok: 1, fail: 0, info: 1 }, read: { ok: 1, fail: 1, info: 1 } },
    errors: { timeout: 1, 'connection-refused': 1, 'no-completion': 1 },
  });
});

test('a function that never succeeded in the main phase was not tested', async () => {
  const result = await check(`
    0 invoke write x 1; 0 ok
    0 invoke cas x 7>8; 0 fail err=cas-mismatch! seen=1
    0 invoke cas x 1>2 ph=final; 0 ok`);
  expect(result.verdict).toBe('unknown');
  expect(result.reason).toContain('Not one cas succeeded');
});

test('no operation at all is unknown', async () => {
  for (const text of ['', '0 invoke read x ph=final; 0 ok'])
    expect(await check(text)).toMatchObject({
      verdict: 'unknown',
      reason: 'No operation was invoked in the main phase.',
    });
});
