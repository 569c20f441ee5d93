/**
 * Transactions, in etcd's three steps: all compares, also those of inner transactions, see the
 * store as it was before; then what can be refused is looked for in the chosen branches; only then
 * it runs.
 */
import { unreachable } from '../../../harness/core/invariant.ts';
import { FAILURES, type Failure, failed, ok, type Result } from '../failures.ts';
import { holdAll } from './compare.ts';
import type { KeySpace } from './key-space.ts';
import { rangeOf } from './range.ts';
import type { RangeRequest, RequestOp, ResponseOp, TxnRequest, TxnResult } from './types.ts';
import {
  applyDelete,
  applyPut,
  commit,
  refusedIgnore,
  refusedLease,
  type StoreParts,
} from './writes.ts';

type PlainOp = Exclude<RequestOp, { readonly type: 'txn' }>;
type PlannedOp = PlainOp | { readonly type: 'txn'; readonly plan: Plan };

/** A transaction with its branches chosen. */
interface Plan {
  readonly succeeded: boolean;
  readonly ops: readonly PlannedOp[];
}

/** All of it in one revision, or nothing. */
export function applyTxn(parts: StoreParts, request: TxnRequest): Result<TxnResult> {
  const plan = planOf(parts.space, request);
  const failure = refused(parts, plan);
  if (failure !== undefined) return failed(failure);
  const responses = run(parts, plan);
  const result = { revision: parts.space.visible, succeeded: plan.succeeded, responses };
  commit(parts);
  return ok(result);
}

function planOf(space: KeySpace, request: TxnRequest): Plan {
  const succeeded = holdAll(space, request.compare);
  const ops = succeeded ? request.success : request.failure;
  return {
    succeeded,
    ops: ops.map((op) =>
      op.type === 'txn' ? { type: 'txn', plan: planOf(space, op.request) } : op,
    ),
  };
}

/** Puts are looked at before ranges, as in etcd: that decides which error is told. */
function refused({ space, leases }: StoreParts, plan: Plan): Failure | undefined {
  const ops = plainOps(plan);
  for (const { type, request } of ops) {
    if (type !== 'put') continue;
    const failure = refusedIgnore(space, request) ?? refusedLease(leases, request);
    if (failure !== undefined) return failure;
  }
  for (const { type, request } of ops) {
    const failure = type === 'range' ? refusedRange(space, request) : undefined;
    if (failure !== undefined) return failure;
  }
  return undefined;
}

/** Unlike a range of its own, one in a transaction does not take a negative revision for 0. */
function refusedRange(space: KeySpace, { revision = 0 }: RangeRequest): Failure | undefined {
  if (revision === 0) return undefined;
  if (revision > space.revision) return FAILURES.futureRevision;
  return revision < space.compactRevision ? FAILURES.compacted : undefined;
}

function plainOps(plan: Plan): readonly PlainOp[] {
  return plan.ops.flatMap((op) => (op.type === 'txn' ? plainOps(op.plan) : [op]));
}

function run(parts: StoreParts, plan: Plan): readonly ResponseOp[] {
  return plan.ops.map((op): ResponseOp => {
    switch (op.type) {
      case 'range':
        return { type: 'range', result: rangeOf(parts.space, op.request) };
      case 'put':
        return { type: 'put', result: applyPut(parts, op.request) };
      case 'delete-range':
        return { type: 'delete-range', result: applyDelete(parts, op.request) };
      case 'txn': {
        const { succeeded } = op.plan;
        // etcd leaves the header of an inner transaction empty.
        const result = { revision: 0, succeeded, responses: run(parts, op.plan) };
        return { type: 'txn', result };
      }
      default:
        return unreachable(op);
    }
  });
}
