/** What the judges of whole stores promise, as tests of one seed; undefined, or what is wrong. */
import { nanos } from '../../harness/core/units.ts';
import { type History, historyOf } from '../../harness/history/history.ts';
import { type KeyOp, keyHistories } from '../key-history.ts';
import type { SearchBudget } from '../linearizable/wgl.ts';
import { register } from '../models/register.ts';
import { PREFIX_CONSISTENT, SEQUENTIAL } from '../sequential/criteria.ts';
import { judgeOrder } from '../sequential/judge.ts';
import { precedences } from '../sequential/precedence.ts';
import { type Criterion, problemOf } from '../sequential/problem.ts';
import { revisionOrder } from '../sequential/revision-order.ts';
import { searchOrder } from '../sequential/search.ts';
import { registers, someOrder, wrongOrder } from './all-orders.ts';
import { randomOf } from './context.ts';
import { sessionHistory } from './session-history.ts';

export const CRITERIA: Readonly<Record<Criterion['name'], Criterion>> = {
  sequential: SEQUENTIAL,
  'prefix-consistent': PREFIX_CONSISTENT,
};

const MODES = ['linearizable', 'serializable'] as const;

export const SEARCH: SearchBudget = {
  clock: { now: () => nanos(0) },
  deadline: nanos(1e9),
  memoryBytes: 2 ** 26,
  steps: 1e6,
};

/** Two to seven operations of a store. */
export function smallStore(seed: number): History {
  const random = randomOf(seed);
  return historyOf(
    sessionHistory(random, {
      operations: random.int(2, 7),
      processes: random.int(1, 4),
      keys: random.int(1, 3),
      values: random.pick(['unique', 2]),
      wrong: random.pick([0, 0.2, 0.7]),
      open: random.pick([0, 0, 0.3]),
      ...(random.chance(0.5) && { wrongRevisions: random.pick([0, 0, 0.2]) }),
    }),
  );
}

export function opsOf(history: History): KeyOp[] {
  return keyHistories(history, registers, MODES).flatMap(({ ops }) => ops);
}

/** What was found, and the first judge that is wrong. */
export interface Opinion {
  readonly isValid: boolean;
  readonly by: string;
  readonly isRevisions: boolean;
  readonly isCircle: boolean;
  readonly problem: string | undefined;
}

/** Each judge by itself, and all in turn, say what the trial of all orders says, or nothing. */
export function orderOpinion(seed: number, name: Criterion['name']): Opinion {
  const ops = opsOf(smallStore(seed));
  const isValid = someOrder(ops, name);
  const problem = problemOf(ops, register, CRITERIA[name]);
  const revisions = revisionOrder(problem);
  const known = precedences(problem, () => false);
  const circle = known !== undefined && 'circle' in known ? known.circle : undefined;
  const search = searchOrder(problem, SEARCH);
  const guided =
    known !== undefined && 'counts' in known ? searchOrder(problem, SEARCH, known.counts) : search;
  const judged = judgeOrder(problem, SEARCH);
  const orders = [
    revisions,
    search.result === 'valid' ? search.order : undefined,
    guided.result === 'valid' ? guided.order : undefined,
    judged.result === 'valid' ? judged.order : undefined,
  ];
  const wrongs = orders.map((order) => order && wrongOrder(ops, name, order));
  const circleOps = circle?.ops.map((at) => ops[at] as KeyOp);
  const wrong = [
    revisions !== undefined && !isValid ? 'revisions: it has no order' : undefined,
    circle !== undefined && isValid
      ? `circle: it has an order ${JSON.stringify(circle)}`
      : undefined,
    (search.result === 'valid') === isValid ? undefined : `search: ${search.result}`,
    (guided.result === 'valid') === isValid ? undefined : `guided search: ${guided.result}`,
    (judged.result === 'valid') === isValid ? undefined : `judge: ${judged.result}`,
    circleOps !== undefined && someOrder(withSources(ops, circleOps), name)
      ? 'the operations of the circle have an order'
      : undefined,
    judged.result === 'invalid' && someOrder(judged.core, name)
      ? 'the core has an order'
      : undefined,
    ...wrongs,
  ].find((text) => text !== undefined);
  return {
    isValid,
    by: judged.result === 'unknown' ? 'unknown' : judged.by,
    isRevisions: revisions !== undefined,
    isCircle: circle !== undefined,
    problem: wrong && `${name}: ${wrong} ${textOf(ops)}`,
  };
}

/** With all that changes anything, as only reads are sure to be missed by nobody. */
function withSources(ops: readonly KeyOp[], some: readonly KeyOp[]): KeyOp[] {
  return ops.filter((op) => some.includes(op) || !register.readOnly(op.call));
}

function textOf(ops: readonly KeyOp[]): string {
  return ops
    .map(({ invoke, call, start, end }) => JSON.stringify([invoke.process, call, start, end]))
    .join(' ');
}
