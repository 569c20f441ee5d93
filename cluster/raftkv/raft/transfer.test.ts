import { describe, expect, test } from 'vitest';
import { cluster, clusterLedBy, ids } from './testing.ts';

describe('leadership transfer (thesis §3.10)', () => {
  test('hands leadership to a voter that is up to date, in one round and one term', () => {
    const peers = clusterLedBy('1', 3);
    expect(peers.transfer('1', '3')).toBe(true);
    peers.deliver();
    expect(peers.leaders()).toEqual(['3']);
    expect(peers.status('1')).toMatchObject({ role: 'follower', term: 3, leader: '3' });
  });

  test('those who hear the old leader let the new one be elected nonetheless', () => {
    const peers = clusterLedBy('1', 5);
    peers.elapse(30);
    peers.transfer('1', '2');
    const votes = peers.watch('vote');
    peers.deliver();
    expect(peers.leaders()).toEqual(['2']);
    expect(votes.map(({ transfer }) => transfer)).toEqual([true, true, true, true]);
  });

  test('a target that is behind is brought up to date first', () => {
    const peers = clusterLedBy('1', 3);
    peers.isolate('3');
    for (let n = 0; n < 5; n++) peers.propose('1', `c${n}`);
    peers.deliver();
    const held = peers.hold(({ type }) => type === 'timeout-now');
    peers.transfer('1', '3');
    expect(peers.status('1').transferee).toBe('3');
    expect(held.messages).toEqual([]);
    peers.heal();
    peers.elapse(4);
    expect(peers.log('3')).toEqual(peers.log('1'));
    expect(held.messages.length).toBeGreaterThan(0);
    held.release();
    peers.deliver();
    expect(peers.leaders()).toEqual(['3']);
    expect(peers.applied('3')).toHaveLength(5);
  });

  test('proposals and changes are refused meanwhile, on the leader and when forwarded', () => {
    const peers = clusterLedBy('1', 3);
    peers.isolate('3');
    peers.transfer('1', '3');
    expect(peers.propose('1', 'x')).toBe(false);
    expect(peers.change('1', 'add-learner', '4')).toBe('transferring');
    peers.propose('2', 'y');
    peers.deliver();
    expect(peers.log('1')).toEqual(['1:{1 2 3}', '2:-']);
  });

  test('a transfer that does not come about is given up after an election timeout', () => {
    const peers = clusterLedBy('1', 3);
    peers.isolate('3');
    peers.transfer('1', '3');
    peers.elapse(9);
    expect(peers.status('1').transferee).toBe('3');
    peers.elapse(2);
    expect(peers.status('1')).toMatchObject({ role: 'leader', transferee: undefined });
    expect(peers.propose('1', 'x')).toBe(true);
    peers.deliver();
    expect(peers.applied('2')).toEqual(['x']);
  });

  test('only to voters, and only by the leader', () => {
    const peers = cluster(3, {}, 1);
    peers.electLeader('1');
    expect(peers.transfer('1', '4')).toBe(false);
    expect(peers.transfer('1', '9')).toBe(false);
    expect(peers.transfer('2', '3')).toBe(false);
    expect(peers.status('1').transferee).toBeUndefined();
  });

  test('to itself changes nothing', () => {
    const peers = clusterLedBy('1', 3);
    peers.transfer('1', '1');
    peers.deliver();
    expect(peers.status('1')).toMatchObject({ role: 'leader', term: 2, transferee: undefined });
    expect(peers.propose('1', 'x')).toBe(true);
  });

  test('may be asked again for another member', () => {
    const peers = clusterLedBy('1', 3);
    peers.isolate('3');
    peers.transfer('1', '3');
    peers.transfer('1', '2');
    peers.deliver();
    expect(peers.leaders()).toEqual(['2']);
  });

  test('a lost timeout-now is said again', () => {
    const peers = clusterLedBy('1', 3);
    const restore = peers.lose(({ type }) => type === 'timeout-now');
    peers.transfer('1', '2');
    peers.deliver();
    restore();
    peers.elapse(3);
    expect(peers.leaders()).toEqual(['2']);
  });

  test('a late timeout-now of a past term starts nothing', () => {
    const peers = clusterLedBy('1', 3);
    const held = peers.hold(({ type }) => type === 'timeout-now');
    peers.transfer('1', '2');
    const [late] = held.messages;
    held.release();
    peers.deliver();
    peers.transfer('2', '3');
    peers.deliver();
    if (late !== undefined) peers.arrive(late);
    peers.deliver();
    expect(late).toBeDefined();
    expect(peers.leaders()).toEqual(['3']);
  });

  test('whoever is asked but was removed meanwhile does not start an election', () => {
    const peers = clusterLedBy('1', 3);
    const held = peers.hold(({ type }) => type === 'timeout-now');
    expect(peers.change('1', 'remove', '3')).toBe('accepted');
    peers.elapse(3);
    expect(peers.transfer('1', '3')).toBe(false);
    expect(held.messages).toEqual([]);
  });

  test('nothing that was committed is lost when leadership goes round', () => {
    const peers = clusterLedBy('1', 5);
    for (let n = 0; n < 10; n++) {
      const [leader = ''] = peers.leaders();
      peers.propose(leader, `c${n}`);
      peers.deliver();
      peers.transfer(leader, String((n % 5) + 1));
      peers.deliver();
    }
    peers.elapse(2);
    for (const id of ids(5)) expect(peers.applied(id)).toHaveLength(10);
  });
});
