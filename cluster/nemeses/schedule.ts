/** When faults begin and end: by chance, or as somebody wrote it down. */
import type { Random } from '../../harness/core/prng.ts';
import { nanos, nanosFromMs } from '../../harness/core/units.ts';
import type { Generator } from '../../harness/generator/generator.ts';
import type { ScheduleOptions } from '../../harness/protocols/nemesis.ts';
import type { ScheduledFault } from '../../harness/protocols/run.ts';
import { laneSchedule, type Planned, type Plans } from './lane-schedule.ts';
import { laneOf } from './lanes.ts';
import type { FaultOptions } from './options.ts';

/**
 * Faults without end: a pause of 0.5 to 1.5 × `intervalMs`, then a fault of 0.5 to 1.5 ×
 * `durationMs`, both uniform, drawn with the fault's options from `options.random`.
 */
export function randomSchedule(
  kind: string,
  options: ScheduleOptions,
  draw: (random: Random) => FaultOptions,
): Generator {
  const plans = randomPlans(options.random.clone(), options, draw);
  return laneSchedule(options.lane ?? kind, plans, kind);
}

/**
 * The entries of this lane, at their offsets from the start of the main phase, which is when this
 * generator is first asked. A fault that is late, because the one before it took long to end,
 * begins at once; it still ends at its own time. One that waits for something is offered at its
 * time, with what it waits for, and lasts from when it was there.
 */
export function scripted(lane: string, entries: readonly ScheduledFault[]): Generator {
  const own = entries.filter((entry) => laneOf(entry) === lane).toSorted((a, b) => a.atMs - b.atMs);
  return laneSchedule(lane, scriptedPlans(own, 0), own[0]?.fault);
}

function randomPlans(
  random: Random,
  options: ScheduleOptions,
  draw: (random: Random) => FaultOptions,
): Plans {
  return {
    first: () => {
      const stream = random.clone();
      const pause = nanosFromMs(aroundMs(options.intervalMs, stream));
      const hold = nanosFromMs(aroundMs(options.durationMs, stream));
      const planned: Planned = {
        options: draw(stream),
        beginDue: (_start, free) => nanos(free + pause),
        endDue: (_start, begun) => nanos(begun + hold),
      };
      return [planned, randomPlans(stream, options, draw)];
    },
  };
}

function aroundMs(meanMs: number, random: Random): number {
  return meanMs * (0.5 + random.float());
}

function scriptedPlans(entries: readonly ScheduledFault[], at: number): Plans {
  return {
    first: () => {
      const entry = entries[at];
      if (entry === undefined) return undefined;
      const { atMs, forMs, options, trigger } = entry;
      const planned: Planned = {
        options: trigger === undefined ? options : { ...options, trigger: { ...trigger } },
        beginDue: (start) => nanos(start + nanosFromMs(atMs)),
        endDue: (start, begun) =>
          trigger === undefined
            ? nanos(start + nanosFromMs(atMs + forMs))
            : nanos(begun + nanosFromMs(forMs)),
      };
      return [planned, scriptedPlans(entries, at + 1)];
    },
  };
}
