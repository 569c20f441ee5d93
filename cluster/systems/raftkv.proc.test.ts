import { describe, expect, test } from 'vitest';
import { realClock } from '../../harness/core/clock.ts';
import { raftkv } from './raftkv.ts';
import { deployed, membersServe } from './testing.ts';
import { leaderLeavesAndReturns, pastIsForgotten } from './testing-members.ts';

describe('raftkv', () => {
  membersServe(raftkv);
});

describe('an operator of raftkv', () => {
  test('compacts, removes the leader, brings it back, and makes it a voter', async () => {
    await using three = await deployed(raftkv, 3);
    await pastIsForgotten(three.cluster);
    await leaderLeavesAndReturns(three.cluster, realClock());
  });
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
