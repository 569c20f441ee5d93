/** Turns the operations of a history into what the register checkers judge: one list per key. */
import type { History, Operation } from '../harness/history/history.ts';
import type { Op, ReadMode } from '../harness/history/op.ts';
import type { Call, Model, Stamp } from './models/model.ts';

/** An operation between two moments of the history. */
export interface Interval {
  readonly call: Call;
  /** Index of the invocation. */
  readonly start: number;
  /** Index of the completion; Infinity when the outcome is indefinite. */
  readonly end: number;
}

export interface KeyOp extends Interval {
  readonly invoke: Op;
  /** Absent when the history ends before it; present, of type `info`, when it timed out. */
  readonly completion: Op | undefined;
}

export interface KeyHistory {
  readonly key: string;
  /** What happened or may have happened, in order of invocation. Indefinite reads are left out. */
  readonly ops: readonly KeyOp[];
  /** Operations that would have changed the key and completed `fail`: they never happened. */
  readonly failed: readonly KeyOp[];
  /** Absent: nothing is left out. */
  readonly excerpt?: Excerpt;
}

/**
 * What is there of a key's history: everything that may have taken effect between two moments, and
 * of other operations what tells enough of the values that were observed in that time.
 */
export interface Excerpt {
  readonly from: number;
  /** Infinity: to the end. */
  readonly until: number;
  /**
   * Of each such value, by its JSON text: how many are left out who put it in place of another
   * before `from`. One that ended later than all of those is there, and so are two who put it, if
   * there are two. Of any other value nothing follows from what is not there.
   */
  readonly values: ReadonlyMap<string, number>;
}

/**
 * One for each key, or a single one, with key '', for a model of the whole store. `reads`: the
 * modes whose reads count; a read without a mode asked for `linearizable`. `only`: the keys that
 * are wanted; default: all.
 */
export function keyHistories(
  history: History,
  model: Model,
  reads: readonly ReadMode[],
  only?: ReadonlySet<string>,
): KeyHistory[] {
  const keys: KeyHistory[] = [];
  const isStore = model.per === 'store';
  const parts = isStore
    ? [['', history.operations()] as const]
    : only === undefined
      ? history.operationsByKey()
      : Map.groupBy(operationsOf(history, only), ({ invoke }) => invoke.key ?? '');
  for (const [key, operations] of parts) {
    keys.push(keyHistoryOf(key, operations, model, reads));
  }
  return keys;
}

/** Of operations on one key. */
export function keyHistoryOf(
  key: string,
  operations: Iterable<Operation>,
  model: Model,
  reads: readonly ReadMode[],
): KeyHistory {
  const ops: KeyOp[] = [];
  const failed: KeyOp[] = [];
  for (const operation of operations) {
    const { invoke, completion } = operation;
    if (!model.functions.includes(invoke.f)) continue;
    const asks = invoke.f === 'read' || invoke.mode !== undefined;
    if (asks && !reads.includes(modeOf(invoke))) continue;
    const outcome = outcomeOf(operation);
    const end = outcome === 'indefinite' || completion === undefined ? Infinity : completion.index;
    const call = callOf(operation, outcome === 'failed' ? 'indefinite' : outcome, model);
    const op: KeyOp = { call, start: invoke.index, end, invoke, completion };
    if (outcome === 'failed') {
      if (!model.readOnly(call)) failed.push(op);
    } else if (outcome !== 'indefinite' || !model.readOnly(call)) ops.push(op);
  }
  return { key, ops, failed };
}

/** Operations of some keys; no entry of any other is built. */
function* operationsOf(
  history: History,
  keys: ReadonlySet<string>,
): Generator<Operation, void, undefined> {
  const { codes } = history;
  for (let index = 0; index < history.length; index++) {
    if (!codes.isInvoke(index) || !history.isClient(index)) continue;
    if (!keys.has(codes.keyText(codes.keyCode(index)) ?? '')) continue;
    const pair = history.pairOf(index);
    yield { invoke: history.op(index), completion: pair < 0 ? undefined : history.op(pair) };
  }
}

export function modeOf(read: Pick<Op, 'mode'>): ReadMode {
  return read.mode ?? 'linearizable';
}

/**
 * Turned down because of what was there, whether or not it says what that was: so even a `cas` that
 * failed is an observation.
 */
export function isRefusal({ type, error }: Op): boolean {
  return type === 'fail' && error?.code === 'cas-mismatch';
}

function outcomeOf({ completion }: Operation): Call['outcome'] | 'failed' {
  if (completion === undefined || completion.type === 'info') return 'indefinite';
  if (completion.type === 'ok') return 'ok';
  return isRefusal(completion) ? 'refused' : 'failed';
}

function callOf(
  { invoke, completion }: Operation,
  outcome: Call['outcome'],
  { per, stamps }: Model,
): Call {
  const stamp = stamps === true && outcome !== 'indefinite' ? stampOf(completion) : undefined;
  return {
    f: invoke.f,
    input: invoke.value,
    output: outcome === 'ok' && completion !== undefined ? completion.value : null,
    outcome,
    ...(outcome === 'refused' && completion?.seen !== undefined && { seen: completion.seen }),
    ...(per === 'store' && invoke.key !== undefined && { key: invoke.key }),
    ...(stamp !== undefined && { stamp }),
  };
}

function stampOf(completion: Op | undefined): Stamp | undefined {
  if (completion?.server === undefined) return undefined;
  const { revision, modRevision, version } = completion.server;
  return {
    ...(revision !== undefined && { revision }),
    ...(modRevision !== undefined && { modRevision }),
    ...(version !== undefined && { version }),
  };
}
