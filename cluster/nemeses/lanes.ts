/** Lanes run side by side; in one lane faults come one after the other. A kind may have several. */
import type { Nemesis } from '../../harness/protocols/nemesis.ts';
import type { ScheduledFault } from '../../harness/protocols/run.ts';

export interface LaneName {
  readonly lane: string;
  /** The kind of its faults. */
  readonly fault: string;
}

export function laneOf({ lane, fault }: Pick<ScheduledFault, 'lane' | 'fault'>): string {
  return lane ?? fault;
}

/** The lanes of a schedule, each once; of none, each kind has the lane of its name. */
export function lanesOf(
  faults: readonly string[],
  schedule: readonly ScheduledFault[] | undefined,
): readonly LaneName[] {
  if (schedule === undefined) return faults.map((fault) => ({ lane: fault, fault }));
  const lanes = schedule.map((entry) => [laneOf(entry), entry.fault] as const);
  return [...new Map(lanes)].map(([lane, fault]) => ({ lane, fault }));
}

/** The same nemesis under the name of its lane, by which a run tells lanes apart. */
export function inLane(nemesis: Nemesis, lane: string): Nemesis {
  if (lane === nemesis.name) return nemesis;
  return {
    name: lane,
    available: (cluster) => nemesis.available(cluster),
    check: (options, where) => nemesis.check?.(options, where),
    schedule: (options) => nemesis.schedule({ ...options, lane }),
    lookAhead: async (op, ctx, signal) => nemesis.lookAhead?.(op, ctx, signal),
    invoke: (op, ctx) => nemesis.invoke(op, ctx),
    heal: (ctx) => nemesis.heal(ctx),
  };
}

/** When a fault is over at the latest, however long it waits for its trigger. */
export function latestEndMs({ atMs, forMs, trigger }: ScheduledFault): number {
  if (trigger === undefined) return atMs + forMs;
  return atMs + trigger.withinMs + ('delayMs' in trigger ? trigger.delayMs : 0) + forMs;
}

/**
 * Gives each entry that names no lane the first of its kind that is free for as long as it may take:
 * `kill`, `kill-2`, ... A kind in `single` has one lane only, and there its faults take turns.
 */
export function withLanes(
  schedule: readonly ScheduledFault[],
  single: ReadonlySet<string> = new Set(),
): readonly ScheduledFault[] {
  const taken = new Map<string, ScheduledFault[]>();
  const take = (lane: string, entry: ScheduledFault): void => {
    taken.set(lane, [...(taken.get(lane) ?? []), entry]);
  };
  for (const entry of schedule) if (entry.lane !== undefined) take(entry.lane, entry);
  return schedule.map((entry) => {
    if (entry.lane !== undefined) return entry;
    const { fault } = entry;
    const isFree = (lane: string): boolean =>
      !(taken.get(lane) ?? []).some((other) => mayMeet(other, entry));
    let lane = fault;
    for (let count = 2; !single.has(fault) && !isFree(lane); count++) lane = `${fault}-${count}`;
    take(lane, entry);
    return lane === fault ? entry : { ...entry, lane };
  });
}

function mayMeet(a: ScheduledFault, b: ScheduledFault): boolean {
  return a.atMs < latestEndMs(b) && b.atMs < latestEndMs(a);
}

/** Two faults of one lane of which the later begins before the earlier can be over. */
export function overlapIn(
  schedule: readonly ScheduledFault[],
): readonly [earlier: ScheduledFault, later: ScheduledFault] | undefined {
  for (const lane of Map.groupBy(schedule, laneOf).values()) {
    const inOrder = lane.toSorted((a, b) => a.atMs - b.atMs);
    for (const [index, later] of inOrder.entries()) {
      const earlier = inOrder[index - 1];
      if (earlier !== undefined && earlier.atMs + earlier.forMs > later.atMs)
        return [earlier, later];
    }
  }
  return undefined;
}
