import type { JsonValue } from '../../harness/core/json.ts';
import type { Random } from '../../harness/core/prng.ts';
import type { Interval } from '../key-history.ts';
import type { Call } from '../models/model.ts';

export interface UniqueOptions {
  readonly operations: number;
  readonly processes: number;
  /** How many answers are changed afterwards. */
  readonly wrong: number;
  /** Share of operations of unknown outcome. */
  readonly open: number;
}

/**
 * Operations on a register, in order of start, whose written values are all different; they
 * overlap, and act at one moment each on a correct register, before some answers are changed.
 */
export function uniqueHistory(random: Random, options: UniqueOptions): Interval[] {
  const ops: { start: number; end: number; call: Call }[] = [];
  const open: (number | undefined)[] = Array.from({ length: options.processes });
  const isDone: boolean[] = [];
  let state: JsonValue = null;
  let now = 0;
  while (ops.length < options.operations || open.some((op) => op !== undefined)) {
    const process = random.int(0, options.processes - 1);
    const at = open[process];
    if (at === undefined) {
      if (ops.length === options.operations) continue;
      open[process] =
        ops.push({ start: now++, end: Infinity, call: asked(random, ops.length) }) - 1;
      continue;
    }
    const op = ops[at] as (typeof ops)[number];
    if (isDone[at] !== true) {
      isDone[at] = true;
      const isOpen = random.chance(options.open);
      const [call, after] = performed(random, op.call, state);
      if (!isOpen || random.chance(0.6)) state = after;
      op.call = isOpen ? { ...op.call, outcome: 'indefinite' } : call;
    } else {
      if (op.call.outcome !== 'indefinite') op.end = now++;
      open[process] = undefined;
    }
  }
  for (let wrong = 0; wrong < options.wrong; wrong++) {
    const op = random.pick(ops);
    op.call = changed(random, op.call, options.operations);
  }
  return ops.filter(({ call }) => call.f !== 'read' || call.outcome === 'ok');
}

/** The value that operation `at` writes, if it writes. */
function asked(random: Random, at: number): Call {
  const f = random.pick(['read', 'read', 'write', 'cas', 'cas']);
  const guess = random.chance(0.3) ? null : random.int(Math.max(0, at - 4), at);
  const input = f === 'read' ? null : f === 'write' ? at : [guess, at];
  return { f, input, output: null, outcome: 'ok' };
}

function performed(
  random: Random,
  call: Call,
  state: JsonValue,
): readonly [call: Call, after: JsonValue] {
  if (call.f === 'read') return [{ ...call, output: state }, state];
  if (call.f === 'write') return [call, call.input];
  const [from, to] = call.input as [JsonValue, JsonValue];
  // Mostly a client expects what is there.
  if (random.chance(0.6)) return [{ ...call, input: [state, to] }, to];
  return from === state ? [call, to] : [{ ...call, outcome: 'refused', seen: state }, state];
}

function changed(random: Random, call: Call, values: number): Call {
  const value = random.chance(0.1) ? null : random.int(0, values);
  if (call.outcome === 'refused') return { ...call, seen: value };
  if (call.f === 'read') return { ...call, output: value };
  const [, to = null] = Array.isArray(call.input) ? (call.input as JsonValue[]) : [];
  return call.f === 'cas' ? { ...call, input: [value, to] } : call;
}
