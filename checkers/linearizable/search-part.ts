import { invariant } from '../../harness/core/invariant.ts';
import { columnWitnessProblem } from '../certificates/column-witness.ts';
import { columnsOfPart, type Parts } from './partition.ts';
import { race } from './portfolio.ts';
import { registerProblem } from './register-problem.ts';
import { Room } from './room.ts';
import type { Outcome, RoundBudget } from './rounds.ts';
import type { SearchBudget } from './wgl.ts';

/** For one part after the other. */
const room = new Room();

/** Decides one part; that it is valid is said only after its order was tried, unless told otherwise. */
export function searchPart(
  parts: Parts,
  part: number,
  budget: RoundBudget & SearchBudget,
): Outcome {
  room.clear();
  const recheck = budget.recheck !== false;
  const columns = columnsOfPart(parts, part, room, recheck);
  const problem = registerProblem(columns, parts.values[part] as number, room);
  const { order, ...outcome } = race(problem, budget, recheck ? 'order' : 'verdict');
  if (recheck && outcome.result === 'valid') {
    const wrong = columnWitnessProblem(columns, order);
    if (wrong !== undefined) invariant(false, `the order of a search is none: ${wrong}`);
  }
  return outcome;
}
