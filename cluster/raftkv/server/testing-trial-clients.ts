/** Those who use the cluster in a trial, and hold what they are told against what is true. */
import { sleep } from '../../../harness/core/clock.ts';
import { invariant } from '../../../harness/core/invariant.ts';
import type { Random } from '../../../harness/core/prng.ts';
import { readBackup } from '../backup/backup-file.ts';
import { FAILURES, failed, type Result } from '../failures.ts';
import { restoreStore } from '../mvcc/store.ts';
import type { Watch } from '../mvcc/types.ts';
import type { NodeApi } from './api.ts';
import type { TrialState } from './testing-trial-state.ts';
import { seenOf } from './testing-truth.ts';

/** All keys. */
const ALL = { key: Uint8Array.of(0), end: Uint8Array.of(0) };
/** What was refused with one of these never happens. */
const CERTAIN: ReadonlySet<string> = new Set([
  FAILURES.proposalDropped.message,
  FAILURES.tooManyRequests.message,
]);

export async function runClient(state: TrialState, name: string, parent: Random): Promise<void> {
  const random = parent.fork(name);
  while (!state.isOver) {
    const node = state.someNode(random);
    if (node !== undefined) await operation(state, name, node.api, random);
    await state.pause(random, 15);
  }
}

async function operation(
  state: TrialState,
  name: string,
  api: NodeApi,
  random: Random,
): Promise<void> {
  const truth = state.truth;
  const { floor } = truth;
  const kind = random.weighted([5, 2, 1, 3, 1, 0.2, 0.2, 0.2]);
  if (kind === 3 || kind === 4) {
    const serializable = kind === 4;
    const result = await state.call('range', api.range({ ...ALL, serializable }));
    if (!result.ok) return;
    const { revision, kvs } = result.value;
    truth.read(revision, kvs.map(seenOf), serializable ? 0 : floor);
    return;
  }
  if (kind === 5) {
    if (truth.known > 10) await state.call('compact', api.compact(truth.known - random.int(0, 9)));
    return;
  }
  if (kind === 6) {
    const defragmented = await state.call('defragment', api.defragment());
    if (defragmented.ok) state.counts.defragmented++;
    return;
  }
  if (kind === 7) return backUp(state, api);
  const value = `${name}-${state.nextValue()}`;
  const key = Buffer.from(kind === 0 ? name : 'shared');
  const write =
    kind === 2
      ? api.deleteRange({ key })
      : kind === 1
        ? swap(state, api, key, value)
        : api.put({ key, value: Buffer.from(value) });
  const result = await state.call('write', write);
  if (!result.ok) truth.failed(value, CERTAIN.has(result.failure.message));
  else if (kind === 0) truth.wrote(value, result.value.revision, floor);
  else if (kind === 1) truth.wrote(value, result.value.revision, floor);
}

/** A backup is what one member has, so at least what it had when it was asked. */
async function backUp(state: TrialState, api: NodeApi): Promise<void> {
  // Before that it serves nobody.
  if (api.status().raftApplied === 0) return;
  const { revision } = api.header();
  const taken = await state.call('snapshot', api.snapshot());
  if (!taken.ok) return;
  const chunks: Uint8Array[] = [];
  for await (const piece of taken.value.pieces) chunks.push(piece);
  const { buckets } = readBackup(Buffer.concat(chunks), false);
  const store = restoreStore(buckets, { put: () => undefined, delete: () => undefined });
  const all = store.range(ALL);
  invariant(all.ok, 'everything can be read');
  state.truth.read(all.value.revision, all.value.kvs.map(seenOf), revision);
  state.counts.backups++;
}

/** Reads and then writes if nobody else did, until it does. */
async function swap(
  state: TrialState,
  api: NodeApi,
  key: Buffer,
  value: string,
): Promise<Result<{ revision: number }>> {
  for (;;) {
    const read = await api.range({ key, serializable: true });
    if (!read.ok) return read;
    const number = read.value.kvs[0]?.modRevision ?? 0;
    const put = { type: 'put', request: { key, value: Buffer.from(value) } } as const;
    const result = await api.txn({
      compare: [{ key, target: 'MOD', result: 'EQUAL', number }],
      success: [put],
      failure: [],
    });
    if (!result.ok) return result;
    if (result.value.succeeded) return result;
    return failed(FAILURES.proposalDropped);
  }
}

export async function runWatcher(state: TrialState, name: string, parent: Random): Promise<void> {
  const random = parent.fork(name);
  const truth = state.truth;
  let next = 2;
  for (;;) {
    if (state.isQuiet && (next > truth.floor || state.problem !== undefined)) return;
    const node = state.someNode(random);
    await state.pause(random, 20);
    if (node === undefined) continue;
    const request = { ...ALL, startRevision: next, prevKv: false, noPut: false, noDelete: false };
    using watch = node.api.watch(request, () => undefined);
    const untilMs = state.nowMs + random.int(1, random.pick([500, 4_000, 15_000]));
    do {
      const from = next;
      next = pull(state, watch, next, random.int(1, 20));
      await state.pause(random, from === next ? 50 : 5);
    } while (state.nowMs < untilMs && !state.isQuiet);
    if (state.isQuiet) next = pull(state, watch, next, 100_000);
  }
}

function pull(state: TrialState, watch: Watch, next: number, maxEvents: number): number {
  const batch = watch.pull(maxEvents);
  if (batch === undefined) return next;
  if (batch.type === 'compacted') {
    state.counts.compacted++;
    return Math.max(next, batch.compactRevision);
  }
  for (const { type, kv } of batch.events)
    if (type === 'DELETE') gone(state, Buffer.from(kv.key).toString());
  return state.truth.watched(next, batch.events);
}

function gone(state: TrialState, key: string): void {
  if (!state.goneMs.has(key)) state.goneMs.set(key, state.nowMs);
}

/** A lease with a key, kept alive for a while, through any member. */
export async function runLeaseHolder(
  state: TrialState,
  name: string,
  parent: Random,
): Promise<void> {
  const random = parent.fork(name);
  for (let round = 0; !state.isOver; round++) {
    await state.pause(random, 300);
    const ttlSeconds = random.int(1, 3);
    const grantedMs = state.nowMs;
    const node = state.someNode(random);
    if (node === undefined) continue;
    const granted = await state.call('grant', node.api.leaseGrant('0', ttlSeconds));
    if (!granted.ok) continue;
    const { id } = granted.value;
    const key = `${name}/${round}`;
    const value = `${name}-${state.nextValue()}`;
    const request = { key: Buffer.from(key), value: Buffer.from(value), lease: id };
    const put = await state.call('put', node.api.put(request));
    if (!put.ok) state.truth.failed(value, false);
    await keepAlive(state, key, id, Math.max(grantedMs, 0) + ttlSeconds * 1_000, random);
  }
}

async function keepAlive(
  state: TrialState,
  key: string,
  id: string,
  firstEndMs: number,
  random: Random,
): Promise<void> {
  const rounds = random.int(0, 6);
  let notBeforeMs = firstEndMs;
  for (let round = 0; round < rounds && !state.isOver; round++) {
    await state.pause(random, 900);
    const node = state.someNode(random);
    if (node === undefined) continue;
    const startMs = state.nowMs;
    const before = state.goneMs.get(key);
    const result = await state.call('renew', node.api.leaseKeepAlive(id));
    if (!result.ok) continue;
    const { ttlSeconds } = result.value;
    if (ttlSeconds === 0) {
      invariant(state.nowMs >= notBeforeMs, `${key} must not end before ${notBeforeMs}`);
      break;
    }
    invariant(before === undefined, `${key} went at ${before}, and was renewed at ${startMs}`);
    notBeforeMs = Math.max(notBeforeMs, startMs + ttlSeconds * 1_000);
    state.counts.renewals++;
  }
  const goneMs = (): number => state.goneMs.get(key) ?? Number.POSITIVE_INFINITY;
  while (state.nowMs < notBeforeMs && !state.isOver) await sleep(state.clock, 50);
  invariant(goneMs() >= notBeforeMs, `${key} went at ${goneMs()}, not after ${notBeforeMs}`);
  if (Number.isFinite(goneMs())) state.counts.expiries++;
}
