import { expect, test } from 'vitest';
import { realClock } from '../../harness/core/clock.ts';
import { describeWith } from '../../test/requires.ts';
import { etcd } from './etcd.ts';
import { deployed, membersServe } from './testing.ts';
import { leaderLeavesAndReturns, pastIsForgotten } from './testing-members.ts';

describeWith('engine', 'etcd in containers', () => {
  membersServe(etcd, 'docker');

  test('an operator compacts, removes the leader, brings it back, and makes it a voter', async () => {
    await using three = await deployed(etcd, 3, { 'data-size': '256m' }, 'docker');
    await pastIsForgotten(three.cluster);
    await leaderLeavesAndReturns(three.cluster, realClock());
  });
});

describeWith('engine', 'what cannot be in containers', () => {
  test('an image that has no etcd, and one that is nowhere', async () => {
    expect(await etcd.available({}, 'docker')).toBe(true);
    const without = deployed(etcd, 1, { image: 'schism/toxiproxy-server:local' }, 'docker');
    await expect(without).rejects.toMatchObject({
      code: 'engine-failed',
      message: expect.stringContaining("'etcd' does not run in image schism/toxiproxy-server"),
    });
    const nowhere = deployed(etcd, 1, { image: 'localhost:1/no/such:image' }, 'docker');
    await expect(nowhere).rejects.toMatchObject({
      code: 'engine-failed',
      message: expect.stringContaining('localhost:1/no/such:image'),
    });
  });

  test('a flag that etcd refuses: how it ended, and its last words', async () => {
    const refused = deployed(etcd, 1, { extra: '--no-such-flag' }, 'docker');
    await expect(refused).rejects.toMatchObject({
      code: 'process-failed',
      message: expect.stringContaining('n1 ended (exit code'),
      details: expect.stringContaining('no-such-flag'),
    });
  });
});
