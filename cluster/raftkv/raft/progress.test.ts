import { describe, expect, test } from 'vitest';
import { Progress } from './progress.ts';

const HEARTBEAT = 1;

/** A follower that has answered its first probe. */
function replicating(match: number): Progress {
  const progress = new Progress(match + 1, 0);
  progress.matched(match);
  return progress;
}

describe('probing', () => {
  test('ends with the first answer that fits', () => {
    const progress = new Progress(8, 0);
    expect(progress.state).toBe('probe');
    expect(progress.matched(9)).toBe(true);
    expect([progress.state, progress.match, progress.next]).toEqual(['replicate', 9, 10]);
  });

  test('a refusal moves back to where the logs may agree, never behind what matched', () => {
    const progress = new Progress(8, 0);
    progress.isPaused = true;
    expect(progress.refused(7, 4)).toBe(true);
    expect([progress.next, progress.isPaused]).toEqual([5, false]);
    // Agreeing at the refused index itself is no way on: it goes back by one at least.
    expect(progress.refused(4, 4)).toBe(true);
    expect(progress.next).toBe(4);
    progress.matched(3);
    progress.probe(6);
    expect(progress.refused(5, 0)).toBe(true);
    expect(progress.next).toBe(4);
  });

  test('a late refusal is told by the index that it is about', () => {
    const progress = new Progress(8, 0);
    expect(progress.refused(6, 2)).toBe(false);
    expect(progress.next).toBe(8);
  });
});

describe('pipelining', () => {
  test('assumes that what is sent arrives, and counts what is not answered', () => {
    const progress = replicating(5);
    progress.sent(7);
    progress.sent(9);
    expect([progress.next, progress.inFlight]).toEqual([10, 2]);
    expect(progress.matched(8)).toBe(true);
    expect([progress.match, progress.next, progress.inFlight]).toEqual([8, 10, 1]);
    expect(progress.matched(9)).toBe(true);
    expect(progress.inFlight).toBe(0);
    expect(progress.matched(6)).toBe(false);
    expect(progress.match).toBe(9);
  });

  test('ends with a refusal; the refusals of what was sent after it are late', () => {
    const progress = replicating(5);
    progress.sent(7);
    progress.sent(9);
    expect(progress.refused(7, 5)).toBe(true);
    expect([progress.state, progress.next, progress.inFlight]).toEqual(['probe', 6, 0]);
    expect(progress.refused(9, 5)).toBe(false);
    expect(progress.next).toBe(6);
  });

  test('a refusal of what has matched since is late', () => {
    const progress = replicating(5);
    expect(progress.refused(5, 2)).toBe(false);
    expect(progress.state).toBe('replicate');
  });
});

describe('a lost append', () => {
  test('is noticed when two heartbeats in a row are answered, and nothing else', () => {
    const progress = replicating(5);
    progress.sent(7);
    progress.heartbeatAnswered(1, HEARTBEAT);
    expect(progress.heartbeatAnswered(2, HEARTBEAT)).toBe(true);
  });

  test('is not suspected while others are acknowledged', () => {
    const progress = replicating(5);
    progress.sent(7);
    progress.sent(9);
    progress.heartbeatAnswered(1, HEARTBEAT);
    progress.matched(7);
    expect(progress.heartbeatAnswered(2, HEARTBEAT)).toBe(false);
    expect(progress.heartbeatAnswered(3, HEARTBEAT)).toBe(true);
  });

  test('is not suspected of one that was sent since the last heartbeat', () => {
    const progress = replicating(5);
    progress.heartbeatAnswered(1, HEARTBEAT);
    progress.heartbeatAnswered(2, HEARTBEAT);
    progress.sent(7);
    expect(progress.heartbeatAnswered(3, HEARTBEAT)).toBe(false);
  });

  test('is not suspected because reads make heartbeats come faster', () => {
    const progress = replicating(5);
    progress.sent(7);
    progress.heartbeatAnswered(1, HEARTBEAT);
    expect(progress.heartbeatAnswered(1, HEARTBEAT)).toBe(false);
    expect(progress.heartbeatAnswered(1, HEARTBEAT)).toBe(false);
  });
});

describe('a snapshot', () => {
  test('is waited for until the follower has it', () => {
    const progress = replicating(5);
    progress.awaitSnapshot(50, 3);
    expect(progress.matched(6)).toBe(true);
    expect(progress.state).toBe('snapshot');
    expect(progress.refused(20, 6)).toBe(false);
    expect(progress.matched(60)).toBe(true);
    expect([progress.state, progress.next]).toEqual(['replicate', 61]);
  });
});
