/** Small histories of any model, for tests that ask the same of all of them. */
import type { JsonValue } from '../../harness/core/json.ts';
import type { Random } from '../../harness/core/prng.ts';
import type { Interval } from '../key-history.ts';
import type { Call, Model } from '../models/model.ts';

/** A call that the model may or may not allow, of any outcome. */
export type Draw = (random: Random) => Call;

export interface SmallOptions {
  readonly operations: number;
  readonly processes: number;
  /** How many calls are changed afterwards into any others. */
  readonly wrong: number;
}

interface Pending {
  readonly start: number;
  call: Call | undefined;
}

/**
 * Operations in order of start, that overlap and act at one moment each on an object that the
 * model describes; then `wrong` of them are replaced.
 */
export function smallHistory(
  random: Random,
  model: Model,
  draw: Draw,
  { operations, processes, wrong }: SmallOptions,
): Interval[] {
  const done: Interval[] = [];
  const open: (Pending | undefined)[] = Array.from({ length: processes });
  let state = model.init;
  let [begun, now] = [0, 0];
  while (begun < operations || open.some((pending) => pending !== undefined)) {
    const process = random.int(0, processes - 1);
    const pending = open[process];
    if (pending === undefined) {
      if (begun === operations) continue;
      open[process] = { start: now++, call: undefined };
      begun++;
    } else if (pending.call === undefined) {
      const [call, after] = legalCall(random, model, draw, state);
      state = after;
      pending.call = call;
    } else {
      const { start, call } = pending;
      done.push({ call, start, end: call.outcome === 'indefinite' ? Infinity : now++ });
      open[process] = undefined;
    }
  }
  for (let at = 0; at < wrong; at++) {
    const place = random.int(0, done.length - 1);
    const call = draw(random);
    const { start, end } = done[place] as Interval;
    const isOpen = call.outcome === 'indefinite';
    done[place] = { call, start, end: isOpen ? Infinity : end === Infinity ? now++ : end };
  }
  return done.toSorted((a, b) => a.start - b.start);
}

const DRAWS = 60;

/** A call that is legal now, with the state after it; an indefinite one may do nothing. */
function legalCall(
  random: Random,
  model: Model,
  draw: Draw,
  state: JsonValue,
): readonly [Call, JsonValue] {
  for (let tries = 0; tries < DRAWS; tries++) {
    const call = draw(random);
    const stepped = model.step(state, call);
    if (call.outcome === 'indefinite' && random.chance(0.4)) return [call, state];
    if ('state' in stepped) return [call, stepped.state];
  }
  return [{ ...draw(random), outcome: 'indefinite', output: null }, state];
}

/** States that random legal calls lead to, the first one included. */
export function reachableStates(random: Random, model: Model, draw: Draw): JsonValue[] {
  const states = new Map<string, JsonValue>();
  for (let walk = 0; walk < 12; walk++) {
    let state = model.init;
    for (let step = 0; step < 8; step++) {
      states.set(JSON.stringify(state), state);
      state = legalCall(random, model, draw, state)[1];
    }
  }
  return [...states.values()];
}
