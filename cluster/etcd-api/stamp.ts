/** etcd's numbers and identities as the history records them. */
import { invariant } from '../../harness/core/invariant.ts';
import type { ServerStamp } from '../../harness/history/op.ts';
import type { Int64, KeyValue, ResponseHeader } from './rpc.ts';

/** Revisions, terms and versions count from 1; one beyond 2^53 would be compared wrongly. */
export function int64(text: Int64): number {
  const value = Number(text);
  invariant(Number.isSafeInteger(value), `${text} is beyond what a number holds exactly`);
  return value;
}

/** Members and clusters in hexadecimal, as etcd's logs and etcdctl write them. */
export function identity(id: Int64): string {
  return BigInt(id).toString(16);
}

/** What a header says of the server. A store that leaves the header out says nothing. */
export function stampOf(header: ResponseHeader | null): ServerStamp {
  if (header === null) return {};
  return {
    revision: int64(header.revision),
    term: int64(header.raftTerm),
    member: identity(header.memberId),
    cluster: identity(header.clusterId),
  };
}

/** The stamp of a reply about one key; etcd answers 0 for a key that does not exist. */
export function stampOfKey(header: ResponseHeader | null, kv: KeyValue | undefined): ServerStamp {
  return {
    ...stampOf(header),
    modRevision: kv === undefined ? 0 : int64(kv.modRevision),
    version: kv === undefined ? 0 : int64(kv.version),
  };
}

/** The stamp of a write that took effect: its own revision is the key's newest. */
export function stampOfWrite(header: ResponseHeader | null): ServerStamp {
  const stamp = stampOf(header);
  return stamp.revision === undefined ? stamp : { ...stamp, modRevision: stamp.revision };
}
