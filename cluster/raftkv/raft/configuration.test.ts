import { describe, expect, test } from 'vitest';
import {
  applyChange,
  ConfigurationHistory,
  isMember,
  membersOf,
  quorumOf,
  quorumValue,
} from './configuration.ts';
import type { Configuration } from './types.ts';

function config(voters: string, learners = ''): Configuration {
  return { voters: voters.split(''), learners: learners.split('') };
}

describe('quorums', () => {
  test.each([
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
    [6, 4],
    [7, 4],
  ])('of %i voters, %i decide', (voters, quorum) => {
    expect(quorumOf(config('1234567'.slice(0, voters)))).toBe(quorum);
  });

  test('learners are members, but not counted', () => {
    expect(quorumOf(config('123', '45'))).toBe(2);
    expect(membersOf(config('24', '13'))).toEqual(['1', '2', '3', '4']);
    expect(isMember(config('1', '2'), '2')).toBe(true);
    expect(isMember(config('1', '2'), '3')).toBe(false);
  });

  test('what a quorum has reached is the largest value that so many voters have', () => {
    const matches: Record<string, number> = { 1: 9, 2: 4, 3: 7, 4: 1, 5: 9 };
    const of = (voters: string, learners = ''): number =>
      quorumValue(config(voters, learners), (voter) => matches[voter] ?? 0);
    expect(of('123')).toBe(7);
    expect(of('1234')).toBe(4);
    expect(of('12345')).toBe(7);
    expect(of('24', '15')).toBe(1);
    expect(of('')).toBe(0);
  });
});

describe('changes', () => {
  const before = config('13', '5');

  test('a voter, a learner, a promotion and a removal, sorted', () => {
    expect(applyChange(before, { type: 'add-voter', member: '2' })).toEqual(config('123', '5'));
    expect(applyChange(before, { type: 'add-learner', member: '2' })).toEqual(config('13', '25'));
    expect(applyChange(before, { type: 'promote', member: '5' })).toEqual(config('135'));
    expect(applyChange(before, { type: 'remove', member: '1' })).toEqual(config('3', '5'));
    expect(applyChange(before, { type: 'remove', member: '5' })).toEqual(config('13'));
  });

  test('what changes nothing is refused', () => {
    expect(applyChange(before, { type: 'add-voter', member: '1' })).toBe('no-effect');
    expect(applyChange(before, { type: 'add-voter', member: '5' })).toBe('no-effect');
    expect(applyChange(before, { type: 'add-learner', member: '1' })).toBe('no-effect');
    expect(applyChange(before, { type: 'promote', member: '1' })).toBe('no-effect');
    expect(applyChange(before, { type: 'promote', member: '9' })).toBe('no-effect');
    expect(applyChange(before, { type: 'remove', member: '9' })).toBe('no-effect');
  });

  test('the last voter stays', () => {
    expect(applyChange(config('1', '2'), { type: 'remove', member: '1' })).toBe('no-voter-left');
  });
});

describe('the configurations of a log', () => {
  test('one holds from where it is appended, until its entry is truncated', () => {
    const history = new ConfigurationHistory(0, config('1'));
    history.append(4, config('12'));
    history.append(9, config('123'));
    expect(history.latest).toEqual({ index: 9, config: config('123') });
    expect([3, 4, 8, 9, 20].map((index) => history.at(index).voters.length)).toEqual([
      1, 2, 2, 3, 3,
    ]);
    history.truncateFrom(9);
    expect(history.latest).toEqual({ index: 4, config: config('12') });
    history.truncateFrom(1);
    expect(history.latest).toEqual({ index: 0, config: config('1') });
  });

  test('compaction keeps the one that holds where the log starts then', () => {
    const history = new ConfigurationHistory(0, config('1'));
    history.append(4, config('12'));
    history.append(9, config('123'));
    history.compact(6);
    expect(history.at(6)).toEqual(config('12'));
    expect(() => history.at(3)).toThrow('forgotten');
    history.truncateFrom(7);
    expect(history.latest).toEqual({ index: 4, config: config('12') });
  });
});
