/**
 * A short stretch of a long history that is impossible whatever came before it: so the rest need not
 * be searched to the same depth. It begins in any state, and what is in flight at its beginning may
 * have been done already. Whatever order the whole history had would be one of the stretch, too, from
 * the state that it had there; so where the stretch has none, nor has the whole.
 */
import { invariant } from '../../harness/core/invariant.ts';
import type { Engine } from './engine.ts';
import { Pace } from './pace.ts';
import { NEVER, type Problem } from './problem.ts';
import type { SearchBudget } from './wgl.ts';

/** So many operations are invoked in it; one that is too short may be possible by itself. */
const SIZES = [32, 256, 2048] as const;
const STEPS_A_SIZE = 20_000;
/** With more states than that, it could begin in too many ways. */
const STATES_MAX = 512;

interface Stretch extends Problem {
  /** How many of its operations complete before the one that it ends with. */
  readonly before: number;
}

export interface StretchBudget extends Omit<SearchBudget, 'goesOn'> {
  /** How many operations are invoked in each stretch that is tried, one after the other. */
  readonly sizes?: readonly number[];
}

/**
 * Whether a stretch shows that no order gets past the completion of operation `blocked`, to which
 * some order gets: true is a proof, false says nothing. `steps`: how many it took.
 */
export function isImpossibleBy(
  problem: Problem,
  blocked: number,
  engine: Engine,
  budget: StretchBudget,
): { readonly isImpossible: boolean; readonly steps: number } {
  let steps = 0;
  const starts = problem.states?.() ?? Infinity;
  if (starts > STATES_MAX) return { isImpossible: false, steps };
  const last = countBelow(problem.calls, problem.returns[blocked] as number);
  for (const size of budget.sizes ?? SIZES) {
    if (size >= last || steps >= budget.steps) break;
    const stretch = { ...stretchOf(problem, blocked, last - size, last), starts };
    const stepsMax = Math.min(STEPS_A_SIZE, budget.steps - steps);
    const found = search(stretch, engine, { ...budget, steps: stepsMax });
    steps += engine.steps;
    if (found === 'impossible') return { isImpossible: true, steps };
    // If it takes too much, a longer one would as well.
    if (found === 'unknown') break;
  }
  return { isImpossible: false, steps };
}

/** `possible`: as far as the stretch shows. */
function search(
  stretch: Stretch,
  engine: Engine,
  { clock, deadline, memoryBytes, steps }: StretchBudget,
): 'impossible' | 'possible' | 'unknown' {
  let progress = engine.start(stretch, { memoryBytes, isStretch: true });
  const pace = new Pace(clock);
  while (progress === 'running' && engine.passed <= stretch.before) {
    if (engine.steps >= steps || clock.now() >= deadline) return 'unknown';
    progress = pace.run((slice) => engine.run(slice), steps - engine.steps);
  }
  if (progress === 'valid' || engine.passed > stretch.before) return 'possible';
  if (progress !== 'invalid') return 'unknown';
  invariant(engine.passed === stretch.before, 'what an order gets past a stretch gets past, too');
  return 'impossible';
}

/** What was in flight when operation `from` was invoked, and all from there up to `to`. */
function stretchOf(problem: Problem, blocked: number, from: number, to: number): Stretch {
  const { kinds, calls, returns } = problem;
  const began = calls[from] as number;
  const ops: number[] = [];
  for (let op = 0; op < from; op++) if ((returns[op] as number) > began) ops.push(op);
  for (let op = from; op < to; op++) ops.push(op);
  const column = (of: Int32Array): Int32Array => Int32Array.from(ops, (op) => of[op] as number);
  const [called, returned] = [column(calls), column(returns)];
  const moments = new Int32Array(2 * ops.length);
  moments.set(called);
  moments.set(returned, ops.length);
  moments.sort();
  const rank = (moment: number): number => (moment === NEVER ? NEVER : countBelow(moments, moment));
  const end = returns[blocked] as number;
  return {
    ...problem,
    kinds: column(kinds),
    calls: called.map(rank),
    returns: returned.map(rank),
    before: returned.filter((moment) => moment < end).length,
  };
}

/** Of sorted numbers. */
function countBelow(sorted: Int32Array, limit: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
