/** What the judges in linear time promise, as tests of one seed; undefined, or what is wrong. */

import type { JsonValue } from '../../harness/core/json.ts';
import type { Random } from '../../harness/core/prng.ts';
import { nanos } from '../../harness/core/units.ts';
import { type History, historyOf } from '../../harness/history/history.ts';
import type { Op } from '../../harness/history/op.ts';
import { witnessProblem } from '../certificates/witness.ts';
import { type Interval, keyHistories } from '../key-history.ts';
import {
  anythingBut,
  columnsOf,
  NEVER,
  NONE,
  type RegisterColumns,
} from '../linearizable/columns.ts';
import { type RevisionWitness, revisionWitness } from '../linearizable/fast/revision-witness.ts';
import { type UniqueWrites, uniqueWrites } from '../linearizable/fast/unique-writes.ts';
import { findOrder, type SearchBudget } from '../linearizable/wgl.ts';
import type { Model } from '../models/model.ts';
import { register } from '../models/register.ts';
import { arbitraryHistory } from './arbitrary-history.ts';
import { bruteForceOrder } from './brute-force.ts';
import { randomOf } from './context.ts';
import { type SimulateOptions, simulate } from './simulate.ts';
import { uniqueHistory } from './unique-history.ts';

const SEARCH: SearchBudget = {
  clock: { now: () => nanos(0) },
  deadline: nanos(1),
  memoryBytes: 2 ** 26,
  steps: 1e6,
};

/** One key whose written values are all different. */
export function uniqueSmall(seed: number): Interval[] {
  const random = randomOf(seed);
  return uniqueHistory(random, {
    operations: random.int(2, 8),
    processes: random.int(1, 5),
    wrong: random.pick([0, 0, 1, 1, 2]),
    open: random.pick([0, 0.2, 0.4]),
  });
}

/** The verdict is that of the trial of all orders, a witness is one, and a conflict is one. */
export function uniqueProblem(
  seed: number,
  judge: typeof uniqueWrites = uniqueWrites,
): string | undefined {
  const ops = uniqueSmall(seed);
  const expected = bruteForceOrder(ops, register) ? 'valid' : 'invalid';
  const columns = columnsOf([{ key: 'x', ops }]);
  const found = judge(seed % 2 === 0 ? columns : renumbered(columns));
  const problem = wrongVerdict(found, 0, ops, expected) ?? wrongConflict(found, ops);
  return problem && `${JSON.stringify(ops)}: ${problem}`;
}

/** The same with values numbered from the other end: whoever judges must not count on their order. */
function renumbered(columns: RegisterColumns): RegisterColumns {
  const last = columns.values.length - 1;
  const name = (value: number): number => {
    if (value < NONE) return anythingBut(last - anythingBut(value));
    return value === NONE ? NONE : last - value;
  };
  return {
    ...columns,
    values: columns.values.toReversed(),
    keyOf: columns.keyOf.toReversed(),
    initial: columns.initial.map(name),
    needs: columns.needs.map(name),
    puts: columns.puts.map(name),
  };
}

/** Where values may come again, or refusals say nothing: the right verdict, or none. */
export function repeatedProblem(
  seed: number,
  judge: typeof uniqueWrites = uniqueWrites,
): string | undefined {
  const random = randomOf(seed);
  const small = { operations: random.int(2, 6), processes: random.int(1, 4), values: 4 };
  const history = historyOf(arbitraryHistory(random, small));
  const [part] = keyHistories(history, register, READS);
  if (part === undefined) return undefined;
  const { verdicts, conflicts } = judge(columnsOf([part]));
  const [verdict] = verdicts;
  const expected = bruteForceOrder(part.ops, register) ? 'valid' : 'invalid';
  const isRight = verdict === 'other' ? conflicts.length === 0 : verdict === expected;
  return isRight ? undefined : `${JSON.stringify(part.ops)}: it is ${expected}, found ${verdict}`;
}

/** The same with many operations on a few keys, of which some were changed, against the search. */
export function uniqueStoreProblem(
  seed: number,
  judge: typeof uniqueWrites = uniqueWrites,
): string | undefined {
  const parts = keyHistories(storeHistory(seed, { info: 0.05, fail: 0.05 }), register, READS);
  const found = judge(columnsOf(parts));
  let first = 0;
  for (const [key, { ops }] of parts.entries()) {
    const { result } = findOrder(ops, register, SEARCH);
    const problem = wrongVerdict(found, first, ops, result, key);
    if (problem !== undefined) return `key ${key}: ${problem}`;
    first += ops.length;
  }
  return undefined;
}

/** `first`: the row of the key's first operation. */
function wrongVerdict(
  { verdicts, conflicts, order }: UniqueWrites,
  first: number,
  ops: readonly Interval[],
  expected: string,
  key: number = 0,
): string | undefined {
  const verdict = verdicts[key] ?? 'valid';
  const own = conflicts.filter((conflict) => conflict.key === key);
  if (verdict !== expected) return `it is ${expected}, found ${verdict}, ${JSON.stringify(own)}`;
  if (own.length !== (verdict === 'invalid' ? 1 : 0)) return `${own.length} conflicts`;
  const rows = order(key).map((row) => row - first);
  return verdict === 'valid' ? witnessProblem(ops, register, rows) : undefined;
}

/** The operations of a conflict have no order, given only those that may have written. */
function wrongConflict({ conflicts }: UniqueWrites, ops: readonly Interval[]): string | undefined {
  const [conflict] = conflicts;
  if (conflict === undefined) return undefined;
  const { kind, ops: core, proofs } = conflict;
  const few = kind === 'circle' ? ops.length : 4;
  if (core.length === 0 || core.length > few) return `${kind} of ${core.length}`;
  const named = new Set([...core, ...proofs]);
  const left = ops.filter(({ call }, row) => named.has(row) || !register.readOnly(call));
  return bruteForceOrder(left, register) ? `${JSON.stringify(conflict)} has an order` : undefined;
}

const READS = ['linearizable'] as const;

/** Three keys of a store that numbers its changes; every other seed with a few wrong answers. */
function storeHistory(seed: number, options: Partial<SimulateOptions>): History {
  const random = randomOf(seed);
  const ops = simulate(random, { operations: 90, clients: 5, keys: 3, ...options });
  const changed = new Map<number, Op>();
  for (let wrong = seed % 2 === 0 ? 0 : random.int(1, 2); wrong > 0; wrong--) {
    const op = random.pick(ops.filter(({ type }) => type === 'ok'));
    changed.set(op.index, wrongAnswer(random, op));
  }
  return historyOf(ops.map((op) => changed.get(op.index) ?? op));
}

function wrongAnswer(random: Random, op: Op, values: number = 60): Op {
  const revision = Math.max(0, (op.server?.revision ?? 0) + random.int(-4, 4));
  const isRead = op.f === 'read';
  if (!isRead || random.chance(0.5)) return { ...op, server: { ...op.server, revision } };
  return { ...op, value: random.int(1, values) };
}

/** Registers by key, as one object. */
const registers: Model = {
  ...register,
  per: 'store',
  init: {},
  step: (state, call) => {
    const held = state as Readonly<Record<string, JsonValue>>;
    const key = call.key ?? '';
    const stepped = register.step(held[key] ?? null, call);
    return 'state' in stepped ? { state: { ...held, [key]: stepped.state } } : stepped;
  },
};

/** What it found, and what is wrong: a witness must be one, and a correct store has one. */
export function revisionProblem(
  seed: number,
  judge: typeof revisionWitness = revisionWitness,
): readonly [RevisionWitness, string | undefined] {
  const history = storeHistory(seed, { info: 0.1, fail: 0.05 });
  return witnessOpinion(history, judge, seed % 2 === 0);
}

/**
 * The same of a few operations, of which many have an unknown outcome or a wrong answer, where
 * values may come again, revisions be far apart or missing, and refusals not say what they saw.
 */
export function smallRevisionProblem(
  seed: number,
  judge: typeof revisionWitness = revisionWitness,
): readonly [RevisionWitness, string | undefined] {
  const random = randomOf(seed);
  const values = random.pick(['unique', 2, 3] as const);
  const isSilent = random.chance(0.3);
  const scale = random.pick([1, 1, 1000]);
  const wrong = random.pick([0, 1, 1, 2]);
  const forgets = random.chance(0.1);
  const options = { operations: random.int(3, 14), clients: 4, keys: 2, values, lag: 0 };
  const ops = simulate(random, { ...options, info: random.pick([0, 0.3, 0.6]) });
  const answered = ops.filter(({ type, server }) => type !== 'invoke' && server !== undefined);
  const changed = new Map<number, Op>();
  for (let left = answered.length === 0 ? 0 : wrong; left > 0; left--) {
    const op = random.pick(answered);
    changed.set(op.index, wrongAnswer(random, op, values === 'unique' ? 10 : values));
  }
  const history = historyOf(
    ops.map((op) => {
      const { seen, server, ...rest } = changed.get(op.index) ?? op;
      const { revision, ...stamp } = server ?? {};
      const isForgotten = forgets && random.chance(0.2);
      const told = revision === undefined || isForgotten ? {} : { revision: revision * scale };
      return {
        ...rest,
        ...(seen !== undefined && !isSilent && { seen }),
        ...(server !== undefined && { server: { ...stamp, ...told } }),
      };
    }),
  );
  return witnessOpinion(
    history,
    judge,
    wrong === 0 && values === 'unique' && !isSilent && !forgets,
  );
}

function witnessOpinion(
  history: History,
  judge: typeof revisionWitness,
  isCorrect: boolean,
): readonly [RevisionWitness, string | undefined] {
  const columns = columnsOf(keyHistories(history, register, READS), 'call');
  const found = judge(columns);
  if (!found.holds) return [found, isCorrect ? 'a correct store is refused' : undefined];
  const ops = keyHistories(history, registers, READS).flatMap((part) => part.ops);
  const problem = witnessProblem(ops, registers, [...found.order]);
  return [found, problem ?? againstRevisions(columns, found.order)];
}

/** Revisions rise from change to change, and a read has the one of the change before it. */
function againstRevisions(columns: RegisterColumns, order: Int32Array): string | undefined {
  const { puts, ret, revision } = columns;
  let last = -1;
  for (const row of order) {
    if (ret[row] === NEVER) continue;
    const own = revision[row] as number;
    const isChange = (puts[row] as number) >= 0;
    if (own < 0 || own < last || (isChange && own === last)) return `operation ${row} is misplaced`;
    last = own;
  }
  return undefined;
}
