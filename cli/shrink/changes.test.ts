import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../harness/core/json.ts';
import {
  earlier,
  endOfFaults,
  faultLine,
  rounder,
  shorterFaults,
  withDuration,
  withNodes,
  withSchedule,
} from './changes.ts';
import { aConfig } from './testing.ts';

const pause = { atMs: 4000, forMs: 2917, fault: 'pause', options: { target: 'leader' } };
const kill = { atMs: 9_040, forMs: 120, fault: 'kill', options: { target: 'n3' } };
const two = aConfig({ schedule: [pause, kill], faults: ['pause', 'kill'] });

describe('what can be less', () => {
  test('faults: those of one kind never overlap, and none at all is none of any kind', () => {
    const over = { ...pause, atMs: 6000 };
    expect(withSchedule(two, [pause, over])).toBeUndefined();
    expect(withSchedule(two, [pause])?.faults).toEqual(['pause']);
    expect(withSchedule(two, [])).toMatchObject({ faults: [] });
    expect(withSchedule(two, [])).not.toHaveProperty('schedule');
  });

  test('time: up to the end of the last fault, or less, without what begins later', () => {
    expect(endOfFaults(two)).toBe(10_500);
    expect(endOfFaults({ ...two, durationMs: 10_500 })).toBeUndefined();
    expect(withDuration(two, 8000)?.schedule).toEqual([pause]);
    expect(withDuration(two, 8000)?.durationMs).toBe(8000);
  });

  test('waiting: the first fault comes half a second after the start', () => {
    const moved = earlier(two);
    expect(moved?.schedule?.map(({ atMs }) => atMs)).toEqual([500, 5540]);
    expect(moved?.durationMs).toBe(16_500);
    expect(earlier(moved ?? two)).toBeUndefined();
  });

  test('faults themselves: half as long, but none shorter than a tenth of a second', () => {
    expect(shorterFaults(two, () => true)?.schedule?.map(({ forMs }) => forMs)).toEqual([
      1459, 120,
    ]);
    expect(shorterFaults(two, (at) => at === 1)).toBeUndefined();
  });

  test('digits: times in tenths of a second', () => {
    const round = rounder(two);
    expect(round?.schedule?.map(({ atMs, forMs }) => [atMs, forMs])).toEqual([
      [4000, 2900],
      [9000, 100],
    ]);
    expect(rounder(round ?? two)).toBeUndefined();
  });

  test.each<[JsonValue, number, boolean]>([
    ['n3', 2, false],
    ['n3', 3, false],
    ['n1,n2|n3', 2, false],
    [['n1', 'n2'], 2, true],
    [{ on: ['n3'] }, 2, false],
    ['leader', 2, true],
    ['n30', 2, true],
  ])('nodes: a fault on %j and %i of three nodes: %s', (target, count, can) => {
    const schedule = [{ ...kill, options: { target } }];
    const fewer = withNodes(aConfig({ schedule, faults: ['kill'] }), count);
    expect(fewer !== undefined).toBe(can);
    expect(fewer?.workloadOptions.nodes.length ?? count).toBe(count);
  });

  test('a fault is told in one line', () => {
    expect(faultLine(pause)).toBe('pause leader 2.917 s at 4 s');
    const options = { target: 'leader', quorum: 'ignore' };
    expect(faultLine({ ...kill, options })).toBe('kill leader quorum=ignore 120 ms at 9.04 s');
    expect(faultLine({ ...kill, options: {} })).toBe('kill 120 ms at 9.04 s');
  });
});
