/** A cluster under clients, watches, leases, changes of members and all that can go wrong, by chance. */
import { type Clock, sleep } from '../../../harness/core/clock.ts';
import { invariant } from '../../../harness/core/invariant.ts';
import { Random, seedFrom } from '../../../harness/core/prng.ts';
import { msFromNanos } from '../../../harness/core/units.ts';
import type { Failure, Result } from '../failures.ts';
import type { Watch } from '../mvcc/types.ts';
import type { MemberId } from '../raft/types.ts';
import type { MemoryDisk } from '../storage/memory-disk.ts';
import type { Disk } from '../storage/types.ts';
import type { Member, Node, NodeApi, NodeEnd } from './api.ts';
import type { NodeConfig } from './config.ts';
import { MemoryCluster, onVirtualTime, urlOf } from './testing.ts';
import { seenOf, Truth } from './testing-truth.ts';

/** All keys. */
const ALL = { key: Uint8Array.of(0), end: Uint8Array.of(0) };
/** Five seconds, two elections, and a moment. */
const ANSWER_MS_MAX = 6_100;
const SETTLE_MS = 30_000;
/** What was refused with one of these never happens. */
const CERTAIN = new Set(['raft proposal dropped', 'etcdserver: too many requests']);

export interface TrialOptions {
  readonly seed: number;
  readonly chaosMs: number;
}

export type TrialCounts = Truth['counts'] &
  Record<'crashes' | 'cuts' | 'changes' | 'renewals' | 'expiries' | 'compacted', number>;

/** Throws for whatever a client, or a member, must never see. */
export async function runTrial({ seed, chaosMs }: TrialOptions): Promise<TrialCounts> {
  const random = Random.stream(seedFrom(seed), 'trial');
  const network = random.fork('network');
  const disks = random.fork('disks');
  const slowNetwork = random.chance(0.5);
  const slowDisk = random.chance(0.5);
  const cluster = new MemoryCluster(random.pick([1, 3, 3, 3, 5]), tuning(random), {
    seed,
    delayMs: () => (slowNetwork && network.chance(0.3) ? network.int(1, 60) : 1),
    disk: (disk, clock) => (slowDisk ? lateDisk(disk, clock, disks) : disk),
  });
  const trial = new Trial(cluster, random);
  await onVirtualTime(cluster, () => trial.run(chaosMs));
  return trial.counts;
}

function tuning(random: Random): Partial<NodeConfig> {
  return {
    ...random.pick([{ snapshotCount: 20, catchUpEntries: 5 }, {}]),
    maxAppendEntries: random.pick([1, 3, 1_024]),
    preVote: random.chance(0.8),
    leaseReads: random.chance(0.2),
  };
}

/** So that a crash comes between any two operations. */
function lateDisk(disk: MemoryDisk, clock: Clock, random: Random): Disk {
  const late = (): Promise<void> => sleep(clock, random.chance(0.1) ? random.int(1, 50) : 1);
  return {
    list: () => disk.list(),
    read: async (name) => {
      await late();
      return disk.read(name);
    },
    open: async (name) => {
      const file = await disk.open(name);
      return {
        name,
        get size() {
          return file.size;
        },
        append: (chunks) => file.append(chunks),
        sync: async () => {
          await late();
          await file.sync();
        },
        truncate: (size) => file.truncate(size),
        [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
      };
    },
    rename: async (from, to) => {
      await late();
      await disk.rename(from, to);
    },
    remove: async (name) => {
      await late();
      await disk.remove(name);
    },
  };
}

class Trial {
  readonly #cluster: MemoryCluster;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #truth = new Truth();
  /** Of a key that hangs on a lease: when it was seen to go first. */
  readonly #goneMs = new Map<string, number>();
  readonly #ends = new Map<Node, NodeEnd>();
  readonly #counts = { crashes: 0, cuts: 0, changes: 0, renewals: 0, expiries: 0, compacted: 0 };
  /** Not of the cluster, or not yet: nobody starts it but who changes members. */
  readonly #outside = new Set<string>();
  /** Nobody breaks or changes anything any more. */
  #isCalm = false;
  /** Nobody begins anything any more. */
  #isOver = false;
  /** Everything that was begun has ended. */
  #isQuiet = false;
  #problem: unknown;
  #value = 0;

  constructor(cluster: MemoryCluster, random: Random) {
    this.#cluster = cluster;
    this.#clock = cluster.clock;
    this.#random = random;
  }

  get counts(): TrialCounts {
    return { ...this.#truth.counts, ...this.#counts };
  }

  async run(chaosMs: number): Promise<void> {
    const cluster = this.#cluster;
    for (const name of cluster.names) await this.#start(name);
    const work = [
      ...['c1', 'c2', 'c3'].map((client) => this.#client(client)),
      ...['l1', 'l2'].map((holder) => this.#leaseHolder(holder)),
    ].map((each) => this.#guard(each));
    const admin = this.#guard(this.#admin());
    const watchers = ['w1', 'w2', 'w3'].map((name) => this.#guard(this.#watcher(name)));
    await this.#guard(this.#nemesis(chaosMs));
    this.#cluster.heal();
    this.#isCalm = true;
    await admin;
    // Before anybody joins: what most say about who it is counts.
    for (const name of this.#inside()) await this.#restart(name);
    this.#cluster.network.isAnyAnswerGood = true;
    await this.#guard(this.#mend());
    this.#isOver = true;
    await Promise.all(work);
    this.#isQuiet = true;
    await Promise.all(watchers);
    if (this.#problem !== undefined) throw this.#problem;
    await this.#compare();
    this.#truth.check();
  }

  async #guard(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#problem ??= error;
      this.#isOver = true;
    }
  }

  get #nowMs(): number {
    return msFromNanos(this.#clock.now());
  }

  async #start(name: string, existing = this.#joined.has(name)): Promise<void> {
    const node = await this.#cluster.start(name, existing);
    void node.ended.then((end) => this.#ends.set(node, end));
  }

  /** Added, or maybe so, but not started yet; with those that were members then. */
  readonly #toJoin = new Map<string, readonly string[]>();
  readonly #starting = new Set<string>();
  /** Those that came later start as such for good. */
  readonly #joined = new Set<string>();

  async #pause(random: Random, maxMs: number): Promise<void> {
    await sleep(this.#clock, random.int(1, maxMs));
  }

  #someNode(random: Random): Node | undefined {
    return this.#cluster.running(random.pick(this.#cluster.names));
  }

  /** Every call answers in time, whatever happens to the node. */
  async #call<T>(
    what: string,
    call: Promise<Result<T>>,
    maxMs = ANSWER_MS_MAX,
  ): Promise<Result<T>> {
    const startMs = this.#nowMs;
    let isDone = false;
    const late = this.#clock.timer(maxMs, () => {
      if (isDone) return;
      this.#problem ??= new Error(`${what}: no answer since ${startMs}`);
      this.#isOver = true;
    });
    const result = await call;
    isDone = true;
    late.cancel();
    return result;
  }

  async #client(name: string): Promise<void> {
    const random = this.#random.fork(name);
    while (!this.#isOver) {
      const node = this.#someNode(random);
      if (node !== undefined) await this.#operation(name, node.api, random);
      await this.#pause(random, 30);
    }
  }

  async #operation(name: string, api: NodeApi, random: Random): Promise<void> {
    const truth = this.#truth;
    const { floor } = truth;
    const kind = random.weighted([5, 2, 1, 3, 1, 0.2]);
    if (kind === 3 || kind === 4) {
      const serializable = kind === 4;
      const result = await this.#call('range', api.range({ ...ALL, serializable }));
      if (!result.ok) return;
      const { revision, kvs } = result.value;
      truth.read(revision, kvs.map(seenOf), serializable ? 0 : floor);
      return;
    }
    if (kind === 5) {
      if (truth.known > 10)
        await this.#call('compact', api.compact(truth.known - random.int(0, 9)));
      return;
    }
    const value = `${name}-${++this.#value}`;
    const key = Buffer.from(kind === 0 ? name : 'shared');
    const write =
      kind === 2
        ? api.deleteRange({ key })
        : kind === 1
          ? this.#swap(api, key, value)
          : api.put({ key, value: Buffer.from(value) });
    const result = await this.#call('write', write);
    if (!result.ok) truth.failed(value, CERTAIN.has(result.failure.message));
    else if (kind === 0) truth.wrote(value, result.value.revision, floor);
    else if (kind === 1) truth.wrote(value, result.value.revision, floor);
  }

  /** Reads and then writes if nobody else did, until it does. */
  async #swap(api: NodeApi, key: Buffer, value: string): Promise<Result<{ revision: number }>> {
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
      return { ok: false, failure: CERTAIN_FAILURE };
    }
  }

  async #watcher(name: string): Promise<void> {
    const random = this.#random.fork(name);
    const truth = this.#truth;
    let next = 2;
    for (;;) {
      if (this.#isQuiet && (next > truth.floor || this.#problem !== undefined)) return;
      const node = this.#someNode(random);
      await this.#pause(random, 20);
      if (node === undefined) continue;
      const request = { ...ALL, startRevision: next, prevKv: false, noPut: false, noDelete: false };
      using watch = node.api.watch(request, () => undefined);
      const untilMs = this.#nowMs + random.int(1, 4_000);
      do {
        const from = next;
        next = this.#pull(watch, next, random.int(1, 20));
        await this.#pause(random, from === next ? 50 : 5);
      } while (this.#nowMs < untilMs && !this.#isQuiet);
      if (this.#isQuiet) next = this.#pull(watch, next, 100_000);
    }
  }

  #pull(watch: Watch, next: number, maxEvents: number): number {
    const batch = watch.pull(maxEvents);
    if (batch === undefined) return next;
    if (batch.type === 'compacted') {
      this.#counts.compacted++;
      return Math.max(next, batch.compactRevision);
    }
    for (const { type, kv } of batch.events)
      if (type === 'DELETE') this.#gone(Buffer.from(kv.key).toString());
    return this.#truth.watched(next, batch.events);
  }

  #gone(key: string): void {
    if (!this.#goneMs.has(key)) this.#goneMs.set(key, this.#nowMs);
  }

  /** A lease with a key, kept alive for a while, through any member. */
  async #leaseHolder(name: string): Promise<void> {
    const random = this.#random.fork(name);
    for (let round = 0; !this.#isOver; round++) {
      await this.#pause(random, 300);
      const ttlSeconds = random.int(1, 3);
      const grantedMs = this.#nowMs;
      const node = this.#someNode(random);
      if (node === undefined) continue;
      const granted = await this.#call('grant', node.api.leaseGrant('0', ttlSeconds));
      if (!granted.ok) continue;
      const { id } = granted.value;
      const key = `${name}/${round}`;
      const value = `${name}-${++this.#value}`;
      const request = { key: Buffer.from(key), value: Buffer.from(value), lease: id };
      const put = await this.#call('put', node.api.put(request));
      if (!put.ok) this.#truth.failed(value, false);
      await this.#keepAlive(key, id, Math.max(grantedMs, 0) + ttlSeconds * 1_000, random);
    }
  }

  async #keepAlive(key: string, id: string, firstEndMs: number, random: Random): Promise<void> {
    const rounds = random.int(0, 6);
    let notBeforeMs = firstEndMs;
    for (let round = 0; round < rounds && !this.#isOver; round++) {
      await this.#pause(random, 1_500);
      const node = this.#someNode(random);
      if (node === undefined) continue;
      const startMs = this.#nowMs;
      const before = this.#goneMs.get(key);
      const result = await this.#call('renew', node.api.leaseKeepAlive(id));
      if (!result.ok) continue;
      const { ttlSeconds } = result.value;
      if (ttlSeconds === 0) break;
      invariant(before === undefined, `${key} went at ${before}, and was renewed at ${startMs}`);
      notBeforeMs = Math.max(notBeforeMs, startMs + ttlSeconds * 1_000);
      this.#counts.renewals++;
    }
    const goneMs = (): number => this.#goneMs.get(key) ?? Number.POSITIVE_INFINITY;
    while (this.#nowMs < notBeforeMs && !this.#isOver) await sleep(this.#clock, 50);
    invariant(goneMs() >= notBeforeMs, `${key} went at ${goneMs()}, not after ${notBeforeMs}`);
    if (Number.isFinite(goneMs())) this.#counts.expiries++;
  }

  async #admin(): Promise<void> {
    const random = this.#random.fork('admin');
    const spares = ['n8', 'n9'];
    if (random.chance(0.4)) return;
    while (!this.#isCalm && !this.#isOver) {
      await this.#pause(random, 2_000);
      const node = this.#someNode(random);
      if (node === undefined) continue;
      const spare = random.pick(spares);
      const listed = await this.#call('members', node.api.memberList(true));
      if (!listed.ok) continue;
      const there = listed.value.find(({ peerUrls }) => peerUrls.includes(urlOf(spare)));
      if (there !== undefined && this.#toJoin.has(spare)) await this.#join(spare);
      else if (there === undefined) await this.#add(node, spare, listed.value, random);
      else if (there.isLearner && random.chance(0.7))
        this.#changed(await this.#call('promote', node.api.memberPromote(there.id), 13_000));
      else if (random.chance(0.5)) await this.#remove(node, spare, there.id);
      else if (listed.value.length > 3) {
        const names = this.#cluster.names.filter((each) => !this.#outside.has(each));
        const name = random.pick(names);
        const id = listed.value.find(({ peerUrls }) => peerUrls.includes(urlOf(name)))?.id;
        if (id !== undefined && !spares.includes(name)) {
          spares.push(name);
          await this.#remove(node, name, id);
        }
      }
    }
  }

  #changed(result: Result<unknown>): void {
    if (result.ok) this.#counts.changes++;
  }

  async #add(node: Node, name: string, members: readonly Member[], random: Random): Promise<void> {
    this.#outside.add(name);
    if (this.#cluster.names.includes(name)) await this.#awaitEnd(name);
    const isLearner = random.chance(0.6);
    const added = await this.#call('add', node.api.memberAdd([urlOf(name)], isLearner), 13_000);
    this.#changed(added);
    if (!added.ok && added.failure.status === 'FAILED_PRECONDITION') return;
    const urls = new Set(members.flatMap(({ peerUrls }) => peerUrls));
    this.#toJoin.set(
      name,
      this.#cluster.names.filter((each) => urls.has(urlOf(each))),
    );
    if (added.ok) await this.#join(name);
  }

  /** It was removed, and will have been told. */
  async #awaitEnd(name: string): Promise<void> {
    const old = this.#cluster.running(name);
    const end = await Promise.race([old?.ended, sleep(this.#clock, SETTLE_MS)]);
    invariant(
      this.#isOver || this.#isCalm || old === undefined || end !== undefined,
      `${name} was never told that it is removed`,
    );
    await this.#cluster.crash(name);
  }

  /** With an empty disk. */
  async #join(name: string): Promise<void> {
    const cluster = this.#cluster;
    await cluster.until(() => !this.#starting.has(name));
    if (cluster.names.includes(name)) await cluster.crash(name);
    cluster.addSlot(name, this.#toJoin.get(name));
    this.#toJoin.delete(name);
    this.#joined.add(name);
    this.#outside.delete(name);
    await this.#restart(name);
  }

  async #remove(node: Node, name: string, id: MemberId): Promise<void> {
    this.#outside.add(name);
    for (;;) {
      const result = await this.#call('remove', node.api.memberRemove(id), 13_000);
      this.#changed(result);
      if (result.ok || result.failure.message.includes('member not found')) return;
      if (this.#isOver || this.#isCalm) return;
      const other = this.#someNode(this.#random);
      await sleep(this.#clock, 200);
      if (other !== undefined) return this.#remove(other, name, id);
    }
  }

  async #nemesis(forMs: number): Promise<void> {
    const random = this.#random.fork('nemesis');
    const untilMs = this.#nowMs + forMs;
    while (this.#nowMs < untilMs && !this.#isOver) {
      await this.#pause(random, random.pick([50, 500, 2_000]));
      const inside = this.#inside();
      if (inside.length === 0) continue;
      switch (random.weighted([4, 1, 4, 2, 2, 4])) {
        case 0:
          await this.#crash(random, [random.pick(inside)]);
          break;
        case 1:
          await this.#crash(random, inside);
          break;
        case 2:
          this.#cluster.cutOff(...random.shuffle(inside).slice(0, random.int(1, 2)));
          this.#counts.cuts++;
          break;
        case 3: {
          const [a, b] = [random.pick(inside), random.pick(inside)];
          this.#cluster.network.isCut = (from, to) => from.startsWith(a) && to.startsWith(b);
          break;
        }
        case 4:
          void this.#moveLeader(random.pick(inside));
          break;
        default:
          this.#cluster.heal();
          for (const name of inside) if (random.chance(0.7)) await this.#restart(name);
      }
    }
  }

  #inside(): string[] {
    return this.#cluster.names.filter(
      (name) => !this.#outside.has(name) && !this.#starting.has(name),
    );
  }

  async #crash(random: Random, names: readonly string[]): Promise<void> {
    const isPower = random.chance(0.4);
    this.#counts.crashes++;
    await Promise.all(
      names
        .filter((name) => !this.#starting.has(name))
        .map((name) =>
          isPower ? this.#cluster.powerFailure(name, random) : this.#cluster.crash(name),
        ),
    );
    await this.#pause(random, 100);
    for (const name of names) if (random.chance(0.6)) await this.#restart(name);
  }

  async #restart(name: string): Promise<void> {
    if (this.#cluster.running(name) !== undefined || this.#outside.has(name)) return;
    if (this.#starting.has(name)) return;
    this.#starting.add(name);
    try {
      await this.#start(name);
    } catch (error) {
      if (!isPassing(error)) throw error;
    } finally {
      this.#starting.delete(name);
    }
  }

  async #moveLeader(to: string): Promise<void> {
    const leader = this.#cluster.leader();
    const target = this.#cluster.running(to);
    if (leader === undefined || target === undefined) return;
    const { api } = this.#cluster.node(leader);
    await this.#call('move', api.moveLeader(target.api.header().member));
  }

  /** All is well again: every member comes back, and agrees. */
  async #mend(): Promise<void> {
    const cluster = this.#cluster;
    cluster.heal();
    const endMs = this.#nowMs + SETTLE_MS;
    for (;;) {
      invariant(this.#problem === undefined, 'over');
      await this.#bringBack();
      for (const name of this.#inside()) await this.#restart(name);
      const nodes = this.#healthy();
      const results = await Promise.all(nodes.map(({ api }) => this.#lastWrite(api)));
      const refused = results.filter(({ ok }, at) => !ok && !this.#ends.has(nodes[at] as Node));
      if (refused.length === 0 && (await this.#isWhole())) return;
      invariant(this.#nowMs < endMs, `it does not go on: ${describe(results)}`);
      await sleep(this.#clock, 200);
    }
  }

  /** Running, and not told that it is over. */
  #healthy(): Node[] {
    return this.#cluster.names
      .flatMap((name) => this.#cluster.running(name) ?? [])
      .filter((node) => !this.#ends.has(node));
  }

  #lastWrite(api: NodeApi): Promise<Result<unknown>> {
    const value = Buffer.from(`end-${++this.#value}`);
    return this.#call('put', api.put({ key: Buffer.from('end'), value }));
  }

  /** Every member there is, is there. */
  async #isWhole(): Promise<boolean> {
    const [node] = this.#healthy();
    const listed = await node?.api.memberList(true);
    return listed?.ok === true && listed.value.every(({ peerUrls }) => this.#isWell(peerUrls));
  }

  /** Also who may have been added, or not have been removed: nobody was told. */
  async #bringBack(): Promise<void> {
    for (const name of [...this.#toJoin.keys(), ...(await this.#mistaken())])
      await this.#join(name);
    this.#outside.clear();
  }

  /** Joined, but took themselves for a former member that was removed, and were told so. */
  async #mistaken(): Promise<string[]> {
    const [well] = this.#healthy();
    const listed = await well?.api.memberList(false);
    if (listed?.ok !== true) return [];
    const urls = listed.value.flatMap(({ peerUrls }) => peerUrls);
    return this.#cluster.names.filter((name) => {
      const node = this.#cluster.running(name);
      return node && this.#ends.get(node)?.why === 'removed' && urls.includes(urlOf(name));
    });
  }

  #isWell(peerUrls: readonly string[]): boolean {
    const name = this.#cluster.names.find((each) => peerUrls.includes(urlOf(each)));
    const node = name === undefined ? undefined : this.#cluster.running(name);
    return node !== undefined && !this.#ends.has(node);
  }

  async #compare(): Promise<void> {
    for (const [node, end] of this.#ends)
      invariant(
        end.why !== 'disk-failed' || !this.#isRunning(node),
        `a disk failed: ${end.why === 'disk-failed' ? String((end.error as Error).stack) : ''}`,
      );
    const applied = (): number[] => this.#healthy().map(({ api }) => api.status().raftApplied);
    await this.#cluster.until(() => new Set(applied()).size === 1);
    const nodes = this.#healthy();
    const revision = nodes[0]?.api.header().revision ?? 0;
    const views = await Promise.all(nodes.map(({ api }) => viewOf(api, revision)));
    invariant(new Set(views).size === 1, `members differ: ${views.join('\n')}`);
  }

  #isRunning(node: Node): boolean {
    return this.#cluster.names.some((name) => this.#cluster.running(name) === node);
  }
}

const CERTAIN_FAILURE: Failure = { status: 'UNKNOWN', message: 'raft proposal dropped' };

/** Nobody could be asked, or only somebody who has not heard of it yet. */
function isPassing(error: unknown): boolean {
  return /nobody knows/.test(String(error));
}

async function viewOf(api: NodeApi, revision: number): Promise<string> {
  const hash = await api.hashKv(revision);
  const members = await api.memberList(false);
  return JSON.stringify([hash.ok ? hash.value.hash : hash.failure, members]);
}

function describe(results: readonly Result<unknown>[]): string {
  return results.map((result) => (result.ok ? 'ok' : result.failure.message)).join(', ');
}
