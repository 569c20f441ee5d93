import type { Interval } from '../key-history.ts';
import type { Model } from '../models/model.ts';

/**
 * Whether `order`, positions in `ops`, shows that these are linearizable: it has every operation
 * once, but for some of indefinite outcome; none comes after one that began when it had ended; and
 * the model allows each step. Undefined if so; else what is wrong, in words.
 */
export function witnessProblem(
  ops: readonly Interval[],
  model: Model,
  order: readonly number[],
): string | undefined {
  const left = new Set(ops.keys());
  let { init: state } = model;
  let latestStart = -Infinity;
  for (const at of order) {
    const op = ops[at];
    if (op === undefined || !left.delete(at)) return `operation ${at} is not there, or not once`;
    if (op.end < latestStart) return `operation ${at} had ended when one before it began`;
    latestStart = Math.max(latestStart, op.start);
    const stepped = model.step(state, op.call);
    if (!('state' in stepped)) return `operation ${at}: ${stepped.inconsistent}`;
    ({ state } = stepped);
  }
  const missing = [...left].find((at) => ops[at]?.call.outcome !== 'indefinite');
  return missing === undefined ? undefined : `operation ${missing} is missing`;
}
