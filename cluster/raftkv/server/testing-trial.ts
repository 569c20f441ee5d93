/** A cluster under clients, watches, leases, changes of members and all that can go wrong, by chance. */
import { sleep } from '../../../harness/core/clock.ts';
import { invariant } from '../../../harness/core/invariant.ts';
import { Random, seedFrom } from '../../../harness/core/prng.ts';
import type { Result } from '../failures.ts';
import type { MemberId } from '../raft/types.ts';
import type { Member, Node, NodeApi } from './api.ts';
import type { NodeConfig } from './config.ts';
import { MemoryCluster, onVirtualTime, urlOf } from './testing.ts';
import { lateDisk } from './testing-late-disk.ts';
import { runClient, runLeaseHolder, runWatcher } from './testing-trial-clients.ts';
import { type TrialCounts, TrialState } from './testing-trial-state.ts';

const SETTLE_MS = 30_000;

export interface TrialOptions {
  readonly seed: number;
  readonly chaosMs: number;
}

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
  const state = new TrialState(cluster);
  const trial = new Trial(state, random);
  await onVirtualTime(cluster, () => trial.run(chaosMs));
  return state.all;
}

function tuning(random: Random): Partial<NodeConfig> {
  return {
    ...random.pick([
      { snapshotCount: 20, catchUpEntries: 5 },
      { snapshotCount: 10, catchUpEntries: 0 },
      {},
    ]),
    maxAppendEntries: random.pick([1, 3, 1_024]),
    preVote: random.chance(0.8),
    leaseReads: random.chance(0.2),
    // An alarm would stop all writes, and so the trial.
    ...(random.chance(0.5) && { corruptCheckMs: 300 }),
  };
}

class Trial {
  readonly #state: TrialState;
  readonly #cluster: MemoryCluster;
  readonly #random: Random;
  /** Not of the cluster, or not yet: nobody starts it but who changes members. */
  readonly #outside = new Set<string>();
  /** Added, or maybe so, but not started yet; with those that were members then. */
  readonly #toJoin = new Map<string, readonly string[]>();
  readonly #starting = new Set<string>();
  /** Those that came later start as such for good. */
  readonly #joined = new Set<string>();
  /** Nobody breaks or changes anything any more. */
  #isCalm = false;

  constructor(state: TrialState, random: Random) {
    this.#state = state;
    this.#cluster = state.cluster;
    this.#random = random;
  }

  async run(chaosMs: number): Promise<void> {
    const state = this.#state;
    const random = this.#random;
    for (const name of this.#cluster.names) await this.#start(name);
    const work = [
      ...['c1', 'c2', 'c3', 'c4'].map((client) => runClient(state, client, random)),
      ...['l1', 'l2', 'l3', 'l4'].map((holder) => runLeaseHolder(state, holder, random)),
    ].map((each) => this.#state.guard(each));
    const admin = this.#state.guard(this.#admin());
    const watchers = ['w1', 'w2', 'w3', 'w4'].map((name) =>
      this.#state.guard(runWatcher(state, name, random)),
    );
    await this.#state.guard(this.#nemesis(chaosMs));
    this.#cluster.heal();
    this.#isCalm = true;
    await admin;
    // Before anybody joins: what most say about who it is counts.
    for (const name of this.#inside()) await this.#restart(name);
    this.#cluster.network.isAnyAnswerGood = true;
    await this.#state.guard(this.#mend());
    this.#state.isOver = true;
    await Promise.all(work);
    this.#state.isQuiet = true;
    await Promise.all(watchers);
    if (this.#state.problem !== undefined) throw this.#state.problem;
    await this.#compare();
    this.#state.truth.check();
  }

  async #start(name: string, existing = this.#joined.has(name)): Promise<void> {
    const node = await this.#cluster.start(name, existing);
    void node.ended.then((end) => this.#state.ends.set(node, end));
  }

  async #admin(): Promise<void> {
    const random = this.#random.fork('admin');
    const spares = ['n8', 'n9'];
    if (random.chance(0.4)) return;
    while (!this.#isCalm && !this.#state.isOver) {
      await this.#state.pause(random, 2_000);
      const node = this.#state.someNode(random);
      if (node === undefined) continue;
      const spare = random.pick(spares);
      const listed = await this.#state.call('members', node.api.memberList(true));
      if (!listed.ok) continue;
      const there = listed.value.find(({ peerUrls }) => peerUrls.includes(urlOf(spare)));
      if (there !== undefined && this.#toJoin.has(spare)) await this.#join(spare);
      else if (there === undefined) await this.#add(node, spare, listed.value, random);
      else if (there.isLearner && random.chance(0.7))
        this.#changed(await this.#state.call('promote', node.api.memberPromote(there.id), 13_000));
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
    if (result.ok) this.#state.counts.changes++;
  }

  async #add(node: Node, name: string, members: readonly Member[], random: Random): Promise<void> {
    this.#outside.add(name);
    if (this.#cluster.names.includes(name)) await this.#awaitEnd(name);
    const isLearner = random.chance(0.6);
    const added = await this.#state.call(
      'add',
      node.api.memberAdd([urlOf(name)], isLearner),
      13_000,
    );
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
    const end = await Promise.race([old?.ended, sleep(this.#state.clock, SETTLE_MS)]);
    invariant(
      this.#state.isOver || this.#isCalm || old === undefined || end !== undefined,
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
      const result = await this.#state.call('remove', node.api.memberRemove(id), 13_000);
      this.#changed(result);
      if (result.ok || result.failure.message.includes('member not found')) return;
      if (this.#state.isOver || this.#isCalm) return;
      const other = this.#state.someNode(this.#random);
      await sleep(this.#state.clock, 200);
      if (other !== undefined) return this.#remove(other, name, id);
    }
  }

  async #nemesis(forMs: number): Promise<void> {
    const random = this.#random.fork('nemesis');
    const untilMs = this.#state.nowMs + forMs;
    while (this.#state.nowMs < untilMs && !this.#state.isOver) {
      await this.#state.pause(random, random.pick([50, 500, 2_000]));
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
          this.#state.counts.cuts++;
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
    this.#state.counts.crashes++;
    await Promise.all(
      names
        .filter((name) => !this.#starting.has(name))
        .map((name) =>
          isPower ? this.#cluster.powerFailure(name, random) : this.#cluster.crash(name),
        ),
    );
    await this.#state.pause(random, 100);
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
    await this.#state.call('move', api.moveLeader(target.api.header().member));
  }

  /** All is well again: every member comes back, and agrees. */
  async #mend(): Promise<void> {
    const cluster = this.#cluster;
    cluster.heal();
    const endMs = this.#state.nowMs + SETTLE_MS;
    for (;;) {
      invariant(this.#state.problem === undefined, 'over');
      await this.#bringBack();
      for (const name of this.#inside()) await this.#restart(name);
      const nodes = this.#healthy();
      const results = await Promise.all(nodes.map(({ api }) => this.#lastWrite(api)));
      const refused = results.filter(
        ({ ok }, at) => !ok && !this.#state.ends.has(nodes[at] as Node),
      );
      if (refused.length === 0 && (await this.#isWhole())) return;
      invariant(this.#state.nowMs < endMs, `it does not go on: ${describe(results)}`);
      await sleep(this.#state.clock, 200);
    }
  }

  /** Running, and not told that it is over. */
  #healthy(): Node[] {
    return this.#cluster.names
      .flatMap((name) => this.#cluster.running(name) ?? [])
      .filter((node) => !this.#state.ends.has(node));
  }

  #lastWrite(api: NodeApi): Promise<Result<unknown>> {
    const value = Buffer.from(`end-${this.#state.nextValue()}`);
    return this.#state.call('put', api.put({ key: Buffer.from('end'), value }));
  }

  /** Every member there is, is there. */
  async #isWhole(): Promise<boolean> {
    const [node] = this.#healthy();
    const listed = await node?.api.memberList(true);
    return listed?.ok === true && listed.value.every(({ peerUrls }) => this.#isWell(peerUrls));
  }

  /** Also who may have been added, or not have been removed: nobody was told. */
  async #bringBack(): Promise<void> {
    for (const name of [...(await this.#added()), ...(await this.#mistaken())])
      await this.#join(name);
    this.#outside.clear();
    for (const name of this.#toJoin.keys()) this.#outside.add(name);
  }

  /**
   * One that was never added would wait for ever, since nobody knows it. Only where most cannot agree
   * on who is there may just this one be missing.
   */
  async #added(): Promise<string[]> {
    const waiting = [...this.#toJoin.keys()];
    if (waiting.length === 0) return [];
    const lists = await Promise.all(this.#healthy().map(({ api }) => api.memberList(true)));
    const listed = lists.find(({ ok }) => ok);
    if (listed?.ok !== true) return waiting;
    const urls = listed.value.flatMap(({ peerUrls }) => peerUrls);
    return waiting.filter((name) => urls.includes(urlOf(name)));
  }

  /** Joined, but took themselves for a former member that was removed, and were told so. */
  async #mistaken(): Promise<string[]> {
    const [well] = this.#healthy();
    const listed = await well?.api.memberList(false);
    if (listed?.ok !== true) return [];
    const urls = listed.value.flatMap(({ peerUrls }) => peerUrls);
    return this.#cluster.names.filter((name) => {
      const node = this.#cluster.running(name);
      return node && this.#state.ends.get(node)?.why === 'removed' && urls.includes(urlOf(name));
    });
  }

  #isWell(peerUrls: readonly string[]): boolean {
    const name = this.#cluster.names.find((each) => peerUrls.includes(urlOf(each)));
    const node = name === undefined ? undefined : this.#cluster.running(name);
    return node !== undefined && !this.#state.ends.has(node);
  }

  async #compare(): Promise<void> {
    for (const [node, end] of this.#state.ends)
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
