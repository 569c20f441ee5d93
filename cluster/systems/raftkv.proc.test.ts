import { describe, expect, test } from 'vitest';
import { raftkv } from './raftkv.ts';
import { deployed, membersServe } from './testing.ts';

describe('raftkv', () => {
  membersServe(raftkv);
});

describe('what cannot be', () => {
  test('a flag that raftkv refuses: how it ended, and its last words', async () => {
    await expect(deployed(raftkv, 1, { extra: '--no-such-flag' })).rejects.toMatchObject({
      code: 'process-failed',
      message: expect.stringContaining('n1 ended (exit code 2)'),
      details: expect.stringContaining('no-such-flag'),
    });
  });
});
