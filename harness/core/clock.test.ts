import { describe, expect, test } from 'vitest';
import { realClock, sleep, VirtualClock } from './clock.ts';
import { withDeadline } from './deadline.ts';

describe('virtual clock', () => {
  test('fires timers by time, then by the order they were set', async () => {
    const clock = new VirtualClock();
    const fired: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    clock.timer(5, () => fired.push('late'));
    clock.timer(2, () => fired.push('first'));
    clock.timer(2, () => fired.push('second'));
    clock.timer(6, resolve);
    await clock.run(promise);
    expect(fired).toEqual(['first', 'second', 'late']);
    expect(clock.now()).toBe(6e6);
  });

  test('lets everything a timer woke run before time moves on', async () => {
    const clock = new VirtualClock();
    const seen: number[] = [];
    const worker = async (): Promise<void> => {
      for (let i = 0; i < 3; i++) {
        await sleep(clock, 10);
        await Promise.resolve();
        seen.push(clock.now() / 1e6);
      }
    };
    await clock.run(Promise.all([worker(), worker()]));
    expect(seen).toEqual([10, 10, 20, 20, 30, 30]);
  });

  test('a cancelled timer never fires', async () => {
    const clock = new VirtualClock();
    let fired = false;
    clock
      .timer(1, () => {
        fired = true;
      })
      .cancel();
    await clock.run(sleep(clock, 5));
    expect(fired).toBe(false);
  });

  test('says so when a task waits for nothing', async () => {
    const stuck = new Promise<void>(() => undefined);
    await expect(new VirtualClock().run(stuck)).rejects.toThrow('virtual time stands still');
  });

  test('a thousand timers in random order fire in order of time', async () => {
    const clock = new VirtualClock();
    const times: number[] = [];
    for (let i = 0; i < 1000; i++) {
      const at = (i * 7919) % 1000;
      clock.timer(at, () => times.push(at));
    }
    await clock.run(sleep(clock, 2000));
    expect(times).toEqual([...times].toSorted((a, b) => a - b));
    expect(times).toHaveLength(1000);
  });
});

describe('sleep and deadlines', () => {
  test('an aborted sleep ends at once and without an error', async () => {
    const clock = new VirtualClock();
    const stop = new AbortController();
    clock.timer(3, () => {
      stop.abort();
    });
    await clock.run(sleep(clock, 1000, stop.signal));
    expect(clock.now()).toBe(3e6);
    await sleep(clock, 1000, stop.signal);
    expect(clock.now()).toBe(3e6);
  });

  test('a deadline says what was awaited and for how long', async () => {
    const clock = new VirtualClock();
    const late = withDeadline(clock, 50, 'start n1', sleep(clock, 100));
    await expect(clock.run(late)).rejects.toThrow('start n1: not done after 50 ms');
  });

  test('what is done in time comes through, value and error alike', async () => {
    const clock = new VirtualClock();
    const work = async (): Promise<number> => {
      await sleep(clock, 10);
      return 7;
    };
    expect(await clock.run(withDeadline(clock, 50, 'work', work()))).toBe(7);
    const failing = withDeadline(clock, 50, 'work', Promise.reject(new Error('no')));
    await expect(clock.run(failing)).rejects.toThrow('no');
  });

  test('a real timer for longer than Node.js can wait does not fire at once', async () => {
    const clock = realClock();
    let fired = false;
    const timer = clock.timer(1000 * 3_600_000, () => {
      fired = true;
    });
    await sleep(clock, 20);
    timer.cancel();
    expect(fired).toBe(false);
  });

  test('real time goes forward', async () => {
    const clock = realClock();
    const before = clock.now();
    await sleep(clock, 2);
    expect(clock.now()).toBeGreaterThan(before);
  });
});
