/** Put and DeleteRange, alone and as steps of a transaction. */
import { FAILURES, type Failure } from '../failures.ts';
import { NO_VALUE, valueAt } from './key-history.ts';
import type { KeySpace } from './key-space.ts';
import { keyText, spanOf } from './keys.ts';
import type { LeaseBook } from './leases.ts';
import {
  type DeleteRangeRequest,
  type DeleteRangeResult,
  type KeyValue,
  NO_LEASE,
  type PutRequest,
  type PutResult,
} from './types.ts';
import type { Watchers } from './watch-hub.ts';

/** All that a store is made of. */
export interface StoreParts {
  readonly space: KeySpace;
  readonly leases: LeaseBook;
  readonly watchers: Watchers;
}

/** The key as it is now, seen from within a transaction. */
function current(space: KeySpace, text: string): KeyValue | undefined {
  const history = space.get(text);
  return history === undefined ? undefined : valueAt(history, space.visible);
}

/** What is kept of the key must be there. */
export function refusedIgnore(space: KeySpace, request: PutRequest): Failure | undefined {
  if (request.ignoreValue !== true && request.ignoreLease !== true) return undefined;
  return current(space, keyText(request.key)) === undefined ? FAILURES.keyNotFound : undefined;
}

export function refusedLease(leases: LeaseBook, request: PutRequest): Failure | undefined {
  const lease = request.lease ?? NO_LEASE;
  return lease === NO_LEASE || leases.has(lease) ? undefined : FAILURES.leaseNotFound;
}

/** Becomes part of the pending revision. What can be refused must have been. */
export function applyPut({ space, leases }: StoreParts, request: PutRequest): PutResult {
  const text = keyText(request.key);
  const before = current(space, text);
  // A transaction may delete the key first, by a range without end, and then ignore what it was:
  // etcd 3.4 does not see the two overlap and panics; here nothing is what is left of it.
  const value = request.ignoreValue === true ? (before?.value ?? NO_VALUE) : request.value;
  const lease = (request.ignoreLease === true ? before?.lease : request.lease) ?? NO_LEASE;
  space.put(request.key, value, lease);
  leases.move(text, before?.lease ?? NO_LEASE, lease);
  const result = { revision: space.visible };
  return request.prevKv === true && before !== undefined ? { ...result, prevKv: before } : result;
}

/** Becomes part of the pending revision, if anything is deleted. */
export function applyDelete(
  { space, leases }: StoreParts,
  request: DeleteRangeRequest,
): DeleteRangeResult {
  const prevKvs: KeyValue[] = [];
  // Fixed before the first deletion, which may make a revision and so move what is visible.
  const at = space.visible;
  for (const history of space.histories(spanOf(request))) {
    const kv = valueAt(history, at);
    if (kv === undefined) continue;
    prevKvs.push(kv);
    space.remove(history);
    leases.move(history.text, kv.lease, NO_LEASE);
  }
  return {
    revision: space.visible,
    deleted: prevKvs.length,
    prevKvs: request.prevKv === true ? prevKvs : [],
  };
}

/** Ends the pending revision, if there is one, and tells those who watch. */
export function commit({ space, watchers }: StoreParts): void {
  const changes = space.commit();
  if (changes.length > 0) watchers.notice(changes);
}
