/** Turns the operations of a history into what the register checkers judge: one list per key. */
import type { JsonValue } from '../harness/core/json.ts';
import type { History, Operation } from '../harness/history/history.ts';
import type { Op, ReadMode } from '../harness/history/op.ts';
import type { Call, Model } from './models/model.ts';

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
}

/** `reads`: the modes whose reads count; a read without a mode asked for `linearizable`. */
export function keyHistories(
  history: History,
  model: Model,
  reads: readonly ReadMode[],
): KeyHistory[] {
  const keys: KeyHistory[] = [];
  for (const [key, operations] of history.operationsByKey()) {
    const ops: KeyOp[] = [];
    const failed: KeyOp[] = [];
    for (const operation of operations) {
      const { invoke, completion } = operation;
      if (!model.functions.includes(invoke.f)) continue;
      if (invoke.f === 'read' && !reads.includes(modeOf(invoke))) continue;
      const outcome = outcomeOf(operation);
      const end =
        outcome === 'indefinite' || completion === undefined ? Infinity : completion.index;
      const call = callOf(operation, outcome === 'failed' ? 'indefinite' : outcome);
      const op: KeyOp = { call, start: invoke.index, end, invoke, completion };
      if (outcome === 'failed') {
        if (!model.readOnly(call)) failed.push(op);
      } else if (outcome !== 'indefinite' || !model.readOnly(call)) ops.push(op);
    }
    keys.push({ key, ops, failed });
  }
  return keys;
}

export function modeOf(read: Pick<Op, 'mode'>): ReadMode {
  return read.mode ?? 'linearizable';
}

/** A refusal that says what it saw: only then is a failed `cas` an observation. */
export function isRefusal(completion: Op): completion is Op & { readonly seen: JsonValue } {
  return (
    completion.type === 'fail' &&
    completion.error?.code === 'cas-mismatch' &&
    completion.seen !== undefined
  );
}

function outcomeOf({ completion }: Operation): Call['outcome'] | 'failed' {
  if (completion === undefined || completion.type === 'info') return 'indefinite';
  if (completion.type === 'ok') return 'ok';
  return isRefusal(completion) ? 'refused' : 'failed';
}

function callOf({ invoke, completion }: Operation, outcome: Call['outcome']): Call {
  return {
    f: invoke.f,
    input: invoke.value,
    output: outcome === 'ok' && completion !== undefined ? completion.value : null,
    outcome,
    ...(outcome === 'refused' && completion?.seen !== undefined && { seen: completion.seen }),
  };
}
