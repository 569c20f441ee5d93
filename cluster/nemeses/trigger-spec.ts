/** What an entry of a schedule says of what its fault waits for. */
import type { JsonValue } from '../../harness/core/json.ts';
import { suggest } from '../../harness/core/suggest.ts';
import type { FaultTrigger } from '../../harness/protocols/run.ts';
import type { Timing } from '../../harness/protocols/system.ts';
import { durationOf, type FaultOptions, isName, list, type Place, refuse } from './options.ts';

const EVENTS = ['leader-change', 'fault-begun', 'fault-ended'] as const;
const WRITE = 'write-in-flight';
const EVENT_KEYS: readonly string[] = ['after', 'of', 'delay', 'within'];
const WRITE_KEYS: readonly string[] = ['while', 'on', 'within'];

/** After so many election timeouts in vain a fault is skipped, unless told otherwise. */
const WITHIN_ELECTIONS = 10;

/** What stands beside a trigger belongs to the fault. */
export interface TriggerAndRest {
  readonly trigger?: FaultTrigger;
  readonly rest: FaultOptions;
}

/**
 * Some faults have options of the same names, such as `reset` its `after`: they are the fault's
 * unless what they say makes them a trigger's.
 */
export function readTrigger({ options, where }: Place, timing: Timing): TriggerAndRest {
  const keys = keysOf(options, where);
  if (keys === undefined) return { rest: options };
  const own = Object.entries(options).filter(([key]) => keys.includes(key));
  const rest = Object.entries(options).filter(([key]) => !keys.includes(key));
  const place = { options: Object.fromEntries(own), where };
  const withinMs = durationOf(place, 'within', timing, WITHIN_ELECTIONS * timing.electionMs);
  if (withinMs === 0) refuse(where, 'within: 0 would never come');
  const trigger = keys === WRITE_KEYS ? writeOf(place, withinMs) : eventOf(place, timing, withinMs);
  return { trigger, rest: Object.fromEntries(rest) };
}

function keysOf(options: FaultOptions, where: string): readonly string[] | undefined {
  const { after, while: during } = options;
  const isEvent = EVENTS.some((event) => event === after);
  if (during !== undefined && isEvent)
    refuse(where, "a fault waits for one thing: write either 'after' or 'while'");
  if (during !== undefined) return WRITE_KEYS;
  if (isEvent) return EVENT_KEYS;
  if (typeof after !== 'string') return undefined;
  const hint = suggest(after, EVENTS);
  if (hint !== '') refuse(where, `after: '${after}' is not known${hint}`);
  return undefined;
}

function writeOf({ options, where }: Place, withinMs: number): FaultTrigger {
  const { while: during, on = 'leader' } = options;
  if (during !== WRITE)
    refuse(where, `while: ${JSON.stringify(during)} is not known; write "${WRITE}"`);
  if (on !== 'leader' && on !== 'any' && !isName(on))
    refuse(where, `on: ${JSON.stringify(on)} is no node; write leader, any, or a name such as n1`);
  return { while: WRITE, on, withinMs };
}

function eventOf(place: Place, timing: Timing, withinMs: number): FaultTrigger {
  const { options, where } = place;
  const after = EVENTS.find((event) => event === options['after']) ?? refuse(where, 'no event');
  const delayMs = durationOf(place, 'delay', timing, 0);
  const of = ofWhom(options['of'], where);
  if (of !== undefined && after === 'leader-change')
    refuse(where, `of: a leader change is nobody's; it goes with ${list(EVENTS.slice(1))}`);
  return { after, ...(of !== undefined && { of }), delayMs, withinMs };
}

function ofWhom(of: JsonValue | undefined, where: string): string | undefined {
  if (of === undefined || typeof of === 'string') return of;
  return refuse(where, `of: ${JSON.stringify(of)} is neither a kind of fault nor a lane`);
}

/**
 * Whether these options would be taken for something else where they stand: then they are written
 * in an object of their own.
 */
export function needsOwnObject(
  options: FaultOptions,
  trigger: FaultTrigger | undefined,
  keys: readonly string[],
): boolean {
  const own = trigger === undefined ? [] : 'while' in trigger ? WRITE_KEYS : EVENT_KEYS;
  const taken = [...keys, ...own, 'while', 'options'];
  if (Object.keys(options).some((key) => taken.includes(key))) return true;
  const { after } = options;
  return EVENTS.some((event) => event === after);
}
