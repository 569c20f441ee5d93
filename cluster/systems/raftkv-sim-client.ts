/**
 * A client of one simulated member: calls of `EtcdClient`, in the words of etcd's API, without a
 * wire. What goes wrong on the way is said as grpc-js says it, so that one table of errors serves.
 */
import { unreachable } from '../../harness/core/invariant.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type { Caller } from '../backends/sim/client-link.ts';
import type { SimWorld } from '../backends/sim/world.ts';
import type { Reply } from '../etcd-api/client.ts';
import type { RpcError } from '../etcd-api/errors.ts';
import type { HashCalls } from '../etcd-api/hash.ts';
import type { RegisterCalls } from '../etcd-api/register.ts';
import type {
  Compare,
  DeleteRangeRequest,
  DeleteRangeResponse,
  HashKVResponse,
  HeaderResponse,
  Int64,
  KeyValue,
  PutRequest,
  RangeRequest,
  RangeResponse,
  RequestOp,
  ResponseHeader,
  TxnRequest,
  TxnResponse,
} from '../etcd-api/rpc.ts';
import { STATUS } from '../etcd-api/status.ts';
import { FAILURES, type Failure, failed, ok, type Result } from '../raftkv/failures.ts';
import type * as mvcc from '../raftkv/mvcc/types.ts';
import { checkDelete, checkPut, checkRange, checkTxn } from '../raftkv/mvcc/validate.ts';
import type { NodeApi } from '../raftkv/server/api.ts';

/** One request to one member, sent once. */
export type SimCall = <T>(
  ask: (api: NodeApi) => Promise<Result<T>>,
  timeoutMs: number,
) => Promise<Reply<T>>;

/** `maxTxnOps`: as the members are configured. */
export function simClient(
  world: SimWorld<NodeApi>,
  node: NodeName,
  maxTxnOps: number,
): RegisterCalls & HashCalls {
  const call = simCall(world, node, 'client');
  return {
    range: (request, timeoutMs) => call((api) => range(api, request), timeoutMs),
    put: (request, timeoutMs) => call((api) => put(api, request), timeoutMs),
    deleteRange: (request, timeoutMs) => call((api) => deleteRange(api, request), timeoutMs),
    txn: (request, timeoutMs) => call((api) => txn(api, request, maxTxnOps), timeoutMs),
    hashKV: (timeoutMs, revision = '0') => call((api) => hashKv(api, revision), timeoutMs),
  };
}

export function simCall(world: SimWorld<NodeApi>, node: NodeName, caller: Caller): SimCall {
  return async (ask, timeoutMs) => {
    const reply = await world.call(node, ask, timeoutMs, caller);
    switch (reply.type) {
      case 'answer':
        return reply.value.ok
          ? { ok: true, value: reply.value.value }
          : { ok: false, error: errorOf(reply.value.failure) };
      case 'refused':
        return { ok: false, error: NOT_CONNECTED };
      case 'lost':
        return { ok: false, error: DROPPED };
      case 'timeout':
        return { ok: false, error: LATE };
      default:
        return unreachable(reply);
    }
  };
}

const NOT_CONNECTED: RpcError = {
  code: STATUS.UNAVAILABLE,
  details: 'No connection established. Last error: connection refused',
};
const DROPPED: RpcError = { code: STATUS.UNAVAILABLE, details: 'Connection dropped' };
const LATE: RpcError = { code: STATUS.DEADLINE_EXCEEDED, details: 'Deadline exceeded' };

export function errorOf({ status, message }: Failure): RpcError {
  return { code: STATUS[status], details: message };
}

export async function range(api: NodeApi, wire: RangeRequest): Promise<Result<RangeResponse>> {
  const request = rangeOf(wire);
  const wrong = refusal(api, request.serializable === true) ?? checkRange(request);
  if (wrong !== undefined) return failed(wrong);
  const result = await api.range(request);
  return result.ok ? ok(rangeResponse(headerOf(api, result.value), result.value)) : result;
}

async function put(api: NodeApi, request: PutRequest): Promise<Result<HeaderResponse>> {
  const wrong = refusal(api) ?? checkPut(request);
  if (wrong !== undefined) return failed(wrong);
  const result = await api.put(request);
  return result.ok ? ok({ header: headerOf(api, result.value) }) : result;
}

async function deleteRange(
  api: NodeApi,
  request: DeleteRangeRequest,
): Promise<Result<DeleteRangeResponse>> {
  const wrong = refusal(api) ?? checkDelete(request);
  if (wrong !== undefined) return failed(wrong);
  const result = await api.deleteRange(request);
  if (!result.ok) return result;
  const { deleted } = result.value;
  return ok({ header: headerOf(api, result.value), deleted: String(deleted) });
}

async function txn(
  api: NodeApi,
  wire: TxnRequest,
  maxTxnOps: number,
): Promise<Result<TxnResponse>> {
  const request = {
    compare: wire.compare.map(compareOf),
    success: wire.success.map(opOf),
    failure: wire.failure.map(opOf),
  };
  const wrong = refusal(api) ?? checkTxn(request, maxTxnOps);
  if (wrong !== undefined) return failed(wrong);
  const result = await api.txn(request);
  if (!result.ok) return result;
  const { succeeded, responses } = result.value;
  return ok({
    header: headerOf(api, result.value),
    succeeded,
    responses: responses.map(responseOf),
  });
}

export async function hashKv(api: NodeApi, revision: Int64): Promise<Result<HashKVResponse>> {
  const result = await api.hashKv(Number(revision));
  if (!result.ok) return result;
  const { hash, compactRevision } = result.value;
  return ok({
    header: headerOf(api, result.value),
    hash,
    compactRevision: String(compactRevision),
  });
}

/** A learner serves nothing but its own, maybe old, state. */
export function refusal(api: NodeApi, isForLearners = false): Failure | undefined {
  return !isForLearners && api.status().isLearner ? FAILURES.learner : undefined;
}

/** Stamped when it is answered, as etcd does; the revision is the result's own. */
export function headerOf(
  api: NodeApi,
  { revision }: { readonly revision: number },
): ResponseHeader {
  const { cluster, member, term } = api.header();
  return {
    clusterId: decimal(cluster),
    memberId: decimal(member),
    revision: String(revision),
    raftTerm: String(term),
  };
}

export function decimal(hexadecimal: string): Int64 {
  return BigInt(`0x${hexadecimal}`).toString();
}

function rangeOf(wire: RangeRequest): mvcc.RangeRequest {
  const { key, rangeEnd, limit = 0, revision = '0', serializable = false } = wire;
  return {
    key,
    ...(rangeEnd !== undefined && { end: rangeEnd }),
    limit,
    revision: Number(revision),
    serializable,
  };
}

function opOf(wire: RequestOp): mvcc.RequestOp {
  if ('requestRange' in wire) return { type: 'range', request: rangeOf(wire.requestRange) };
  if ('requestPut' in wire) return { type: 'put', request: wire.requestPut };
  const { key, rangeEnd } = wire.requestDeleteRange;
  const request = { key, ...(rangeEnd !== undefined && { end: rangeEnd }) };
  return { type: 'delete-range', request };
}

function compareOf(wire: Compare): mvcc.Compare {
  const { key, result, target } = wire;
  switch (target) {
    case 'VERSION':
      return { key, result, target, number: Number(wire.version ?? 0) };
    case 'CREATE':
      return { key, result, target, number: Number(wire.createRevision ?? 0) };
    case 'MOD':
      return { key, result, target, number: Number(wire.modRevision ?? 0) };
    case 'VALUE':
      return { key, result, target, value: wire.value ?? NOTHING };
    default:
      return unreachable(target);
  }
}

const NOTHING = new Uint8Array(0);

function responseOf(op: mvcc.ResponseOp): TxnResponse['responses'][number] {
  return op.type === 'range' ? { responseRange: rangeResponse(null, op.result) } : {};
}

function rangeResponse(
  header: ResponseHeader | null,
  { kvs, more, count }: mvcc.RangeResult,
): RangeResponse {
  return { header, kvs: kvs.map(keyValueOf), more, count: String(count) };
}

function keyValueOf(kv: mvcc.KeyValue): KeyValue {
  return {
    key: bufferOf(kv.key),
    createRevision: String(kv.createRevision),
    modRevision: String(kv.modRevision),
    version: String(kv.version),
    value: bufferOf(kv.value),
  };
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
