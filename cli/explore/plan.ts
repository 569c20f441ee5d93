/** What `schism explore` draws: a run, said in the words of the command line, its times in elections. */
import type { JsonValue } from '../../harness/core/json.ts';
import type { RunConfig } from '../../harness/protocols/run.ts';
import type { ScheduleLine } from '../config/config.ts';
import type { Flags } from '../flags.ts';
import { resolveConfig } from '../options.ts';
import { findWorkload } from '../registry.ts';
import type { Space } from './space.ts';

/** One fault; every time in election timeouts, so that it means the same on each kind of cluster. */
export interface Step {
  /** Since the start of the main phase. */
  readonly at: number;
  readonly for: number;
  readonly fault: string;
  /** All other words of its line in a schedule. */
  readonly options: Readonly<Record<string, JsonValue>>;
}

export interface Plan {
  readonly seed: number;
  readonly nodes: number;
  /** As after `--workload`. */
  readonly workload: string;
  readonly clientsPerNode: number;
  /** Operations a second over all clients. */
  readonly rate: number;
  readonly clientTimeoutMs: number;
  readonly workloadOptions: Readonly<Record<string, string>>;
  readonly systemOptions: Readonly<Record<string, string>>;
  /** Of the main phase, in elections. */
  readonly length: number;
  /** In order of time; empty: no faults. */
  readonly steps: readonly Step[];
}

export const STEPS_MAX = 40;
export const LENGTH_MAX = 40;
/** Clients' operations of a run that lets the rate be drawn: more runs show more than longer ones. */
const OPERATIONS_MAX = 2000;
const QUIET_MS = 500;
/** Elections between two faults of a kind that there can be only one of at a time. */
const GAP = 0.02;

/** A step as a line of a schedule file. */
export function lineOf({ at, for: duration, fault, options }: Step): ScheduleLine {
  return { at: `${rounded(at)}el`, for: `${rounded(duration)}el`, fault, ...options };
}

/** Two digits: what people read in a schedule. */
export function rounded(elections: number): number {
  return Math.round(elections * 100) / 100;
}

/** In order, of kinds that may be drawn, within the run. */
export function tidied(steps: readonly Step[], length: number, space: Space): readonly Step[] {
  const inOrder = steps
    .filter(({ fault, at }) => space.faults.includes(fault) && at < length)
    .map((step) => ({ ...step, at: rounded(step.at), for: Math.max(0.02, rounded(step.for)) }))
    .toSorted((a, b) => a.at - b.at)
    .slice(0, STEPS_MAX);
  return inOrder.flatMap((step, at) => {
    if (!space.single.has(step.fault)) return [step];
    const next = inOrder.slice(at + 1).find(({ fault }) => fault === step.fault);
    const free = next === undefined ? step.for : rounded(next.at - step.at - GAP);
    return free < GAP ? [] : [{ ...step, for: Math.min(step.for, free) }];
  });
}

/** Of fewer nodes a change may leave nobody who votes, and a store that ends itself then is no finding. */
const CHANGED_NODES_MIN = 3;

/** The same plan as far as this space allows it: what somebody fixed is as they said. */
export function within(plan: Plan, space: Space): Plan {
  const { fixed } = space;
  const length = fixed.length ?? Math.min(plan.length, LENGTH_MAX);
  const nodes = fixed.nodes ?? plan.nodes;
  const mayChange = fixed.nodes !== undefined || nodes >= CHANGED_NODES_MIN;
  const steps = plan.steps.filter(({ fault }) => mayChange || fault !== 'membership');
  return {
    ...plan,
    nodes,
    workload: fixed.workload ?? plan.workload,
    rate: fixed.rate ?? Math.min(plan.rate, affordable(length, space)),
    clientTimeoutMs: fixed.clientTimeoutMs ?? plan.clientTimeoutMs,
    length,
    steps: tidied(steps, length, space),
  };
}

/** Operations a second, in tens, so that so long a run stays within bounds. */
function affordable(length: number, { timing }: Space): number {
  const seconds = (length * timing.electionMs) / 1000;
  return 10 * Math.max(1, Math.round(OPERATIONS_MAX / seconds / 10));
}

/** The run that it is. Throws `bad-option` or `bad-input` for one that cannot be asked for. */
export function configOf(plan: Plan, space: Space): Promise<RunConfig> {
  const { flags, system, catalogue, env, timing } = space;
  const workload = findWorkload(plan.workload, catalogue);
  const faults: Pick<Flags, 'faults'> & Partial<Pick<Flags, 'schedule'>> =
    plan.steps.length === 0
      ? { faults: false }
      : { faults: true, schedule: plan.steps.map(lineOf) };
  const { fault: _, schedule: __, seed: ___, ...base } = flags;
  const words: Flags = {
    ...base,
    ...faults,
    ...(space.fixed.nodes === undefined && { nodes: String(plan.nodes) }),
    workload: plan.workload,
    workloadOption: joined(flags.workloadOption, plan.workloadOptions, workload.options),
    systemOption: joined(flags.systemOption, plan.systemOptions, system.options),
    ...(flags.clients === undefined && { clients: `${plan.clientsPerNode}n` }),
    rate: String(plan.rate),
    clientTimeout: `${plan.clientTimeoutMs}ms`,
    duration: `${Math.round(plan.length * timing.electionMs)}ms`,
    quietStart: `${QUIET_MS}ms`,
    seed: String(plan.seed),
    requireFaults: false,
  };
  return resolveConfig(words, system, workload, env, undefined, catalogue);
}

/** What was given goes before what was drawn; what nobody here knows is left out. */
function joined(
  given: readonly string[],
  drawn: Readonly<Record<string, string>>,
  known: Readonly<Record<string, string>>,
): readonly string[] {
  const named = new Set(given.map((text) => text.split('=', 1)[0]));
  const more = Object.entries(drawn).filter(
    ([name]) => !named.has(name) && Object.hasOwn(known, name),
  );
  return [...given, ...more.map(([name, value]) => `${name}=${value}`)];
}
