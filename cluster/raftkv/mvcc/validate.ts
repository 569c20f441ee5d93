/** What a server refuses before it proposes anything, as etcd's does, in its order. */
import { unreachable } from '../../../harness/core/invariant.ts';
import { FAILURES, type Failure } from '../failures.ts';
import { keyText } from './keys.ts';
import {
  type DeleteRangeRequest,
  NO_LEASE,
  type PutRequest,
  type RangeRequest,
  type RequestOp,
  type TxnRequest,
} from './types.ts';

// Numbers of enums on the wire may be any: what the types promise is checked here.
const ORDERS: ReadonlySet<string> = new Set(['NONE', 'ASCEND', 'DESCEND']);
const TARGETS: ReadonlySet<string> = new Set(['KEY', 'VERSION', 'CREATE', 'MOD', 'VALUE']);

export function checkRange(request: RangeRequest): Failure | undefined {
  if (request.key.length === 0) return FAILURES.emptyKey;
  const { sortOrder = 'NONE', sortTarget = 'KEY' } = request;
  return ORDERS.has(sortOrder) && TARGETS.has(sortTarget) ? undefined : FAILURES.badSortOption;
}

export function checkPut(request: PutRequest): Failure | undefined {
  if (request.key.length === 0) return FAILURES.emptyKey;
  if (request.ignoreValue === true && request.value.length > 0) return FAILURES.valueProvided;
  const hasLease = (request.lease ?? NO_LEASE) !== NO_LEASE;
  return request.ignoreLease === true && hasLease ? FAILURES.leaseProvided : undefined;
}

export function checkDelete(request: DeleteRangeRequest): Failure | undefined {
  return request.key.length === 0 ? FAILURES.emptyKey : undefined;
}

/**
 * `maxOps` bounds the compares and each branch; inner transactions share what the outer one leaves.
 * A branch must not put a key twice, nor put what it deletes.
 */
export function checkTxn(request: TxnRequest, maxOps: number): Failure | undefined {
  return (
    checkShape(request, maxOps) ??
    checkOverlaps(request.success).failure ??
    checkOverlaps(request.failure).failure
  );
}

function checkShape(request: TxnRequest, maxOps: number): Failure | undefined {
  const { compare, success, failure } = request;
  const count = Math.max(compare.length, success.length, failure.length);
  if (count > maxOps) return FAILURES.tooManyOps;
  if (compare.some(({ key }) => key.length === 0)) return FAILURES.emptyKey;
  for (const op of [...success, ...failure]) {
    const found = checkOp(op, maxOps - count);
    if (found !== undefined) return found;
  }
  return undefined;
}

function checkOp(op: RequestOp, maxOps: number): Failure | undefined {
  switch (op.type) {
    case 'range':
      return checkRange(op.request);
    case 'put':
      return checkPut(op.request);
    case 'delete-range':
      return checkDelete(op.request);
    case 'txn':
      return checkShape(op.request, maxOps);
    default:
      return unreachable(op);
  }
}

/** What is deleted: `from` up to, not including, `to`. */
interface Deleted {
  readonly from: string;
  readonly to: string;
}

/** What a branch writes, and whether it may. */
interface Written {
  readonly puts: ReadonlySet<string>;
  readonly deletes: readonly Deleted[];
  readonly failure?: Failure;
}

/**
 * After etcd's `checkIntervals`, gaps included: a put is not seen to overlap a deletion in a later
 * inner transaction, nor a deletion without end. Such transactions are applied in order.
 */
function checkOverlaps(ops: readonly RequestOp[]): Written {
  const puts = new Set<string>();
  const deletes = ops.flatMap((op) => (op.type === 'delete-range' ? [deletedBy(op.request)] : []));
  const refused: Written = { puts, deletes, failure: FAILURES.duplicateKey };
  const isDeleted = (key: string): boolean =>
    deletes.some(({ from, to }) => key >= from && key < to);

  for (const op of ops) {
    if (op.type !== 'txn') continue;
    const then = checkOverlaps(op.request.success);
    if (then.failure !== undefined) return then;
    const otherwise = checkOverlaps(op.request.failure);
    if (otherwise.failure !== undefined) return otherwise;
    // Only one of the two branches will run: both may put the same key.
    const inner = new Set([...then.puts, ...otherwise.puts]);
    for (const key of inner) {
      if (puts.has(key) || isDeleted(key)) return refused;
    }
    for (const key of inner) puts.add(key);
    deletes.push(...then.deletes, ...otherwise.deletes);
  }
  for (const op of ops) {
    if (op.type !== 'put') continue;
    const key = keyText(op.request.key);
    if (puts.has(key) || isDeleted(key)) return refused;
    puts.add(key);
  }
  return { puts, deletes };
}

/** Taken literally: an `end` of one zero byte lies before all keys, so nothing is in between. */
function deletedBy({ key, end }: DeleteRangeRequest): Deleted {
  const from = keyText(key);
  return { from, to: end === undefined || end.length === 0 ? `${from}\0` : keyText(end) };
}
