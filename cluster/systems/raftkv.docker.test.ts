import { expect, test } from 'vitest';
import { realClock } from '../../harness/core/clock.ts';
import { describeWith } from '../../test/requires.ts';
import { raftkv } from './raftkv.ts';
import { deployed } from './testing.ts';
import { leaderLeavesAndReturns, pastIsForgotten } from './testing-members.ts';

describeWith('engine', 'raftkv in containers', () => {
  test('an operator compacts, removes the leader, brings it back, and makes it a voter', async () => {
    await using three = await deployed(raftkv, 3, {}, 'docker');
    await pastIsForgotten(three.cluster);
    await leaderLeavesAndReturns(three.cluster, realClock());
  });

  test('a flag that raftkv refuses: how it ended, and its last words', async () => {
    const refused = deployed(raftkv, 1, { extra: '--no-such-flag' }, 'docker');
    await expect(refused).rejects.toMatchObject({
      code: 'process-failed',
      message: expect.stringContaining('n1 ended (exit code 2)'),
      details: expect.stringContaining('no-such-flag'),
    });
  });
});
