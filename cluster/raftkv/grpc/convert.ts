/** Requests of the wire as the node takes them, and its answers as the wire takes those. */
import type { Bytes } from '../bytes.ts';
import { FAILURES, type Failure, failed, ok, type Result } from '../failures.ts';
import type {
  Compare,
  CompareResult,
  DeleteRangeRequest,
  DeleteRangeResult,
  Event,
  KeyRange,
  KeyValue,
  PutRequest,
  PutResult,
  RangeRequest,
  RangeResult,
  RequestOp,
  ResponseOp,
  SortOrder,
  SortTarget,
  TxnRequest,
  TxnResult,
} from '../mvcc/types.ts';
import type { Member } from '../server/api.ts';
import { countOf, leaseIdOf, longOfId, longOfLease, numberOf } from './int64.ts';
import type {
  WireCompare,
  WireDeleteRangeRequest,
  WireDeleteRangeResponse,
  WireEvent,
  WireHeader,
  WireKeyValue,
  WireMember,
  WirePutRequest,
  WirePutResponse,
  WireRangeRequest,
  WireRangeResponse,
  WireRequestOp,
  WireResponseOp,
  WireTxnRequest,
  WireTxnResponse,
} from './wire.ts';

const NO_BYTES: Bytes = new Uint8Array(0);

const SORT_ORDERS: readonly SortOrder[] = ['NONE', 'ASCEND', 'DESCEND'];
const SORT_TARGETS: readonly SortTarget[] = ['KEY', 'VERSION', 'CREATE', 'MOD', 'VALUE'];
const COMPARE_RESULTS: readonly CompareResult[] = ['EQUAL', 'GREATER', 'LESS', 'NOT_EQUAL'];
const COMPARE_TARGETS: readonly Compare['target'][] = [
  'VERSION',
  'CREATE',
  'MOD',
  'VALUE',
  'LEASE',
];

/** etcd takes such a comparison for true, which nobody can want. */
const UNKNOWN_COMPARISON: Failure = {
  status: 'INVALID_ARGUMENT',
  message: 'etcdserver: unknown comparison',
};

function keyRangeOf(wire: { readonly key?: Bytes; readonly rangeEnd?: Bytes }): KeyRange {
  const { key = NO_BYTES, rangeEnd } = wire;
  return rangeEnd === undefined || rangeEnd.length === 0 ? { key } : { key, end: rangeEnd };
}

/** Fails when asked to sort in a way that there is not. */
export function rangeRequestOf(wire: WireRangeRequest): Result<RangeRequest> {
  const sortOrder = SORT_ORDERS[wire.sortOrder ?? 0];
  const sortTarget = SORT_TARGETS[wire.sortTarget ?? 0];
  if (sortOrder === undefined || sortTarget === undefined) return failed(FAILURES.badSortOption);
  return ok({
    ...keyRangeOf(wire),
    limit: countOf(wire.limit),
    revision: countOf(wire.revision),
    sortOrder,
    sortTarget,
    keysOnly: wire.keysOnly === true,
    countOnly: wire.countOnly === true,
    serializable: wire.serializable === true,
    minModRevision: numberOf(wire.minModRevision),
    maxModRevision: numberOf(wire.maxModRevision),
    minCreateRevision: numberOf(wire.minCreateRevision),
    maxCreateRevision: numberOf(wire.maxCreateRevision),
  });
}

export function putRequestOf(wire: WirePutRequest): PutRequest {
  return {
    key: wire.key ?? NO_BYTES,
    value: wire.value ?? NO_BYTES,
    lease: leaseIdOf(wire.lease),
    prevKv: wire.prevKv === true,
    ignoreValue: wire.ignoreValue === true,
    ignoreLease: wire.ignoreLease === true,
  };
}

export function deleteRangeRequestOf(wire: WireDeleteRangeRequest): DeleteRangeRequest {
  return { ...keyRangeOf(wire), prevKv: wire.prevKv === true };
}

/** Fails when an operation or comparison is none. */
export function txnRequestOf(wire: WireTxnRequest): Result<TxnRequest> {
  const compare = all(wire.compare, compareOf);
  if (!compare.ok) return compare;
  const success = all(wire.success, requestOpOf);
  if (!success.ok) return success;
  const failure = all(wire.failure, requestOpOf);
  if (!failure.ok) return failure;
  return ok({ compare: compare.value, success: success.value, failure: failure.value });
}

function all<Wire, T>(
  wires: readonly Wire[] | undefined,
  convert: (wire: Wire) => Result<T>,
): Result<readonly T[]> {
  const items: T[] = [];
  for (const wire of wires ?? []) {
    const item = convert(wire);
    if (!item.ok) return item;
    items.push(item.value);
  }
  return ok(items);
}

function requestOpOf(wire: WireRequestOp): Result<RequestOp> {
  if (wire.requestRange !== undefined) {
    const request = rangeRequestOf(wire.requestRange);
    return request.ok ? ok({ type: 'range', request: request.value }) : request;
  }
  if (wire.requestPut !== undefined)
    return ok({ type: 'put', request: putRequestOf(wire.requestPut) });
  if (wire.requestDeleteRange !== undefined)
    return ok({ type: 'delete-range', request: deleteRangeRequestOf(wire.requestDeleteRange) });
  if (wire.requestTxn !== undefined) {
    const request = txnRequestOf(wire.requestTxn);
    return request.ok ? ok({ type: 'txn', request: request.value }) : request;
  }
  return failed(FAILURES.keyNotFound);
}

function compareOf(wire: WireCompare): Result<Compare> {
  const result = COMPARE_RESULTS[wire.result ?? 0];
  const target = COMPARE_TARGETS[wire.target ?? 0];
  if (result === undefined || target === undefined) return failed(UNKNOWN_COMPARISON);
  const base = { ...keyRangeOf(wire), result };
  switch (target) {
    case 'VERSION':
      return ok({ ...base, target, number: numberOf(wire.version) });
    case 'CREATE':
      return ok({ ...base, target, number: numberOf(wire.createRevision) });
    case 'MOD':
      return ok({ ...base, target, number: numberOf(wire.modRevision) });
    case 'VALUE':
      return ok({ ...base, target, value: wire.value ?? NO_BYTES });
    case 'LEASE':
      return ok({ ...base, target, lease: leaseIdOf(wire.lease) });
  }
}

export function wireKeyValue(kv: KeyValue): WireKeyValue {
  const { key, value, createRevision, modRevision, version, lease } = kv;
  return {
    key,
    createRevision: createRevision === 0 ? undefined : createRevision,
    modRevision,
    version: version === 0 ? undefined : version,
    value: value.length === 0 ? undefined : value,
    lease: longOfLease(lease),
  };
}

function wirePrevKv(kv: KeyValue | undefined): WireKeyValue | undefined {
  return kv === undefined ? undefined : wireKeyValue(kv);
}

export function wireRange(header: WireHeader, result: RangeResult): WireRangeResponse {
  return {
    header,
    kvs: result.kvs.map(wireKeyValue),
    more: result.more ? true : undefined,
    count: result.count === 0 ? undefined : result.count,
  };
}

export function wirePut(header: WireHeader, result: PutResult): WirePutResponse {
  return { header, prevKv: wirePrevKv(result.prevKv) };
}

export function wireDeleteRange(
  header: WireHeader,
  result: DeleteRangeResult,
): WireDeleteRangeResponse {
  return {
    header,
    deleted: result.deleted === 0 ? undefined : result.deleted,
    prevKvs: result.prevKvs.map(wireKeyValue),
  };
}

/** The headers of what is within say a revision and nothing else, as etcd's do. */
export function wireTxn(header: WireHeader, result: TxnResult): WireTxnResponse {
  return {
    header,
    succeeded: result.succeeded ? true : undefined,
    responses: result.responses.map(wireResponseOp),
  };
}

function wireResponseOp(op: ResponseOp): WireResponseOp {
  switch (op.type) {
    case 'range':
      return { responseRange: wireRange({ revision: op.result.revision }, op.result) };
    case 'put':
      return { responsePut: wirePut({ revision: op.result.revision }, op.result) };
    case 'delete-range':
      return { responseDeleteRange: wireDeleteRange({ revision: op.result.revision }, op.result) };
    case 'txn':
      return { responseTxn: wireTxn({}, op.result) };
  }
}

export function wireEvent(event: Event): WireEvent {
  return {
    type: event.type === 'DELETE' ? 1 : undefined,
    kv: wireKeyValue(event.kv),
    prevKv: wirePrevKv(event.prevKv),
  };
}

export function wireMember(member: Member): WireMember {
  return {
    ID: longOfId(member.id),
    name: member.name,
    peerURLs: member.peerUrls,
    clientURLs: member.clientUrls,
    isLearner: member.isLearner,
  };
}
