/** What can be less in a run: pure steps from one configuration to a smaller one. */
import { laneOf, latestEndMs, overlapIn, withLanes } from '../../cluster/nemeses/lanes.ts';
import { latencyOfAll } from '../../cluster/nemeses/link-spec.ts';
import type { JsonValue } from '../../harness/core/json.ts';
import { LIMITS } from '../../harness/core/limits.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type { FaultTrigger, RunConfig, ScheduledFault } from '../../harness/protocols/run.ts';
import type { Timing } from '../../harness/protocols/system.ts';
import type { Workload } from '../../harness/protocols/workload.ts';

/** A candidate: what is tried, in words that follow the run's, and how it would be asked for. */
export interface Change {
  readonly what: string;
  /** `without`: something is left out, that is needed or not; `instead`: it is made smaller. */
  readonly kind: 'without' | 'instead';
  readonly config: RunConfig;
  /** It would be worth a fault: simulated, many more seeds are tried. */
  readonly isWorthMore?: boolean;
}

/** After the last fault there must be somebody left to see what it did. */
const TAIL_MS = 1000;
const EARLIEST_MS = 500;
const QUIET_MS = 500;
const FAULT_MS_MIN = 100;

/** `2.9 s`, `350 ms`. */
export function timeText(ms: number): string {
  return ms >= 1000 ? `${Number((ms / 1000).toFixed(3))} s` : `${Number(ms.toFixed(1))} ms`;
}

/** Options that say by themselves what they are about. */
const WORDS: ReadonlySet<string> = new Set(['shape', 'target', 'direction']);

/** `pause leader 2.9 s at 8 s`, or `... 50 ms after a leader change, from 8 s on`. */
export function faultLine(entry: ScheduledFault): string {
  const { options, atMs, forMs, trigger } = entry;
  const words = Object.entries(options).map(([name, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return WORDS.has(name) ? text : `${name}=${text}`;
  });
  const when =
    trigger === undefined
      ? `at ${timeText(atMs)}`
      : `${triggerWords(trigger)}, from ${timeText(atMs)} on`;
  return [laneOf(entry), ...words, timeText(forMs), when].join(' ');
}

function triggerWords(trigger: FaultTrigger): string {
  if ('while' in trigger) {
    const where = { leader: ' at the leader', any: '' }[trigger.on] ?? ` at ${trigger.on}`;
    return `while a write is under way${where}`;
  }
  const { after, of = 'another fault', delayMs } = trigger;
  const event = {
    'leader-change': 'a leader change',
    'fault-begun': `${of} has begun`,
    'fault-ended': `${of} has ended`,
  }[after];
  return `${delayMs > 0 ? `${timeText(delayMs)} ` : ''}after ${event}`;
}

/** Faults of which each begins where it is said, and none of its lane is still there. */
export function withSchedule(
  config: RunConfig,
  schedule: readonly ScheduledFault[],
): RunConfig | undefined {
  if (overlapIn(schedule) !== undefined || schedule.some((each) => isLost(each, schedule)))
    return undefined;
  if (schedule.length === 0) return withoutFaults(config);
  return { ...config, schedule, faults: [...new Set(schedule.map(({ fault }) => fault))] };
}

/** It waits for what nobody does. */
function isLost(entry: ScheduledFault, schedule: readonly ScheduledFault[]): boolean {
  const { trigger } = entry;
  if (trigger === undefined || 'while' in trigger || trigger.after === 'leader-change')
    return false;
  const { of } = trigger;
  return !schedule.some(
    (other) =>
      laneOf(other) !== laneOf(entry) &&
      (of === undefined || of === other.fault || of === laneOf(other)),
  );
}

/** One fault by the clock; undefined where it was so already. */
export function withoutTrigger(config: RunConfig, at: number): RunConfig | undefined {
  const { schedule = [] } = config;
  const { trigger, ...fault } = schedule[at] ?? {};
  if (trigger === undefined) return undefined;
  const delayMs = 'delayMs' in trigger ? trigger.delayMs : 0;
  const timed = { ...(fault as ScheduledFault) };
  return withSchedule(config, schedule.with(at, { ...timed, atMs: timed.atMs + delayMs }));
}

/** One fault at once when what it waits for has come. */
export function withoutDelay(config: RunConfig, at: number): RunConfig | undefined {
  const { schedule = [] } = config;
  const fault = schedule[at];
  if (fault?.trigger === undefined || 'while' in fault.trigger) return undefined;
  if (fault.trigger.delayMs === 0) return undefined;
  const trigger = { ...fault.trigger, delayMs: 0 };
  return withSchedule(config, schedule.with(at, { ...fault, trigger }));
}

/** As few lanes as the faults that are left need. */
export function withFewerLanes(config: RunConfig): RunConfig | undefined {
  const { schedule = [] } = config;
  const fewer = withLanes(schedule.map(({ lane: _lane, ...fault }) => fault));
  const isSame = fewer.every((fault, at) => fault.lane === schedule[at]?.lane);
  return isSame ? undefined : withSchedule(config, fewer);
}

/** So much between all nodes for the whole run; undefined where it is so, or where nobody would lead. */
export function withLatency(
  config: RunConfig,
  latencyMs: number,
  { electionMs }: Timing,
): RunConfig | undefined {
  const { latencyMs: before = 0, workloadOptions, ...rest } = config;
  if (latencyMs === before || latencyMs > LIMITS.latencyMsMax || latencyMs >= electionMs)
    return undefined;
  const { latencyMs: _, ...options } = workloadOptions;
  const said = latencyMs > 0 && { latencyMs };
  return { ...rest, ...said, workloadOptions: { ...options, ...said } };
}

/** Where one fault slows all links alike, for however long: a run that is so slow without it. */
export function latencyInstead(
  config: RunConfig,
  at: number,
  timing: Timing,
): RunConfig | undefined {
  const { schedule = [], latencyMs = 0 } = config;
  const fault = schedule[at];
  const byMs = fault && latencyOfAll(fault, timing);
  const rest = withSchedule(config, schedule.toSpliced(at, 1));
  if (byMs === undefined || rest === undefined) return undefined;
  return withLatency(rest, latencyMs + Math.round(byMs), timing);
}

const ROUND_MS = [100, 50, 10];
/** Of what it was: with more it would be another place, and not a rounder number. */
const [ROUNDED_DOWN_MAX, ROUNDED_UP_MAX] = [1 / 4, 1 / 10];

/** From the roundest on; none for one that is as round as can be. */
export function rounderLatencies(
  config: RunConfig,
  timing: Timing,
): readonly (readonly [latencyMs: number, config: RunConfig])[] {
  const { latencyMs = 0 } = config;
  return ROUND_MS.map((step) => Math.round(latencyMs / step) * step)
    .filter(
      (ms) => ms >= latencyMs * (1 - ROUNDED_DOWN_MAX) && ms <= latencyMs * (1 + ROUNDED_UP_MAX),
    )
    .flatMap((ms, at, all) => {
      const changed = all.indexOf(ms) === at ? withLatency(config, ms, timing) : undefined;
      return changed === undefined ? [] : [[ms, changed] as const];
    });
}

export function withoutFaults(config: RunConfig): RunConfig {
  const { schedule: _schedule, ...rest } = config;
  return { ...rest, faults: [] };
}

export function withoutLane(config: RunConfig, lane: string): RunConfig | undefined {
  const { schedule, faults } = config;
  if (schedule === undefined)
    return { ...config, faults: faults.filter((fault) => fault !== lane) };
  return withSchedule(
    config,
    schedule.filter(({ fault }) => fault !== lane),
  );
}

/** Ends soon after the last fault, or sooner, without the faults that it then does not see. */
export function withDuration(config: RunConfig, durationMs: number): RunConfig | undefined {
  const { schedule } = config;
  if (schedule === undefined) return { ...config, durationMs };
  const inside = schedule.filter(({ atMs }) => atMs < durationMs);
  const some = withSchedule(config, inside);
  return some === undefined ? undefined : { ...some, durationMs };
}

/** Half seconds, at least one. */
function roundUp(ms: number): number {
  return Math.max(500, Math.ceil(ms / 500) * 500);
}

/** When the last fault is over and was seen, if that is earlier than the end. */
export function endOfFaults({ schedule = [], durationMs }: RunConfig): number | undefined {
  if (schedule.length === 0) return undefined;
  const endMs = Math.max(...schedule.map(latestEndMs));
  const needed = roundUp(endMs + TAIL_MS);
  return needed < durationMs ? needed : undefined;
}

/** Less time with clients alone, before the faults. */
export function withQuiet(config: RunConfig): RunConfig | undefined {
  return config.quietMs > QUIET_MS ? { ...config, quietMs: QUIET_MS } : undefined;
}

export function halfAsLong({ durationMs }: RunConfig): number | undefined {
  const half = roundUp(durationMs / 2);
  return half < durationMs ? half : undefined;
}

/** All faults so much earlier that the first begins at once. */
export function earlier(config: RunConfig): RunConfig | undefined {
  const { schedule = [], durationMs } = config;
  const first = schedule[0]?.atMs ?? 0;
  const byMs = first - EARLIEST_MS;
  if (byMs < 250) return undefined;
  const moved = withSchedule(
    config,
    schedule.map((fault) => ({ ...fault, atMs: fault.atMs - byMs })),
  );
  return moved === undefined ? undefined : { ...moved, durationMs: roundUp(durationMs - byMs) };
}

/** Some faults half as long; undefined where all of these are short already. */
export function shorterFaults(
  config: RunConfig,
  which: (at: number) => boolean,
): RunConfig | undefined {
  const { schedule = [] } = config;
  let changed = false;
  const shorter = schedule.map((fault, at) => {
    const forMs = Math.round(fault.forMs / 2);
    if (!which(at) || forMs < FAULT_MS_MIN) return fault;
    changed = true;
    return { ...fault, forMs };
  });
  return changed ? withSchedule(config, shorter) : undefined;
}

/** Times that people would have written: two digits, in tenths of a second at least. */
export function rounder(
  config: RunConfig,
  which: (at: number) => boolean = () => true,
): RunConfig | undefined {
  const { schedule = [] } = config;
  const round = (ms: number): number => Math.round(ms / 100) * 100;
  const rounded = schedule.map((fault, at) =>
    which(at)
      ? {
          ...fault,
          atMs: round(fault.atMs),
          forMs: Math.max(100, round(fault.forMs)),
          ...(fault.trigger !== undefined && { trigger: rounderTrigger(fault.trigger) }),
        }
      : fault,
  );
  if (JSON.stringify(rounded) === JSON.stringify(schedule)) return undefined;
  return withSchedule(config, rounded);
}

/** What is waited is often less than a tenth of a second. */
function rounderTrigger(trigger: FaultTrigger): FaultTrigger {
  if ('while' in trigger) return trigger;
  const step = trigger.delayMs < 100 ? 10 : 100;
  return { ...trigger, delayMs: Math.round(trigger.delayMs / step) * step };
}

export function withClients(config: RunConfig, clients: number): RunConfig | undefined {
  const { workloadOptions } = config;
  if (clients >= workloadOptions.clients || clients < 1) return undefined;
  return { ...config, workloadOptions: { ...workloadOptions, clients } };
}

export function withOneKey(config: RunConfig): RunConfig | undefined {
  const { workloadOptions } = config;
  if (workloadOptions.own['keys'] === '1') return undefined;
  const own = { ...workloadOptions.own, keys: '1' };
  return { ...config, workloadOptions: { ...workloadOptions, own } };
}

/** One of several workloads, with the clients and the rate of all and what is left of their options. */
export function withWorkload(
  config: RunConfig,
  { name, options, readModes }: Pick<Workload, 'name' | 'options' | 'readModes'>,
): RunConfig {
  const { workloadOptions } = config;
  const own = Object.entries(workloadOptions.own).filter(([option]) =>
    Object.hasOwn(options, option),
  );
  return {
    ...config,
    workload: name,
    workloadOptions: {
      ...workloadOptions,
      own: Object.fromEntries(own),
      readModes: workloadOptions.readModes.filter((mode) => readModes.includes(mode)),
    },
  };
}

/** Those that are named anywhere in a fault's options. */
function namedIn(value: JsonValue, nodes: readonly NodeName[]): readonly NodeName[] {
  if (typeof value === 'string')
    return nodes.filter((node) => value.split(/[^\w-]+/).includes(node));
  if (typeof value !== 'object' || value === null) return [];
  return [...new Set(Object.values(value).flatMap((each: JsonValue) => namedIn(each, nodes)))];
}

/** Whom a fault keeps out by name may as well not be there: neither that fault nor so many nodes. */
export function withoutNamed(config: RunConfig, at: number): RunConfig | undefined {
  const { nodes, schedule = [] } = config;
  const named = namedIn(schedule[at]?.options ?? {}, nodes);
  const rest = withSchedule(config, schedule.toSpliced(at, 1));
  return named.length === 0 || rest === undefined
    ? undefined
    : withNodes(rest, nodes.length - named.length);
}

/** The first nodes; undefined where a fault names one of the others. */
export function withNodes(config: RunConfig, count: number): RunConfig | undefined {
  const { nodes, schedule = [], workloadOptions } = config;
  if (count >= nodes.length || count < 1) return undefined;
  const gone = nodes.slice(count);
  if (schedule.some(({ options }) => namedIn(options, gone).length > 0)) return undefined;
  const fewer = nodes.slice(0, count);
  return { ...config, nodes: fewer, workloadOptions: { ...workloadOptions, nodes: fewer } };
}
