/** What etcdctl cannot ask: sequences of calls of the API itself, as data. */
import type { NodeName } from '../../../harness/core/units.ts';

/** Fields as in `rpc.proto`, in camel case; bytes as `bytes('text')`. */
export type Request = Readonly<Record<string, unknown>>;

/** A request may depend on the newest revision that the system has spoken of. */
export type RequestAt = Request | ((revision: number) => Request);

export interface UnaryStep {
  /** Service and method: `KV.Range`. */
  readonly call: string;
  readonly request: RequestAt;
  /** `n1` by default. */
  readonly at?: NodeName;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Again until the answer is as wanted, which takes time; only the last time counts. */
  readonly until?: (answer: Answer) => boolean;
}

/** Opens a stream, on which `send`, `receive` and `end` go on. */
export interface OpenStep {
  readonly open: string;
  readonly as: string;
  /** The only one there will be: so a call that takes its time can go on beside other steps. */
  readonly request?: Request;
  readonly at?: NodeName;
  readonly metadata?: Readonly<Record<string, string>>;
}
export interface SendStep {
  readonly send: string;
  readonly request: RequestAt;
}
/** Waits until what came since the last `receive` is as wanted, or the stream is over. */
export interface ReceiveStep {
  readonly receive: string;
  readonly until: (messages: readonly Message[]) => boolean;
  /**
   * What is compared: every event and message; only the last message, where it is a matter of time
   * how many come; or how events are cut into messages as well, where it is not.
   */
  readonly look?: 'last' | 'parts';
}
/** The client has nothing more to say; waits until the server ends the stream too. */
export interface EndStep {
  readonly end: string;
}
/** The client goes away. */
export interface DropStep {
  readonly drop: string;
}
export interface KillStep {
  readonly kill: NodeName;
}

/**
 * A kill -9, a start on what it had stored, and nothing is asked until it serves again. raftkv must
 * answer as if nothing had happened, that is as an etcd to which nothing happens. etcd itself cannot:
 * a transaction that it refused, for a revision that one of its ranges asked for, is applied without
 * that range when the log is replayed (etcd #18667).
 */
export interface RestartStep {
  readonly restart: NodeName;
}

/** In a transcript: a step that should have ended by itself did not. */
export const IN_VAIN = 'waited in vain';

export type CallStep =
  | UnaryStep
  | OpenStep
  | SendStep
  | ReceiveStep
  | EndStep
  | DropStep
  | KillStep
  | RestartStep;

/** A message as it came: fields in camel case, 64-bit numbers as decimal digits. */
export type Message = Readonly<Record<string, unknown>>;

export type Answer =
  | { readonly type: 'ok'; readonly message: Message }
  | { readonly type: 'error'; readonly code: string; readonly details: string };

export interface CallSequence {
  readonly kind: 'calls';
  readonly name: string;
  /** For something that takes its time, so it can well run beside others of its kind. */
  readonly isMostlyWaiting?: boolean;
  /** It has a fresh cluster of so many nodes, of which n1 leads; 1 by default. */
  readonly nodes?: number;
  /** It does not matter who answers: etcd has one node, which is asked instead of all others. */
  readonly anyMember?: boolean;
  /** Added to those of every node. */
  readonly flags?: readonly string[];
  readonly steps: readonly CallStep[];
}

export function bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** The key that ends the range of all keys that begin with `text`. */
export function afterPrefix(text: string): Buffer {
  const end = bytes(text);
  const last = end.length - 1;
  end.writeUInt8(end.readUInt8(last) + 1, last);
  return end;
}

export const EVERY_KEY: Request = { key: bytes('\0'), rangeEnd: bytes('\0') };

export function put(key: string, value: string, more: Request = {}): UnaryStep {
  return { call: 'KV.Put', request: { key: bytes(key), value: bytes(value), ...more } };
}

export function range(key: string, more: Request = {}): UnaryStep {
  return { call: 'KV.Range', request: { key: bytes(key), ...more } };
}

export function remove(key: string, more: Request = {}): UnaryStep {
  return { call: 'KV.DeleteRange', request: { key: bytes(key), ...more } };
}

export function txn(
  compare: readonly Request[],
  success: readonly Request[],
  failure: readonly Request[] = [],
): UnaryStep {
  return { call: 'KV.Txn', request: { compare, success, failure } };
}

export function compact(revision: number): UnaryStep {
  return { call: 'KV.Compact', request: { revision } };
}

/** Until so many messages came. */
export function messages(count: number): ReceiveStep['until'] {
  return (got) => got.length >= count;
}

/** Until so many events came. */
export function events(count: number): ReceiveStep['until'] {
  return (got) => got.flatMap(eventsOf).length >= count;
}

/** Until a watch says that it is over. */
export function cancelled(count = 1): ReceiveStep['until'] {
  return (got) => got.filter((message) => message['canceled'] === true).length >= count;
}

export function eventsOf(message: Message): readonly unknown[] {
  const { events: list } = message;
  return Array.isArray(list) ? list : [];
}
