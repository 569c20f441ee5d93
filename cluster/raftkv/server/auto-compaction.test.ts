import { describe, expect, test } from 'vitest';
import { sleep, VirtualClock } from '../../../harness/core/clock.ts';
import { FAILURES, failed, ok, type Result } from '../failures.ts';
import { type AutoCompactionConfig, autoCompaction } from './auto-compaction.ts';

const MINUTE_MS = 60_000;

interface World {
  /** At which minute, up to which revision. */
  readonly asked: [number, number][];
  leads: boolean;
  answer: Result<unknown>;
}

/** One revision more each minute, from revision 1; looked at after each. */
async function play(
  config: AutoCompactionConfig,
  minutes: number,
  each: (minute: number, world: World) => void = () => undefined,
): Promise<World['asked']> {
  const clock = new VirtualClock();
  const world: World = { asked: [], leads: true, answer: ok(null) };
  let minute = 0;
  const run = async (): Promise<void> => {
    const compaction = autoCompaction({
      config,
      clock,
      revision: () => minute + 1,
      leads: () => world.leads,
      compact: (revision) => {
        world.asked.push([minute, revision]);
        return Promise.resolve(world.answer);
      },
    });
    while (minute < minutes) {
      await sleep(clock, MINUTE_MS);
      minute++;
      each(minute, world);
      compaction.tick();
      await clock.turn();
    }
  };
  await clock.run(run());
  return world.asked;
}

describe('by revision', () => {
  const config = { mode: 'revision', retention: 7 } as const;

  test('keeps as many as it was told, looking every five minutes', async () => {
    expect(await play(config, 20)).toEqual([
      [10, 4],
      [15, 9],
      [20, 14],
    ]);
  });

  test('does not ask twice for the same, but again after a failure', async () => {
    const asked = await play({ mode: 'revision', retention: 1 }, 15, (minute, world) => {
      world.answer = minute < 6 ? failed(FAILURES.timedOut) : ok(null);
    });
    expect(asked.map(([minute]) => minute)).toEqual([5, 10, 15]);
  });

  test('only the leader compacts', async () => {
    const asked = await play(config, 20, (minute, world) => {
      world.leads = minute > 12;
    });
    expect(asked).toEqual([
      [15, 9],
      [20, 14],
    ]);
  });
});

describe('by period', () => {
  test('less than an hour: once in each retention, what was newest at least a retention ago', async () => {
    // A note is taken every minute, after a look at the oldest: but for the first it is 11 minutes old.
    expect(await play({ mode: 'periodic', retentionMs: 10 * MINUTE_MS }, 31)).toEqual([
      [10, 1],
      [20, 10],
      [30, 20],
    ]);
  });

  test('more than an hour: the first after the retention, then every hour', async () => {
    const asked = await play({ mode: 'periodic', retentionMs: 180 * MINUTE_MS }, 300);
    expect(asked).toEqual([
      [180, 1],
      [240, 55],
      [300, 115],
    ]);
  });

  test('a failure is tried again a tenth of the interval later', async () => {
    const asked = await play(
      { mode: 'periodic', retentionMs: 50 * MINUTE_MS },
      70,
      (minute, world) => {
        world.answer = minute < 60 ? failed(FAILURES.timedOut) : ok(null);
      },
    );
    expect(asked).toEqual([
      [50, 1],
      [55, 1],
      [60, 6],
    ]);
  });

  test('what somebody has compacted by hand counts as done', async () => {
    const asked = await play(
      { mode: 'periodic', retentionMs: 10 * MINUTE_MS },
      25,
      (_minute, world) => {
        world.answer = failed(FAILURES.compacted);
      },
    );
    expect(asked.map(([minute]) => minute)).toEqual([10, 20]);
  });

  test('a follower notes revisions down, and compacts as soon as it leads', async () => {
    const asked = await play(
      { mode: 'periodic', retentionMs: 10 * MINUTE_MS },
      30,
      (minute, world) => {
        world.leads = minute >= 25;
      },
    );
    expect(asked).toEqual([[25, 15]]);
  });
});
