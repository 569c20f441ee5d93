/**
 * Those who want a lock, or to lead, stand in line: each has a key below one name, bound to its
 * lease, and the oldest key is first. The keys are those of etcd's `clientv3/concurrency`: so
 * clients that stand in line by themselves and clients for whom the server does it can be mixed.
 */
import type { Bugs } from '../bugs.ts';
import type { Bytes } from '../bytes.ts';
import { FAILURES, type Failure, failed, ok, type Result } from '../failures.ts';
import {
  type Compare,
  type KeyRange,
  type KeyValue,
  type LeaseId,
  NO_LEASE,
  type RangeRequest,
  type ResponseOp,
} from '../mvcc/types.ts';
import type { NodeApi } from '../server/api.ts';
import { awaitedWatch } from './waiting.ts';

/** Of a lease for those who bring none, which nobody renews. etcd's. */
const OWN_LEASE_SECONDS = 60;

/** Somebody's place in a line: it has it for as long as the key has this creation. */
export interface Place {
  readonly line: KeyRange;
  readonly key: Bytes;
  readonly createRevision: number;
  readonly lease: LeaseId;
}

export interface Joined {
  readonly place: Place;
  /** Of the store, when it joined. */
  readonly revision: number;
  /** The key that this lease had in the line before; undefined: it is new. */
  readonly before: KeyValue | undefined;
  readonly isFirst: boolean;
}

/** All keys below the name. */
export function lineOf(name: Bytes): KeyRange {
  // Zero is the character after the slash.
  return { key: Buffer.concat([name, SLASH]), end: Buffer.concat([name, ZERO]) };
}
const SLASH: Bytes = Buffer.from('/');
const ZERO: Bytes = Buffer.from('0');

/** To ask who is first. */
export function firstOf(line: KeyRange): RangeRequest {
  return { ...line, sortTarget: 'CREATE', sortOrder: 'ASCEND', limit: 1 };
}

/** The lease, or a new one when it is none. */
export async function leaseOrNew(api: NodeApi, lease: LeaseId): Promise<Result<LeaseId>> {
  if (lease !== NO_LEASE) return ok(lease);
  const granted = await api.leaseGrant(NO_LEASE, OWN_LEASE_SECONDS);
  return granted.ok ? ok(granted.value.id) : granted;
}

/** Takes the last place; one who has a place by the same lease keeps it, and what its key holds. */
export async function joinLine(
  api: NodeApi,
  name: Bytes,
  askedLease: LeaseId,
  value: Bytes,
): Promise<Result<Joined>> {
  const granted = await leaseOrNew(api, askedLease);
  if (!granted.ok) return granted;
  const lease = granted.value;
  const line = lineOf(name);
  const key = Buffer.concat([line.key, Buffer.from(BigInt(lease).toString(16))]);
  const result = await api.txn({
    compare: [createdAt(key, 0)],
    success: [
      { type: 'put', request: { key, value, lease } },
      { type: 'range', request: firstOf(line) },
    ],
    failure: [
      { type: 'range', request: { key } },
      { type: 'range', request: firstOf(line) },
    ],
  });
  if (!result.ok) return result;
  const { revision, succeeded, responses } = result.value;
  const before = succeeded ? undefined : foundBy(responses[0]);
  const createRevision = before?.createRevision ?? revision;
  const isFirst = foundBy(responses[1])?.createRevision === createRevision;
  return ok({ place: { line, key, createRevision, lease }, revision, before, isFirst });
}

export interface WaitOptions {
  readonly bugs: Bugs;
  /** What is said to one who lost its place while it waited. */
  readonly lost: Failure;
}

/**
 * Resolves once all who came before are gone, with the revision at which that was seen; or fails,
 * and gives up the place: when it is lost, a request fails, or the signal is aborted.
 */
export async function waitForTurn(
  api: NodeApi,
  place: Place,
  options: WaitOptions,
  signal: AbortSignal,
): Promise<Result<{ readonly revision: number }>> {
  const turn = await turnOf(api, place, options, signal);
  if (turn.ok && !signal.aborted) return turn;
  await giveUp(api, place);
  // Its turn has come, and nobody is there any more who would ever end it.
  return turn.ok ? failed(FAILURES.stopped) : turn;
}

async function turnOf(
  api: NodeApi,
  place: Place,
  { bugs, lost }: WaitOptions,
  signal: AbortSignal,
): Promise<Result<{ readonly revision: number }>> {
  const gone = await waitForOlder(api, place, signal);
  // Breaks: a lease may end while it waits, and who is behind it may have had its turn by now.
  if (!gone.ok || bugs.has('lock-no-recheck')) return gone;
  const own = await api.range({ key: place.key });
  if (!own.ok) return own;
  const { kvs, revision } = own.value;
  return kvs[0]?.createRevision === place.createRevision ? ok({ revision }) : failed(lost);
}

/** Waits for the youngest of those before: only when that one is gone the others can be. */
async function waitForOlder(
  api: NodeApi,
  { line, createRevision }: Place,
  signal: AbortSignal,
): Promise<Result<{ readonly revision: number }>> {
  while (!signal.aborted) {
    const older = await api.range({
      ...line,
      sortTarget: 'CREATE',
      sortOrder: 'DESCEND',
      limit: 1,
      maxCreateRevision: createRevision - 1,
    });
    if (!older.ok) return older;
    const { kvs, revision } = older.value;
    const [next] = kvs;
    if (next === undefined) return ok({ revision });
    const request = { key: next.key, startRevision: revision + 1, prevKv: false };
    using watch = awaitedWatch(api, { ...request, noPut: true, noDelete: false }, signal);
    // It was deleted, or a compaction made the watch forget whether it was: then it is read again.
    await watch.next();
  }
  // Its client has gone, or the server stops.
  return failed(FAILURES.stopped);
}

/** Unless it is another place by now, by the same key. */
export function giveUp(
  api: NodeApi,
  { key, createRevision }: Pick<Place, 'key' | 'createRevision'>,
): Promise<Result<{ readonly revision: number }>> {
  return api.txn({
    compare: [createdAt(key, createRevision)],
    success: [{ type: 'delete-range', request: { key } }],
    failure: [],
  });
}

/** 0: there is no such key. */
export function createdAt(key: Bytes, revision: number): Compare {
  return { key, target: 'CREATE', result: 'EQUAL', number: revision };
}

function foundBy(response: ResponseOp | undefined): KeyValue | undefined {
  return response?.type === 'range' ? response.result.kvs[0] : undefined;
}
