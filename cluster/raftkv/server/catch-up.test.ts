import { describe, expect, test } from 'vitest';
import { sleep, VirtualClock } from '../../../harness/core/clock.ts';
import type { MemberProgress } from '../raft/types.ts';
import { CatchUp } from './catch-up.ts';

function at(match: number): { readonly progress: ReadonlyMap<string, MemberProgress> } {
  return { progress: new Map([['b', { match, next: match + 1, state: 'probe', isActive: true }]]) };
}

describe('what the log keeps for followers that catch up', () => {
  test('nothing, when none was sent a snapshot', () => {
    expect(new CatchUp(new VirtualClock()).limit(900, at(100))).toBe(900);
  });

  test('all after the snapshot, then all after what the follower has', () => {
    const catchUp = new CatchUp(new VirtualClock());
    catchUp.snapshotSent('b', 500);
    expect(catchUp.limit(900, at(100))).toBe(500);
    expect(catchUp.limit(950, at(500))).toBe(500);
    expect(catchUp.limit(950, at(700))).toBe(700);
  });

  test('no more once it has caught up, or has left', () => {
    const catchUp = new CatchUp(new VirtualClock());
    catchUp.snapshotSent('b', 500);
    expect(catchUp.limit(900, at(900))).toBe(900);
    expect(catchUp.limit(950, at(900))).toBe(950);
    catchUp.snapshotSent('b', 500);
    expect(catchUp.limit(900, { progress: new Map() })).toBe(900);
    expect(catchUp.limit(900, at(100))).toBe(900);
  });

  test('no more for one that stands still', () => {
    const clock = new VirtualClock();
    const scenario = async (): Promise<void> => {
      const catchUp = new CatchUp(clock);
      catchUp.snapshotSent('b', 500);
      await sleep(clock, 14_000);
      expect(catchUp.limit(900, at(600))).toBe(600);
      await sleep(clock, 14_000);
      expect(catchUp.limit(900, at(600))).toBe(600);
      await sleep(clock, 2_000);
      expect(catchUp.limit(900, at(600))).toBe(900);
    };
    return clock.run(scenario());
  });
});
