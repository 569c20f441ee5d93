/** etcd's elections: who is first in line leads, and its key holds what it proclaims. */
import type { Bugs } from '../bugs.ts';
import type { Bytes } from '../bytes.ts';
import { FAILURES, failed, ok, type Result } from '../failures.ts';
import { keyText } from '../mvcc/keys.ts';
import type { Event, KeyValue, LeaseId } from '../mvcc/types.ts';
import type { NodeApi } from '../server/api.ts';
import {
  createdAt,
  firstOf,
  giveUp,
  joinLine,
  leaseOrNew,
  lineOf,
  type Place,
  waitForTurn,
} from './line.ts';
import { awaitedWatch } from './waiting.ts';

export interface CampaignRequest {
  readonly name: Bytes;
  /** `'0'`: a new one, that nobody renews. */
  readonly lease: LeaseId;
  readonly value: Bytes;
}

/** What proves that somebody leads, or would be next. */
export type LeaderKey = Pick<Place, 'key' | 'createRevision' | 'lease'>;

export interface Elected {
  readonly leader: LeaderKey;
  /** Of when it stood for election. */
  readonly revision: number;
}

/** Who leads, and what it proclaims. */
export interface Leader {
  readonly kv: KeyValue;
  /** At which it was so. */
  readonly revision: number;
}

/** Waits until it leads. One who stands already proclaims the value, if it is another one. */
export async function campaign(
  api: NodeApi,
  { name, lease, value }: CampaignRequest,
  bugs: Bugs,
  signal: AbortSignal,
): Promise<Result<Elected>> {
  const joined = await joinLine(api, name, lease, value);
  if (!joined.ok) return joined;
  const { place, revision, before, isFirst } = joined.value;
  if (before !== undefined && Buffer.compare(before.value, value) !== 0) {
    const proclaimed = await proclaim(api, place, value);
    if (!proclaimed.ok) {
      await giveUp(api, place);
      return proclaimed;
    }
  }
  const elected = ok({ leader: place, revision });
  if (isFirst) {
    if (signal.aborted && before === undefined) await giveUp(api, place);
    return elected;
  }
  const lost = FAILURES.electionNotLeader;
  const turn = await waitForTurn(api, place, { bugs, lost }, signal);
  return turn.ok ? elected : turn;
}

/** Fails with `not leader` when the key is not there any more. Who waits may proclaim, too. */
export async function proclaim(
  api: NodeApi,
  { key, createRevision, lease: asked }: LeaderKey,
  value: Bytes,
): Promise<Result<{ readonly revision: number }>> {
  const granted = await leaseOrNew(api, asked);
  if (!granted.ok) return granted;
  const result = await api.txn({
    compare: [createdAt(key, createRevision)],
    success: [{ type: 'put', request: { key, value, lease: granted.value } }],
    failure: [],
  });
  if (!result.ok) return result;
  const { succeeded, revision } = result.value;
  return succeeded ? ok({ revision }) : failed(FAILURES.electionNotLeader);
}

/** Succeeds too when it does not lead any more. */
export function resign(
  api: NodeApi,
  leader: LeaderKey,
): Promise<Result<{ readonly revision: number }>> {
  return giveUp(api, leader);
}

export async function leaderOf(api: NodeApi, name: Bytes): Promise<Result<Leader>> {
  const found = await api.range(firstOf(lineOf(name)));
  if (!found.ok) return found;
  const { kvs, revision } = found.value;
  const [kv] = kvs;
  return kv === undefined ? failed(FAILURES.electionNoLeader) : ok({ kv, revision });
}

/**
 * Who leads now, if anybody does; then every leader and every value that a leader proclaims, each
 * once and in order, until the signal is aborted. What a compaction takes away before it is asked
 * for is left out. The last thing may be a failure.
 */
export async function* leaders(
  api: NodeApi,
  name: Bytes,
  signal: AbortSignal,
): AsyncGenerator<Result<Leader>> {
  const line = lineOf(name);
  let told: KeyValue | undefined;
  while (!signal.aborted) {
    const read = await api.range(line);
    if (!read.ok) {
      yield read;
      return;
    }
    let { revision } = read.value;
    const standing = new Standing(read.value.kvs);
    const request = { ...line, startRevision: revision + 1, prevKv: false };
    using watch = awaitedWatch(api, { ...request, noPut: false, noDelete: false }, signal);
    for (;;) {
      const kv = standing.first();
      if (kv !== undefined && !isSame(kv, told)) yield ok({ kv, revision });
      told = kv ?? told;
      const batch = await watch.next();
      if (batch?.type !== 'events') break;
      for (const event of batch.events) standing.apply(event);
      // All events are of one revision.
      revision = batch.events.at(-1)?.kv.modRevision ?? revision;
    }
  }
}

function isSame(a: KeyValue, b: KeyValue | undefined): boolean {
  return b !== undefined && a.modRevision === b.modRevision && Buffer.compare(a.key, b.key) === 0;
}

/** Who stands for election. */
class Standing {
  readonly #keys = new Map<string, KeyValue>();

  constructor(kvs: readonly KeyValue[]) {
    for (const kv of kvs) this.#keys.set(keyText(kv.key), kv);
  }

  apply({ type, kv }: Event): void {
    if (type === 'DELETE') this.#keys.delete(keyText(kv.key));
    else this.#keys.set(keyText(kv.key), kv);
  }

  first(): KeyValue | undefined {
    let first: KeyValue | undefined;
    for (const kv of this.#keys.values())
      if (first === undefined || kv.createRevision < first.createRevision) first = kv;
    return first;
  }
}
