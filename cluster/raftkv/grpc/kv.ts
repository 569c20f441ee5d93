/** The service KV. */
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import { failed, ok } from '../failures.ts';
import { checkDelete, checkPut, checkRange, checkTxn } from '../mvcc/validate.ts';
import { type Context, unary } from './context.ts';
import {
  deleteRangeRequestOf,
  putRequestOf,
  rangeRequestOf,
  txnRequestOf,
  wireDeleteRange,
  wirePut,
  wireRange,
  wireTxn,
} from './convert.ts';
import { numberOf } from './int64.ts';
import type {
  WireCompactionRequest,
  WireDeleteRangeRequest,
  WireDeleteRangeResponse,
  WireHeaderResponse,
  WirePutRequest,
  WirePutResponse,
  WireRangeRequest,
  WireRangeResponse,
  WireTxnRequest,
  WireTxnResponse,
} from './wire.ts';

export function kvService(context: Context, maxTxnOps: number): UntypedServiceImplementation {
  const { api, header } = context;
  return {
    Range: unary<WireRangeRequest, WireRangeResponse>(
      context,
      async (wire) => {
        const request = rangeRequestOf(wire);
        if (!request.ok) return request;
        const wrong = checkRange(request.value);
        if (wrong !== undefined) return failed(wrong);
        const result = await api.range(request.value);
        return result.ok ? ok(wireRange(header(result.value.revision), result.value)) : result;
      },
      (wire) => wire.serializable === true,
    ),
    Put: unary<WirePutRequest, WirePutResponse>(context, async (wire) => {
      const request = putRequestOf(wire);
      const wrong = checkPut(request);
      if (wrong !== undefined) return failed(wrong);
      const result = await api.put(request);
      return result.ok ? ok(wirePut(header(result.value.revision), result.value)) : result;
    }),
    DeleteRange: unary<WireDeleteRangeRequest, WireDeleteRangeResponse>(context, async (wire) => {
      const request = deleteRangeRequestOf(wire);
      const wrong = checkDelete(request);
      if (wrong !== undefined) return failed(wrong);
      const result = await api.deleteRange(request);
      return result.ok ? ok(wireDeleteRange(header(result.value.revision), result.value)) : result;
    }),
    Txn: unary<WireTxnRequest, WireTxnResponse>(context, async (wire) => {
      const request = txnRequestOf(wire);
      if (!request.ok) return request;
      const wrong = checkTxn(request.value, maxTxnOps);
      if (wrong !== undefined) return failed(wrong);
      const result = await api.txn(request.value);
      return result.ok ? ok(wireTxn(header(result.value.revision), result.value)) : result;
    }),
    Compact: unary<WireCompactionRequest, WireHeaderResponse>(context, async (wire) => {
      const result = await api.compact(numberOf(wire.revision));
      return result.ok ? ok({ header: header(result.value.revision) }) : result;
    }),
  };
}
