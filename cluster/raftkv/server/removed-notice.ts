/**
 * Tells removed members that it is over. Raft no longer talks to them, so without this they would
 * ask for votes for ever (thesis §4.2.3); PreVote keeps that harmless, but not quiet.
 */
import { type Clock, sleep } from '../../../harness/core/clock.ts';
import { ok } from '../failures.ts';
import type { MemberId } from '../raft/types.ts';
import type { AddressBook } from './address-book.ts';
import type { LeaderCalls } from './calls.ts';
import type { Members } from './members.ts';
import type { Transport } from './transport.ts';

const METHOD = 'removed';
const ANSWER_MS = 2_000;

export interface RemovedNoticeOptions {
  readonly clock: Clock;
  readonly calls: LeaderCalls;
  readonly book: AddressBook;
  readonly members: () => Members;
  readonly transport: () => Promise<Transport>;
  readonly peersChanged: () => void;
  /** This member was told so itself. */
  readonly removed: () => void;
}

export class RemovedNotice {
  readonly #options: RemovedNoticeOptions;

  constructor(options: RemovedNoticeOptions) {
    this.#options = options;
    options.calls.serve(METHOD, () => {
      options.removed();
      return Promise.resolve(ok(null));
    });
  }

  /** True when the sender was removed: nothing it says counts, and it is told. */
  concerns(from: MemberId): boolean {
    const { members, book } = this.#options;
    if (members().removed(from) === undefined) return false;
    if (book.outcast(from)) void this.#tell(from);
    return true;
  }

  /** Raft still has a last word for it, which it must be able to hear. */
  async linger(member: MemberId, ms: number): Promise<void> {
    const { clock, book, peersChanged } = this.#options;
    book.outcast(member);
    await sleep(clock, ms);
    book.forget(member);
    peersChanged();
  }

  async #tell(member: MemberId): Promise<void> {
    const { clock, book, transport, peersChanged } = this.#options;
    peersChanged();
    const body = Buffer.from('null');
    await (await transport()).call(member, { method: METHOD, body }, ANSWER_MS);
    // Not at once again: it takes a moment to end.
    await sleep(clock, ANSWER_MS);
    book.forget(member);
    peersChanged();
  }
}
