/** Registers on etcd's keys: each register is one key, its value is JSON text. */
import { invariant } from '../../harness/core/invariant.ts';
import type { JsonValue } from '../../harness/core/json.ts';
import type { Outcome, RegisterApi } from '../../harness/protocols/system.ts';
import type { EtcdClient } from './client.ts';
import { classify } from './errors.ts';
import type { Compare, KeyValue, TxnResponse } from './rpc.ts';
import { stampOf, stampOfKey, stampOfWrite } from './stamp.ts';

/** As much of a client as registers need; the simulator has one without a wire. */
export type RegisterCalls = Pick<EtcdClient, 'range' | 'put' | 'deleteRange' | 'txn'>;

/** One request per operation: Range, Put, DeleteRange, or Txn with a Range for the losing side. */
export function etcdRegister(client: RegisterCalls): RegisterApi {
  return {
    read: async (key, mode, { timeoutMs }) => {
      const request = { key: Buffer.from(key), serializable: mode === 'serializable' };
      const reply = await client.range(request, timeoutMs);
      if (!reply.ok) return failed(classify(reply.error, 'read'));
      const { header, kvs } = reply.value;
      return { type: 'ok', value: valueOf(kvs[0]), server: stampOfKey(header, kvs[0]) };
    },
    write: async (key, value, { timeoutMs }) => {
      if (value === null) {
        const reply = await client.deleteRange({ key: Buffer.from(key) }, timeoutMs);
        if (!reply.ok) return failed(classify(reply.error, 'write'));
        // Whether there was a key or not: it is absent at this revision.
        return { type: 'ok', value: null, server: stampOf(reply.value.header) };
      }
      const reply = await client.put({ key: Buffer.from(key), value: encode(value) }, timeoutMs);
      if (!reply.ok) return failed(classify(reply.error, 'write'));
      return { type: 'ok', value: null, server: stampOfWrite(reply.value.header) };
    },
    cas: async (key, from, to, { timeoutMs }) => {
      const bytes = Buffer.from(key);
      const reply = await client.txn(
        {
          compare: [holds(bytes, from)],
          success: [{ requestPut: { key: bytes, value: encode(to) } }],
          failure: [{ requestRange: { key: bytes } }],
        },
        timeoutMs,
      );
      if (!reply.ok) return failed(classify(reply.error, 'write'));
      if (!reply.value.succeeded) return refused(reply.value);
      return { type: 'ok', value: null, server: stampOfWrite(reply.value.header) };
    },
  };
}

/** A key that does not exist was created at revision 0. */
function holds(key: Buffer, value: JsonValue): Compare {
  if (value === null) return { key, result: 'EQUAL', target: 'CREATE', createRevision: '0' };
  return { key, result: 'EQUAL', target: 'VALUE', value: encode(value) };
}

function refused({ header, responses }: TxnResponse): Outcome<null> {
  const kv = responses[0]?.responseRange?.kvs[0];
  return {
    type: 'fail',
    error: { code: 'cas-mismatch', definite: true },
    seen: valueOf(kv),
    server: stampOfKey(header, kv),
  };
}

/** The same union, taken apart: `fail` and `info` are two members of `Outcome`. */
function failed({ type, error }: ReturnType<typeof classify>): Outcome<never> {
  return type === 'fail' ? { type, error } : { type, error };
}

function encode(value: JsonValue): Buffer {
  invariant(value !== null, 'null means absent: no key holds it');
  return Buffer.from(JSON.stringify(value));
}

/**
 * Null for a key that does not exist. Bytes that no client of ours ever wrote become a value that
 * no client can write either, so that a checker sees a read of something from nowhere.
 */
export function valueOf(kv: KeyValue | undefined): JsonValue {
  if (kv === undefined) return null;
  try {
    return JSON.parse(kv.value.toString('utf8')) as JsonValue;
  } catch {
    return { base64: kv.value.toString('base64') };
  }
}
