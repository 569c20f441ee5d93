/** The store against a model that keeps a list of everything: `naive-store.ts`. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeVersion, KEY_BUCKET } from './bucket-codec.ts';
import { bytes, got, MemoryBuckets } from './fixtures.ts';
import { compareTexts } from './keys.ts';
import { NaiveStore } from './naive-store.ts';
import { createStore, restoreStore } from './store.ts';
import type {
  Compare,
  KeyRange,
  PutRequest,
  RangeRequest,
  RequestOp,
  Store,
  TxnRequest,
  Watch,
  WatchRequest,
} from './types.ts';
import { checkTxn } from './validate.ts';

type Command =
  | { readonly type: 'range'; readonly request: RangeRequest }
  | { readonly type: 'put'; readonly request: PutRequest }
  | { readonly type: 'delete'; readonly request: KeyRange & { readonly prevKv: boolean } }
  | { readonly type: 'txn'; readonly request: TxnRequest }
  | { readonly type: 'compact'; readonly back: number }
  | { readonly type: 'grant' | 'revoke'; readonly id: string }
  | { readonly type: 'hash'; readonly back: number }
  | { readonly type: 'restart' }
  | { readonly type: 'watch'; readonly request: WatchRequest }
  | { readonly type: 'pull'; readonly which: number; readonly maxEvents: number };

const key = fc.constantFrom('a', 'aa', 'ab', 'b', 'c', '\0', '\xff').map(bytes);
const end = fc.constantFrom('', '\0', 'a', 'ab', 'b', 'd').map(bytes);
const keyRange: fc.Arbitrary<KeyRange> = fc.oneof(fc.record({ key }), fc.record({ key, end }));
const value = fc.constantFrom('', '1', '2', '22').map(bytes);
const lease = fc.constantFrom('0', '0', '7', '-8', '9');
const small = fc.integer({ min: 0, max: 12 });
const maybe = fc.boolean();
const rarely = fc.integer({ min: 0, max: 7 }).map((n) => n === 0);
const bound = fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: small });

const rangeRequest: fc.Arbitrary<RangeRequest> = fc
  .record({
    range: keyRange,
    limit: fc.integer({ min: 0, max: 3 }),
    revision: fc.oneof(fc.constant(0), small),
    sortOrder: fc.constantFrom('NONE', 'ASCEND', 'DESCEND'),
    sortTarget: fc.constantFrom('KEY', 'VERSION', 'CREATE', 'MOD', 'VALUE'),
    keysOnly: rarely,
    countOnly: rarely,
    minModRevision: bound,
    maxModRevision: bound,
    minCreateRevision: bound,
    maxCreateRevision: bound,
  })
  .map(({ range, ...rest }) => ({ ...range, ...rest }));

const putRequest: fc.Arbitrary<PutRequest> = fc.record({
  key,
  value,
  lease,
  prevKv: maybe,
  ignoreValue: rarely,
  ignoreLease: rarely,
});

const deleteRequest = fc
  .record({ range: keyRange, prevKv: maybe })
  .map(({ range, prevKv }) => ({ ...range, prevKv }));

const compare: fc.Arbitrary<Compare> = fc
  .record({
    range: keyRange,
    result: fc.constantFrom(
      'EQUAL' as const,
      'GREATER' as const,
      'LESS' as const,
      'NOT_EQUAL' as const,
    ),
    target: fc.constantFrom('VERSION', 'CREATE', 'MOD', 'VALUE', 'LEASE'),
    number: fc.integer({ min: 0, max: 5 }),
    value,
    lease,
  })
  .map(({ range, result, target, number, ...given }): Compare => {
    if (target === 'VALUE') return { ...range, result, target, value: given.value };
    if (target === 'LEASE') return { ...range, result, target, lease: given.lease };
    return { ...range, result, target, number };
  });

const { txn: txnRequest } = fc.letrec<{ txn: TxnRequest; op: RequestOp }>((tie) => ({
  op: fc.oneof(
    { maxDepth: 3 },
    fc.record({ type: fc.constant('range' as const), request: rangeRequest }),
    fc.record({ type: fc.constant('put' as const), request: putRequest }),
    fc.record({ type: fc.constant('put' as const), request: putRequest }),
    fc.record({ type: fc.constant('delete-range' as const), request: deleteRequest }),
    fc.record({ type: fc.constant('txn' as const), request: tie('txn') }),
  ),
  txn: fc.record({
    compare: fc.array(compare, { maxLength: 2 }),
    success: fc.array(tie('op'), { maxLength: 3 }),
    failure: fc.array(tie('op'), { maxLength: 3 }),
  }),
}));

const watchRequest: fc.Arbitrary<WatchRequest> = fc
  .record({ range: keyRange, startRevision: small, prevKv: maybe, noPut: rarely, noDelete: rarely })
  .map(({ range, ...rest }) => ({ ...range, ...rest }));

function of<T extends Command['type']>(type: T): fc.Arbitrary<T> {
  return fc.constant(type);
}

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: of('put'), request: putRequest }) },
  { weight: 2, arbitrary: fc.record({ type: of('delete'), request: deleteRequest }) },
  { weight: 3, arbitrary: fc.record({ type: of('txn'), request: txnRequest }) },
  { weight: 3, arbitrary: fc.record({ type: of('range'), request: rangeRequest }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: of('compact'), back: fc.integer({ min: -1, max: 5 }) }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('grant', 'revoke'), id: lease }) },
  { weight: 1, arbitrary: fc.record({ type: of('hash'), back: fc.integer({ min: -1, max: 5 }) }) },
  { weight: 1, arbitrary: fc.record({ type: of('restart') }) },
  { weight: 1, arbitrary: fc.record({ type: of('watch'), request: watchRequest }) },
  {
    weight: 3,
    arbitrary: fc.record({
      type: of('pull'),
      which: fc.nat(),
      maxEvents: fc.integer({ min: 1, max: 4 }),
    }),
  },
);

/** A watch beside what the model knows of it. */
interface Watched {
  readonly request: WatchRequest;
  watch: Watch;
  /** All before is told. */
  from: number;
  /** It has said once that it has nothing more to say, so it owes a wake for what comes. */
  isCaughtUp: boolean;
  isWoken: boolean;
  isOver: boolean;
}

/** The store, a second one fed the same writes, and the model; all must agree. */
class Trial {
  readonly model = new NaiveStore();
  readonly #buckets = new MemoryBuckets();
  #store: Store = createStore(this.#buckets);
  readonly #twin: Store = createStore(new MemoryBuckets());
  readonly #watched: Watched[] = [];

  apply(step: Command): void {
    const { model } = this;
    switch (step.type) {
      case 'range':
        expect(this.#store.range(step.request)).toEqual(model.range(step.request));
        return;
      case 'put':
        this.#same((store) => store.put(step.request), model.put(step.request));
        return;
      case 'delete':
        this.#same((store) => store.deleteRange(step.request), model.deleteRange(step.request));
        return;
      case 'txn':
        if (checkTxn(step.request, 8) !== undefined) return;
        this.#same((store) => store.txn(step.request), model.txn(step.request));
        return;
      case 'compact': {
        const revision = model.revision - step.back;
        this.#same((store) => store.compact(revision), model.compact(revision));
        return;
      }
      case 'grant':
        if (step.id === '0') return;
        this.#same((store) => store.leases.grant(step.id, 60), model.grant(step.id, 60));
        return;
      case 'revoke':
        this.#same((store) => store.leases.revoke(step.id), model.revoke(step.id));
        return;
      case 'hash': {
        const revision = model.revision - step.back;
        expect(this.#store.hash(revision)).toEqual(this.#twin.hash(revision));
        return;
      }
      case 'restart':
        this.#restart();
        return;
      case 'watch':
        this.#open(step.request);
        return;
      case 'pull': {
        const watched = this.#watched[step.which % this.#watched.length];
        if (watched !== undefined && !watched.isOver) this.#pull(watched, step.maxEvents);
        return;
      }
    }
  }

  /** What must hold at any time. */
  check(): void {
    const { model } = this;
    for (const store of [this.#store, this.#twin]) {
      expect(store.revision).toBe(model.revision);
      expect(store.compactRevision).toBe(model.compactRevision);
    }
    expect(this.#store.hash(0)).toEqual(this.#twin.hash(0));
    expect(this.#store.sizeInUse).toBe(this.#twin.sizeInUse);
    const stored = [...(this.#buckets.contents.get(KEY_BUCKET) ?? [])];
    const versions = stored.toSorted(([a], [b]) => compareTexts(a, b));
    expect(versions.map(([, bytesOf]) => decodeVersion(bytesOf))).toEqual(model.kept());
    const all = { key: bytes('\0'), end: bytes('\0') };
    for (let revision = model.compactRevision || 1; revision <= model.revision; revision++)
      expect(got(this.#store.range({ ...all, revision })).kvs).toEqual(model.keysAt(all, revision));
    const ids = [...model.leases.keys()].toSorted((a, b) => Number(a) - Number(b));
    expect(this.#store.leases.list()).toEqual(ids);
    for (const id of ids)
      expect(this.#store.leases.get(id)?.keys).toEqual(model.keysOn(id).map((kv) => kv.key));
  }

  /** Every watch tells the rest of what it owes. */
  drain(): void {
    for (const watched of this.#watched) {
      let tells = !watched.isOver;
      while (tells) tells = this.#pull(watched, 3) && !watched.isOver;
      expect(watched.isOver || watched.isCaughtUp).toBe(true);
    }
  }

  #same<T>(act: (store: Store) => T, expected: T): void {
    expect(act(this.#store)).toEqual(expected);
    expect(act(this.#twin)).toEqual(expected);
  }

  /** As a member that starts again, whose clients resume their watches where these were. */
  #restart(): void {
    // A backend promises no order.
    const buckets = [...this.#buckets.contents].map(
      ([name, entries]) => [name, new Map([...entries].toReversed())] as const,
    );
    this.#store = restoreStore(new Map(buckets), this.#buckets);
    for (const watched of this.#watched) {
      const startRevision = watched.watch.position;
      watched.isCaughtUp = startRevision > this.model.revision;
      const request = { ...watched.request, startRevision };
      watched.watch = this.#store.watches.open(request, () => {
        watched.isWoken = true;
      });
    }
  }

  #open(request: WatchRequest): void {
    const { revision } = this.model;
    const watched: Watched = {
      request,
      watch: this.#store.watches.open(request, () => {
        watched.isWoken = true;
      }),
      from: request.startRevision > 0 ? request.startRevision : revision + 1,
      isCaughtUp: request.startRevision === 0 || request.startRevision > revision,
      isWoken: false,
      isOver: false,
    };
    this.#watched.push(watched);
  }

  /** Whether it had anything to say. */
  #pull(watched: Watched, maxEvents: number): boolean {
    const { model } = this;
    const owed = model.events(watched.request, watched.from);
    const { position } = watched.watch;
    if (watched.isCaughtUp) expect(watched.isWoken).toBe(owed.length > 0);
    const batch = watched.watch.pull(maxEvents);
    watched.isWoken = false;

    const isLost = owed.some(({ kv }) => kv.modRevision < model.compactRevision);
    const isBehind = !watched.isCaughtUp && position < model.compactRevision;
    if (isLost || isBehind) {
      expect(batch).toEqual({ type: 'compacted', compactRevision: model.compactRevision });
      watched.isOver = true;
      return true;
    }
    const events = batch?.type === 'events' ? batch.events : [];
    expect(batch?.type).toBe(owed.length === 0 ? undefined : 'events');
    expect(events).toEqual(owed.slice(0, events.length));
    expect(events.length).toBeGreaterThanOrEqual(Math.min(maxEvents, owed.length));
    const last = events.at(-1)?.kv.modRevision ?? 0;
    const beforeLast = events.filter(({ kv }) => kv.modRevision < last).length;
    expect(beforeLast).toBeLessThan(maxEvents);
    expect(owed[events.length]?.kv.modRevision).not.toBe(last);
    watched.from = Math.max(watched.from, last + 1);
    if (batch === undefined) expect(watched.watch.position).toBeGreaterThan(model.revision);
    watched.isCaughtUp = watched.watch.position > model.revision;
    return events.length > 0;
  }
}

test('does what the model does, on every member, across restarts', () => {
  fc.assert(
    fc.property(fc.array(command, { minLength: 5, maxLength: 60, size: 'max' }), (commands) => {
      const trial = new Trial();
      for (const step of commands) trial.apply(step);
      trial.check();
      trial.drain();
      trial.apply({ type: 'restart' });
      trial.check();
    }),
    { numRuns: 400 },
  );
});
