/**
 * Tells removed members that it is over. Raft no longer talks to them, so without this they would
 * ask for votes for ever (thesis §4.2.3); PreVote keeps that harmless, but not quiet.
 */
import { type Clock, sleep } from '../../../harness/core/clock.ts';
import { msFromNanos } from '../../../harness/core/units.ts';
import { ok } from '../failures.ts';
import type { MemberId } from '../raft/types.ts';
import type { AddressBook } from './address-book.ts';
import type { LeaderCalls } from './calls.ts';
import type { Members } from './members.ts';
import type { Transport } from './transport.ts';

const METHOD = 'removed';
/** Asked only to be noticed by whoever knows that this member was removed. */
const PRESENCE = 'presence';
/** A member that hears of no leader for so many elections may have been removed unawares. */
const SILENT_ELECTIONS = 4;
const ANSWER_MS = 2_000;

export interface RemovedNoticeOptions {
  readonly clock: Clock;
  readonly calls: LeaderCalls;
  readonly book: AddressBook;
  readonly members: () => Members;
  readonly transport: () => Promise<Transport>;
  readonly electionMs: number;
  /** It hears from no leader, and has no vote to ask for either: nobody would notice it. */
  readonly isSilent: () => boolean;
  readonly peersChanged: () => void;
  /** This member was told so itself. */
  readonly removed: () => void;
}

export class RemovedNotice {
  readonly #options: RemovedNoticeOptions;

  #silentSinceMs: number | undefined;

  constructor(options: RemovedNoticeOptions) {
    this.#options = options;
    options.calls.serve(PRESENCE, () => Promise.resolve(ok(null)));
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

  /**
   * A learner that missed its removal would wait for a leader for ever, and one that starts anew
   * under an id that is over, too: neither ever asks for votes.
   */
  tick(): void {
    const { clock, isSilent, electionMs, book, members, transport } = this.#options;
    const nowMs = msFromNanos(clock.now());
    if (!isSilent()) this.#silentSinceMs = undefined;
    else this.#silentSinceMs ??= nowMs;
    if (nowMs - (this.#silentSinceMs ?? nowMs) < SILENT_ELECTIONS * electionMs) return;
    this.#silentSinceMs = nowMs;
    for (const member of book.all(members()).keys())
      void transport().then((open) =>
        open.call(member, { method: PRESENCE, body: Buffer.from('null') }, ANSWER_MS),
      );
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
