import { expect, test } from 'vitest';
import { realClock } from '../../harness/core/clock.ts';
import { describeWith } from '../../test/requires.ts';
import { etcd } from './etcd.ts';
import { deployed, membersServe } from './testing.ts';
import { leaderLeavesAndReturns, pastIsForgotten } from './testing-members.ts';

describeWith('etcd', 'etcd', () => {
  membersServe(etcd);
});

describeWith('etcd', 'an operator of etcd', () => {
  test('compacts, removes the leader, brings it back, and makes it a voter', async () => {
    await using three = await deployed(etcd, 3);
    await pastIsForgotten(three.cluster);
    await leaderLeavesAndReturns(three.cluster, realClock());
  });
});

describeWith('etcd', 'what cannot be', () => {
  test('a program that is not there', async () => {
    expect(await etcd.available({}, 'process')).toBe(true);
    expect(await etcd.available({ binary: 'no-such-etcd' }, 'process')).toBe(
      "'no-such-etcd' is not on PATH; install it (Debian: apt-get install etcd-server) or pass --system raftkv",
    );
    expect(await etcd.available({ binary: 'true' }, 'process')).toBe(
      "'true --version' did not answer as etcd does",
    );
    await expect(deployed(etcd, 1, { binary: 'no-such-etcd' })).rejects.toMatchObject({
      code: 'binary-missing',
    });
  });

  test('a flag that etcd refuses: how it ended, and its last words', async () => {
    await expect(deployed(etcd, 1, { extra: '--no-such-flag' })).rejects.toMatchObject({
      code: 'process-failed',
      message: expect.stringContaining('n1 ended (exit code'),
      details: expect.stringContaining('no-such-flag'),
    });
  });
});
