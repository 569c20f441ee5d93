/** etcd's locks: who is first in line holds the lock, until its key is gone. */
import type { Bugs } from '../bugs.ts';
import type { Bytes } from '../bytes.ts';
import { FAILURES, ok, type Result } from '../failures.ts';
import type { LeaseId } from '../mvcc/types.ts';
import type { NodeApi } from '../server/api.ts';
import { giveUp, joinLine, waitForTurn } from './line.ts';

const NO_BYTES: Bytes = new Uint8Array(0);

export interface LockRequest {
  readonly name: Bytes;
  /** `'0'`: a new one, that nobody renews. */
  readonly lease: LeaseId;
}

export interface Locked {
  /** The lock is held for as long as it is there. */
  readonly key: Bytes;
  readonly revision: number;
}

/**
 * Waits until the lock is held. To unlock, delete the key. As with every lock that can expire, its
 * holder may not know that it has lost it: whoever must be sure compares the key's creation in each
 * transaction.
 */
export async function lock(
  api: NodeApi,
  { name, lease }: LockRequest,
  bugs: Bugs,
  signal: AbortSignal,
): Promise<Result<Locked>> {
  const joined = await joinLine(api, name, lease, NO_BYTES);
  if (!joined.ok) return joined;
  const { place, revision, before, isFirst } = joined.value;
  const { key } = place;
  if (isFirst) {
    // Nobody would ever unlock what was locked for a client that has gone.
    if (signal.aborted && before === undefined) await giveUp(api, place);
    return ok({ key, revision });
  }
  const lost = FAILURES.sessionExpired;
  const turn = await waitForTurn(api, place, { bugs, lost }, signal);
  return turn.ok ? ok({ key, revision: turn.value.revision }) : turn;
}
