/** Writes on their way through the log: proposed once, answered when they are applied here. */
import type { Clock } from '../../../harness/core/clock.ts';
import type { Random } from '../../../harness/core/prng.ts';
import type { Bugs } from '../bugs.ts';
import { FAILURES, type Failure, failed, type Result } from '../failures.ts';
import type { MemberId, Raft } from '../raft/types.ts';
import { type Command, type CommandRequest, encodeCommand, type Origin } from './command.ts';
import { Waiters } from './waiters.ts';

/** etcd's bound on what is committed and not applied. */
const BEHIND_MAX = 5_000;
const WAITING_MAX = 20_000;
/** Where sequences start leaves room for so many in one life. */
const SEQUENCES_A_LIFE = 2 ** 20;

export interface ProposalsOptions {
  readonly self: MemberId;
  readonly raft: Raft;
  readonly clock: Clock;
  readonly random: Random;
  readonly timeoutMs: number;
  readonly maxRequestBytes: number;
  /** There is something to take from raft. */
  readonly wake: () => void;
  readonly bugs: Bugs;
}

/**
 * A proposal is handed to raft exactly once. When no leader is known it waits here, since etcd's
 * does too; what happens to it after it was handed over nobody knows until it is applied.
 */
export class Proposals {
  readonly #options: ProposalsOptions;
  readonly #waiters: Waiters<number, Result<unknown>>;
  /** For want of a leader not handed over yet, by sequence. */
  readonly #held = new Map<number, Uint8Array>();
  /** With `retry-twice`: what was handed over and is not answered. */
  readonly #open = new Map<number, CommandRequest>();
  #sequence: number;
  #closed: Failure | undefined;

  constructor(options: ProposalsOptions) {
    this.#options = options;
    this.#waiters = new Waiters(options.clock, options.timeoutMs);
    // An entry of a former life may still be on its way: it must not answer a proposal of this one.
    this.#sequence = options.random.int(0, 2 ** 31 - 1) * SEQUENCES_A_LIFE;
  }

  /** Resolves to what applying it gave, or to a failure after which it may still be applied. */
  propose(request: CommandRequest): Promise<Result<unknown>> {
    const { raft, self, maxRequestBytes, wake, bugs } = this.#options;
    if (this.#closed !== undefined) return refuse(this.#closed);
    const { commit, applied, leader } = raft.status();
    if (commit > applied + BEHIND_MAX || this.#waiters.size >= WAITING_MAX)
      return refuse(FAILURES.tooManyRequests);
    const command: Command = { origin: self, sequence: this.nextSequence(), request };
    const data = encodeCommand(command);
    if (data.length > maxRequestBytes) return refuse(FAILURES.tooLarge);
    if (leader === undefined) this.#held.set(command.sequence, data);
    else if (!raft.propose([data])) return refuse(FAILURES.proposalDropped);
    wake();
    if (bugs.has('retry-twice')) this.#open.set(command.sequence, request);
    return this.#waiters.wait(command.sequence);
  }

  /** For an entry that is proposed in another way; `wait` for it. */
  nextSequence(): number {
    this.#sequence += 1;
    return this.#sequence;
  }

  wait(sequence: number): Promise<Result<unknown>> {
    return this.#closed === undefined ? this.#waiters.wait(sequence) : refuse(this.#closed);
  }

  applied({ origin, sequence }: Origin, result: Result<unknown>): void {
    if (origin !== this.#options.self) return;
    this.#waiters.answer(sequence, result);
    this.#open.delete(sequence);
  }

  /** Hands over what waited for a leader, if there is one now. */
  release(): void {
    const { raft } = this.#options;
    if (this.#held.size === 0 || raft.status().leader === undefined) return;
    for (const [sequence, data] of this.#held) {
      this.#held.delete(sequence);
      if (!raft.propose([data])) this.#waiters.answer(sequence, failed(FAILURES.proposalDropped));
    }
  }

  /** Another leader, or the same again. */
  leaderFound(): void {
    const { raft, self } = this.#options;
    const handedOver = [...this.#open];
    for (const [sequence, request] of handedOver) {
      if (this.#held.has(sequence)) continue;
      this.#open.delete(sequence);
      if (!this.#waiters.has(sequence)) continue;
      // Breaks: what was handed over may be in the log, and must not come there twice.
      const again: Command = { origin: self, sequence: this.nextSequence(), request };
      this.#waiters.move(sequence, again.sequence);
      this.#open.set(again.sequence, request);
      raft.propose([encodeCommand(again)]);
    }
  }

  expire(): void {
    for (const sequence of this.#waiters.expire(failed(FAILURES.timedOut))) {
      this.#held.delete(sequence);
      this.#open.delete(sequence);
    }
  }

  close(failure: Failure): void {
    this.#closed = failure;
    this.#held.clear();
    this.#open.clear();
    this.#waiters.answerAll(failed(failure));
  }
}

function refuse(failure: Failure): Promise<Result<never>> {
  return Promise.resolve(failed(failure));
}
