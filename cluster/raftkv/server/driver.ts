/**
 * Drives one member's raft: hands it ticks and messages, takes what it says, writes what must be on
 * disk, applies what is committed. Everything but the disk happens in one turn.
 */
import type { Clock, Timer } from '../../../harness/core/clock.ts';
import { invariant } from '../../../harness/core/invariant.ts';
import type { Log } from '../../../harness/core/log.ts';
import { msFromNanos } from '../../../harness/core/units.ts';
import type { Bugs } from '../bugs.ts';
import type {
  Entry,
  HardState,
  MemberId,
  Message,
  Persist,
  Raft,
  ReadGrant,
} from '../raft/types.ts';
import type { BackendCopy, Storage } from '../storage/types.ts';
import { CatchUp } from './catch-up.ts';
import type { Transport } from './transport.ts';

/** etcd commits its backend as often, or after so many operations. */
const COMMIT_EVERY_MS = 100;
const COMMIT_OPERATIONS = 10_000;
/** How late the disk may be with a planted bug. */
const LATE_MS = 1_000;

export interface DriverOptions {
  readonly raft: Raft;
  readonly storage: Storage;
  readonly clock: Clock;
  readonly log: Log;
  readonly tickMs: number;
  readonly snapshotCount: number;
  readonly catchUpEntries: number;
  /** After a pause raft is handed the ticks it missed, before anything else. */
  readonly makesUpTicks: boolean;
  readonly bugs: Bugs;
}

/** What the rest of the node does when raft has something for it. */
export interface DriverHooks {
  /** Before anything is taken: what came from clients goes in. */
  collect(): void;
  /** Before it is written: addresses of new members are needed before they are applied. */
  appending(entries: readonly Entry[]): void;
  /** On this member's disk; who else has them is not known. */
  stored(entries: readonly Entry[]): void;
  apply(entries: readonly Entry[]): void;
  /** What the state machine has. */
  applied(): number;
  granted(reads: readonly ReadGrant[]): void;
  /** The backend now holds a leader's snapshot. */
  installed(): Promise<void>;
  /** After everything that one turn brought. */
  settled(): void;
  /** Once a tick. */
  tick(): void;
  /** Nothing is promised any more: nobody knows what is on the disk. */
  diskFailed(error: unknown): void;
}

/** Disposing of it stops ticks and waits for the disk; the rest belongs to the node. */
export class Driver implements AsyncDisposable {
  readonly #options: DriverOptions;
  readonly #hooks: DriverHooks;
  #transport: Transport | undefined;
  #timer: Timer | undefined;
  #isAwake = false;
  #isStopped = false;
  #lastCommitMs = 0;
  #tickedMs = 0;
  /** Writes to disk, one after the other. */
  #disk: Promise<void> = Promise.resolve();
  #isPersisting = false;
  /** The backend is not the state machine's while a leader's snapshot takes its place. */
  #isInstalling = false;
  #isCompacting = false;
  /** While the backend is written anew nothing is applied. */
  #rewriting: Promise<void> | undefined;
  readonly #sendingSnapshot = new Set<MemberId>();
  readonly #kept: CatchUp;
  /** With `ack-before-write` and `ack-before-fsync`: the disk follows once in a while. */
  readonly #isLate: boolean;
  /** Acknowledged, and written by the next `#catchUp`. */
  #unwritten: Persist[] = [];
  #isCatchingUp = false;
  #vote: Pick<HardState, 'term' | 'vote'> | undefined;

  constructor(options: DriverOptions, hooks: DriverHooks) {
    this.#options = options;
    this.#hooks = hooks;
    this.#kept = new CatchUp(options.clock);
    const { bugs } = options;
    this.#isLate = bugs.has('ack-before-write') || bugs.has('ack-before-fsync');
  }

  start(transport: Transport): void {
    this.#transport = transport;
    this.#tickedMs = msFromNanos(this.#options.clock.now());
    this.#arm(this.#tickedMs);
    this.wake();
  }

  receive(message: Message): void {
    if (this.#isStopped) return;
    this.#options.raft.step(message);
    this.wake();
  }

  /** Resolves when the backend is not being written anew any more; undefined: it is not. */
  get rewriting(): Promise<void> | undefined {
    return this.#rewriting;
  }

  /**
   * Writes the backend anew, without what was overwritten and deleted. Until it is done this member
   * applies nothing and grants no read; raft goes on.
   */
  async defragment(): Promise<void> {
    // As in etcd, each comes after the one before.
    while (this.#rewriting !== undefined) await this.#rewriting;
    this.#rewriting = this.#rewrite();
    await this.#rewriting;
  }

  async #rewrite(): Promise<void> {
    const { storage, log } = this.#options;
    const { size } = storage.backend;
    await this.#onDisk(async () => {
      if (this.#isLate) await this.#catchUp();
      else this.#commit();
    });
    if (!this.#isStopped) {
      try {
        // Not in the queue of the disk: the log must not wait for it.
        const rewritten = await storage.rewrite();
        await this.#onDisk(async () => {
          const isAdopted = await storage.adopt(rewritten);
          const now = storage.backend.size;
          log.info('defragmented the backend', { isAdopted, before: size, bytes: now });
        });
      } catch (error) {
        this.#fail(error);
      }
    }
    this.#rewriting = undefined;
    this.wake();
  }

  /** Raft may have something: everything of this turn of the loop is taken together. */
  wake(): void {
    if (this.#isAwake || this.#isStopped) return;
    this.#isAwake = true;
    void this.#turn();
  }

  async #turn(): Promise<void> {
    await this.#options.clock.turn();
    this.#isAwake = false;
    if (!this.#isStopped) this.#pump();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#disk;
  }

  /** Due times keep their distance, whatever a turn takes; missed ones are not made up for. */
  #arm(dueMs: number): void {
    const { clock, raft, tickMs } = this.#options;
    const nowMs = msFromNanos(clock.now());
    const nextMs = Math.max(dueMs + tickMs, nowMs);
    this.#timer = clock.timer(nextMs - nowMs, () => {
      if (this.#isStopped) return;
      const isBehind = this.#makeUpTicks();
      const isNews = raft.tick();
      this.#tickedMs = Math.max(this.#tickedMs + tickMs, msFromNanos(clock.now()) - tickMs);
      this.#hooks.tick();
      this.#commitWhenDue();
      this.#arm(nextMs);
      // Followers have nothing to say at most ticks, and are left alone.
      if (isNews || isBehind) this.wake();
    });
  }

  /** False: none was missed. */
  #makeUpTicks(): boolean {
    const { raft, clock, tickMs, makesUpTicks } = this.#options;
    if (!makesUpTicks) return false;
    const nowMs = msFromNanos(clock.now());
    let isBehind = false;
    for (; nowMs - this.#tickedMs >= 2 * tickMs; this.#tickedMs += tickMs) {
      raft.tick();
      isBehind = true;
    }
    return isBehind;
  }

  #pump(): void {
    const { raft } = this.#options;
    this.#makeUpTicks();
    this.#hooks.collect();
    for (const message of raft.takeMessages()) this.#send(message);
    if (this.#rewriting === undefined) this.#takeCommitted();
    this.#hooks.settled();
    this.#persist();
  }

  #takeCommitted(): void {
    const { raft } = this.#options;
    const committed = raft.takeCommitted();
    if (committed.length > 0) this.#apply(committed);
    const reads = raft.takeReads();
    if (reads.length > 0) this.#hooks.granted(reads);
  }

  #apply(entries: readonly Entry[]): void {
    const { storage } = this.#options;
    this.#hooks.apply(entries);
    if (storage.backend.pending >= COMMIT_OPERATIONS && !this.#isLate) this.#commit();
    this.#snapshotWhenDue();
  }

  #persist(): void {
    const { raft } = this.#options;
    while (!this.#isPersisting) {
      const persist = raft.takePersist();
      if (persist === undefined) return;
      const { snapshot, entries, hardState, replies } = persist;
      if (snapshot === undefined && entries.length === 0 && hardState === undefined) {
        // Nothing has to be on disk first: reads through a follower live from this.
        raft.persisted();
        for (const reply of replies) this.#send(reply);
        continue;
      }
      this.#hooks.appending(entries);
      if (this.#isLate && this.#isTakenOnTrust(persist)) continue;
      this.#isPersisting = true;
      void this.#onDisk(() => this.#write(persist));
    }
  }

  async #write(persist: Persist): Promise<void> {
    const { raft, storage, log } = this.#options;
    const { snapshot, entries, hardState, replies } = persist;
    const mustSync = this.#isLate ? this.#isVoteNew(persist) : persist.mustSync;
    if (this.#unwritten.length > 0) await this.#catchUp();
    if (snapshot !== undefined) {
      this.#isInstalling = true;
      log.info('installing a snapshot', { index: snapshot.meta.index });
      await storage.install(snapshot);
      await this.#hooks.installed();
      this.#isInstalling = false;
    }
    if (entries.length > 0 || hardState !== undefined)
      await storage.save({ entries, ...(hardState !== undefined && { hardState }), mustSync });
    this.#isPersisting = false;
    this.#vote = hardState ?? this.#vote;
    if (this.#isStopped) return;
    this.#hooks.stored(entries);
    raft.persisted();
    for (const reply of replies) this.#send(reply);
    this.#pump();
  }

  /** True: acknowledged now, and written some time later. */
  #isTakenOnTrust(persist: Persist): boolean {
    const { raft, bugs } = this.#options;
    if (persist.snapshot !== undefined || this.#isCatchingUp || this.#isVoteNew(persist))
      return false;
    // Breaks: a member answers when it has written what it answers for (figure 2).
    if (!bugs.has('ack-before-write')) return false;
    this.#unwritten.push(persist);
    this.#hooks.stored(persist.entries);
    raft.persisted();
    for (const reply of persist.replies) this.#send(reply);
    this.wake();
    return true;
  }

  /** Votes are not what these bugs are about: they are written and synced as ever. */
  #isVoteNew({ hardState }: Persist): boolean {
    if (hardState === undefined) return false;
    return hardState.term !== this.#vote?.term || hardState.vote !== this.#vote.vote;
  }

  /**
   * A turn of the disk: the log is written and synced, and only then the backend, which must never
   * be ahead of it. What is handed out meanwhile waits its turn.
   */
  async #catchUp(): Promise<void> {
    const { storage } = this.#options;
    this.#isCatchingUp = true;
    for (const { entries, hardState } of this.#unwritten.splice(0))
      await storage.save({ entries, ...(hardState && { hardState }), mustSync: false });
    await storage.save({ entries: [], mustSync: true });
    this.#isCatchingUp = false;
    this.#commit();
  }

  #send(message: Message): void {
    if (message.type === 'snapshot') this.#sendSnapshot(message);
    else this.#transport?.send(message);
  }

  /** The state machine of now, which is at least as new as what raft asked for. */
  #sendSnapshot(message: Message & { readonly type: 'snapshot' }): void {
    const { raft, storage, log } = this.#options;
    const { to } = message;
    if (this.#sendingSnapshot.has(to)) {
      raft.reportSnapshot(to, false);
      return;
    }
    this.#sendingSnapshot.add(to);
    void this.#onDisk(async () => {
      try {
        if (this.#isLate) await this.#catchUp();
        else this.#commit();
        if (!this.#isInLog(storage.backend.applied)) {
          raft.reportSnapshot(to, false);
          return;
        }
        const meta = raft.snapshotMeta(storage.backend.applied);
        const { applied, data } = await storage.backend.snapshot();
        invariant(applied === meta.index, `a snapshot of ${applied}, not of ${meta.index}`);
        log.info('sending a snapshot', { to, index: meta.index, bytes: data.length });
        this.#kept.snapshotSent(to, meta.index);
        this.#transport?.send({ ...message, meta, data });
      } finally {
        this.#sendingSnapshot.delete(to);
      }
    });
  }

  /** With all that is applied by now; undefined: the member stopped, or its disk failed. */
  async backup(): Promise<BackendCopy | undefined> {
    const { backend } = this.#options.storage;
    await this.#onDisk(async () => {
      if (this.#isLate) await this.#catchUp();
      else this.#commit();
    });
    if (this.#isStopped) return undefined;
    try {
      return await backend.snapshot();
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  #commitWhenDue(): void {
    const nowMs = msFromNanos(this.#options.clock.now());
    if (nowMs - this.#lastCommitMs < (this.#isLate ? LATE_MS : COMMIT_EVERY_MS)) return;
    this.#lastCommitMs = nowMs;
    if (this.#isLate) void this.#onDisk(() => this.#catchUp());
    else this.#commit();
  }

  #commit(): void {
    const { backend } = this.#options.storage;
    const applied = this.#hooks.applied();
    if (this.#isInstalling || applied === backend.applied) return;
    try {
      backend.commit(applied);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#hooks.diskFailed(error);
  }

  /** §7: the backend holds what is applied, so the log before it is only for slow followers. */
  #snapshotWhenDue(): void {
    const { raft, storage, snapshotCount, catchUpEntries, log } = this.#options;
    if (this.#isCompacting) return;
    const status = raft.status();
    const index = this.#kept.limit(status.applied - catchUpEntries, status);
    if (index - status.firstIndex + 1 < snapshotCount) return;
    this.#isCompacting = true;
    void this.#onDisk(async () => {
      if (this.#isInLog(index)) {
        if (this.#isLate) await this.#catchUp();
        else this.#commit();
        await storage.compact(raft.snapshotMeta(index));
        if (this.#isInLog(index)) raft.compact(index);
        log.info('a snapshot: the log now starts later', { firstIndex: index + 1 });
      }
      this.#isCompacting = false;
    });
  }

  /** A leader's snapshot may have put the start of the log beyond it, since this was planned. */
  #isInLog(index: number): boolean {
    return index >= this.#options.raft.status().firstIndex - 1;
  }

  /** Resolves when it was done or given up; never rejects. */
  #onDisk(act: () => Promise<void>): Promise<void> {
    this.#disk = this.#afterDisk(this.#disk, act);
    return this.#disk;
  }

  async #afterDisk(before: Promise<void>, act: () => Promise<void>): Promise<void> {
    await before;
    if (this.#isStopped) return;
    try {
      await act();
    } catch (error) {
      this.#fail(error);
    }
  }
}
