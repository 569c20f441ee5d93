/**
 * What the criteria here ask: is there one order of all operations of a whole store that the model
 * accepts, and that keeps some of the order in which they were sent? Linearizability keeps all of
 * it, and then each key can be judged alone; these keep less, and no key answers for the others.
 */
import type { KeyOp } from '../key-history.ts';
import { columnsOf, type RegisterColumns } from '../linearizable/columns.ts';
import type { Model } from '../models/model.ts';
import { register } from '../models/register.ts';

/** What an order must keep. */
export interface Criterion {
  readonly name: 'sequential' | 'prefix-consistent';
  /** Operations of one session keep their order. */
  readonly sessionOf: (op: KeyOp) => string;
  /** True for an operation that also comes after all that had ended when it began. */
  readonly keepsTime: (op: KeyOp) => boolean;
}

/** Operations one after another. */
export interface Session {
  readonly ops: readonly number[];
  /** It begins only when so many operations of another session are done. */
  readonly after?: { readonly session: number; readonly count: number };
}

export interface OrderProblem {
  readonly criterion: Criterion;
  /** Of one key, if the model is of keys; its calls have their key all the same. */
  readonly model: Model;
  /** In order of invocation; everything below speaks of positions in this list. */
  readonly ops: readonly KeyOp[];
  readonly sessions: readonly Session[];
  /** Of each operation: its session, and its position there. */
  readonly sessionOf: Int32Array;
  readonly placeOf: Int32Array;
  readonly keepsTime: readonly boolean[];
  /** The objects that the model speaks of; a single one for a model of the whole store. */
  readonly keys: readonly string[];
  readonly keyOf: Int32Array;
  /** Only for registers; rows are positions in `ops`. */
  readonly columns?: RegisterColumns;
}

export function problemOf(ops: readonly KeyOp[], model: Model, criterion: Criterion): OrderProblem {
  const objects = objectsOf(ops, model);
  const keys = [...objects.keys()];
  const keyOf = new Int32Array(ops.length);
  for (const [number, key] of keys.entries())
    for (const at of objects.get(key) ?? []) keyOf[at] = number;
  const sessions = sessionsOf(ops, criterion);
  const [sessionOf, placeOf] = [new Int32Array(ops.length), new Int32Array(ops.length)];
  for (const [session, { ops: own }] of sessions.entries())
    for (const [place, at] of own.entries()) {
      sessionOf[at] = session;
      placeOf[at] = place;
    }
  const isRegister = model.step === register.step;
  return {
    criterion,
    model,
    ops,
    sessions,
    sessionOf,
    placeOf,
    keepsTime: ops.map((op) => criterion.keepsTime(op)),
    keys,
    keyOf,
    ...(isRegister && { columns: registerColumns(ops, objects, model) }),
  };
}

/** Positions in `ops` by the object that they are about. */
export function objectsOf(ops: readonly KeyOp[], model: Model): Map<string, number[]> {
  const objectOf = (at: number): string =>
    model.per === 'store' ? '' : ((ops[at] as KeyOp).invoke.key ?? '');
  return Map.groupBy(ops.keys(), objectOf);
}

/**
 * An operation of unknown outcome may take effect at any later time: what the same client does
 * next, if it goes on, need not come after it. So it ends its session, or has one of its own.
 */
function sessionsOf(ops: readonly KeyOp[], criterion: Criterion): Session[] {
  const sessions: { ops: number[]; after?: Session['after'] }[] = [];
  const numbers = new Map<string, number>();
  for (const [at, op] of ops.entries()) {
    const name = criterion.sessionOf(op);
    const number = numbers.get(name) ?? sessions.push({ ops: [] }) - 1;
    numbers.set(name, number);
    const own = (sessions[number] as (typeof sessions)[number]).ops;
    if (op.call.outcome !== 'indefinite') own.push(at);
    else sessions.push({ ops: [at], after: { session: number, count: own.length } });
  }
  return sessions as Session[];
}

function registerColumns(
  ops: readonly KeyOp[],
  objects: ReadonlyMap<string, readonly number[]>,
  model: Model,
): RegisterColumns {
  const parts = [...objects].map(([key, own]) => ({ key, ops: own.map((at) => ops[at] as KeyOp) }));
  return columnsOf(parts, 'call', model.init);
}
