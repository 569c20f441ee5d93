/** What the threads of a search have in common: parts to take, and a place for what came of each. */
import { type Nanos, nanos } from '../../harness/core/units.ts';
import type { CompiledEngine } from './engine-module.ts';
import type { Parts } from './partition.ts';
import type { Outcome, RoundBudget } from './rounds.ts';
import { searchPart } from './search-part.ts';
import type { UnknownReason } from './wgl.ts';

/** Everything is in shared memory, but for the engine. */
export interface SharedParts {
  readonly engine: CompiledEngine;
  readonly parts: Parts;
  /** `FIELDS` numbers for each part; see `outcomeAt`. */
  readonly outcomes: Float64Array;
}

/** A round, as other threads are told of it: whoever has nothing to do takes the next part. */
export interface SharedRound {
  readonly keys: Int32Array;
  readonly steps: Float64Array;
  /** How many of the keys are taken; of this round, so that whoever comes late takes none. */
  readonly taken: Int32Array;
  readonly timeMs: number;
  /** For each thread. */
  readonly memoryBytes: number;
  readonly recheck: boolean;
}

/** What another thread is asked. */
export interface Order {
  readonly parts: SharedParts;
  readonly round: SharedRound;
}

const FIELDS = 6;
/** A part that nobody has taken, and one that a thread has, or had when it ended. */
const NAMES = ['none', 'busy', 'valid', 'invalid'] as const;
const REASONS: readonly UnknownReason[] = ['time', 'memory', 'steps', 'width', 'states'];

export function shareParts(parts: Parts, engine: CompiledEngine): SharedParts {
  return {
    engine,
    parts: {
      first: sharedColumn(parts.first),
      values: sharedColumn(parts.values),
      table: sharedColumn(parts.table),
    },
    outcomes: new Float64Array(new SharedArrayBuffer(8 * FIELDS * parts.values.length)),
  };
}

/** Copied only if it has to be. */
export function sharedColumn(numbers: ArrayLike<number>): Int32Array {
  if (numbers instanceof Int32Array && numbers.buffer instanceof SharedArrayBuffer) return numbers;
  const column = new Int32Array(new SharedArrayBuffer(4 * numbers.length));
  column.set(numbers);
  return column;
}

/** Decides parts until all of the round are taken, or until a moment. Returns whether all are. */
export function takeParts(
  { parts, outcomes }: SharedParts,
  { keys, steps, taken }: Pick<SharedRound, 'keys' | 'steps' | 'taken'>,
  budget: RoundBudget,
  until: Nanos = nanos(Infinity),
): boolean {
  while (budget.clock.now() < until) {
    const at = Atomics.add(taken, 0, 1);
    if (at >= keys.length) return true;
    const part = keys[at] as number;
    outcomes[FIELDS * part] = NAMES.indexOf('busy');
    const outcome = searchPart(parts, part, { ...budget, steps: steps[at] as number });
    const { result, reason, blocked = -1, configurations, states, width } = outcome;
    const code =
      result === 'unknown'
        ? NAMES.length + REASONS.indexOf(reason ?? 'steps')
        : NAMES.indexOf(result);
    outcomes.set([code, blocked, outcome.steps, configurations, states, width], FIELDS * part);
  }
  return false;
}

/** Whether a thread has this part, or had it when it ended. */
export function isBusy({ outcomes }: SharedParts, part: number): boolean {
  return outcomes[FIELDS * part] === NAMES.indexOf('busy');
}

/** What came of a part; undefined: whoever took it has ended. */
export function outcomeAt({ outcomes }: SharedParts, part: number): Outcome | undefined {
  const at = FIELDS * part;
  const [code = 0, blocked = -1, steps = 0, configurations = 0, states = 0, width = 0] =
    outcomes.subarray(at, at + FIELDS);
  const name = NAMES[code];
  if (name === 'none' || name === 'busy') return undefined;
  const effort = { steps, configurations, states, width, ...(blocked >= 0 && { blocked }) };
  if (name !== undefined) return { ...effort, result: name };
  return { ...effort, result: 'unknown', reason: REASONS[code - NAMES.length] ?? 'steps' };
}
