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

  test('what is due at once comes after what was set before it for the same moment', async () => {
    const clock = new VirtualClock();
    const fired: string[] = [];
    clock.timer(5, () => {
      clock.timer(0, () => fired.push('third'));
      clock.timer(0, () => fired.push('cancelled')).cancel();
      clock.timer(-1, () => fired.push('fourth'));
      fired.push('first');
    });
    clock.timer(5, () => fired.push('second'));
    await clock.run(sleep(clock, 6));
    expect(fired).toEqual(['first', 'second', 'third', 'fourth']);
  });

  test('promises of an event have all run before the next one of the same moment', async () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    const hops = async (name: string): Promise<void> => {
      await clock.turn();
      for (let i = 0; i < 50; i++) await Promise.resolve();
      await new Promise<void>((resolve) => process.nextTick(resolve));
      seen.push(name);
    };
    const names = Array.from({ length: 600 }, (_, at) => `w${at}`);
    clock.timer(0, () => seen.push('before'));
    const all = Promise.all(names.map(hops));
    clock.timer(0, () => seen.push('after'));
    await clock.run(all);
    expect(seen).toEqual(['before', ...names]);
    await clock.run(clock.turn());
    expect(seen.at(-1)).toBe('after');
  });

  test('a turn is taken at once when nothing is due, but after the code that runs now', async () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    const takeTurns = async (): Promise<void> => {
      await clock.turn();
      seen.push('turn');
      clock.timer(0, () => seen.push('due'));
      await clock.turn();
      seen.push('turn after what is due');
    };
    clock.timer(1, () => {
      void takeTurns();
      seen.push('event');
    });
    clock.timer(2, () => seen.push('later'));
    await clock.run(sleep(clock, 3));
    expect(seen).toEqual(['event', 'turn', 'due', 'turn after what is due', 'later']);
  });

  test('turn after turn in one event leaves the event loop its turn', async () => {
    const clock = new VirtualClock();
    const over = new AbortController();
    const spin = async (): Promise<number> => {
      let turns = 0;
      for (; !over.signal.aborted; turns++) await clock.turn();
      return turns;
    };
    const spinning = clock.run(spin());
    await realClock().turn();
    over.abort();
    expect(await spinning).toBeGreaterThan(0);
  });

  test('cancelled timers are forgotten and the others fire in order', async () => {
    const clock = new VirtualClock();
    const fired: number[] = [];
    const timers = Array.from({ length: 2000 }, (_, at) => {
      const due = (at * 7919) % 2000;
      return { due, timer: clock.timer(due, () => fired.push(due)) };
    });
    for (const { due, timer } of timers) if (due % 5 !== 0) timer.cancel();
    for (const { due, timer } of timers) if (due % 10 === 0) timer.cancel();
    await clock.run(sleep(clock, 3000));
    expect(fired).toEqual(Array.from({ length: 200 }, (_, at) => 10 * at + 5));
  });

  test('an error of a timer ends the run, and nothing fires after it', async () => {
    const clock = new VirtualClock();
    let fired = false;
    clock.timer(1, () => {
      throw new Error('from a timer');
    });
    clock.timer(1, () => {
      fired = true;
    });
    await expect(clock.run(sleep(clock, 5))).rejects.toThrow('from a timer');
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
