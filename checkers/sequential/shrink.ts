/**
 * Makes operations that have no order as few as can be proven honest: only what the model allows
 * to be missing goes (`removable`), since the order of the others is then still one.
 */
import type { KeyOp } from '../key-history.ts';
import type { SearchBudget } from '../linearizable/wgl.ts';
import type { Model } from '../models/model.ts';
import { findCircle } from './precedence.ts';
import { type Criterion, objectsOf, problemOf } from './problem.ts';
import { searchOrder } from './search.ts';

export interface Question {
  readonly model: Model;
  readonly criterion: Criterion;
  readonly budget: SearchBudget;
}

/** `ops` have no order; those of `among`, with what these need, have none either. */
export function shrinkOrder(
  ops: readonly KeyOp[],
  among: ReadonlySet<KeyOp>,
  question: Question,
): readonly KeyOp[] {
  let kept = withWhatTheyNeed(ops, among, question.model);
  if (!isImpossible(kept, question)) kept = ops;
  for (let size = kept.length; size >= 1; size = Math.floor(size / 2)) {
    for (let first = 0; first < kept.length; ) {
      if (question.budget.clock.now() >= question.budget.deadline) return kept;
      const out = new Set(kept.slice(first, first + size));
      const rest = withWhatTheyNeed(
        kept,
        new Set(kept.filter((op) => !out.has(op))),
        question.model,
      );
      if (rest.length < kept.length && isImpossible(rest, question)) kept = rest;
      else first += size;
    }
  }
  return kept;
}

/** The wanted operations, and those that nothing allows to be missing then. */
function withWhatTheyNeed(
  ops: readonly KeyOp[],
  wanted: ReadonlySet<KeyOp>,
  model: Model,
): readonly KeyOp[] {
  let kept = ops;
  for (;;) {
    const isFree = new Set<KeyOp>();
    for (const positions of objectsOf(kept, model).values()) {
      const own = positions.map((at) => kept[at] as KeyOp);
      const removable = model.removable(own.map(({ call }) => call));
      for (const [i, op] of own.entries()) if (removable[i] === true) isFree.add(op);
    }
    const rest = kept.filter((op) => wanted.has(op) || !isFree.has(op));
    if (rest.length === kept.length) return kept;
    kept = rest;
  }
}

function isImpossible(ops: readonly KeyOp[], { model, criterion, budget }: Question): boolean {
  const problem = problemOf(ops, model, criterion);
  const isOver = (): boolean => budget.clock.now() >= budget.deadline;
  return (
    findCircle(problem, isOver) !== undefined || searchOrder(problem, budget).result === 'invalid'
  );
}
