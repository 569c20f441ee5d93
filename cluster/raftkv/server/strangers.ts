/**
 * Members that this one has never heard of. One that was away for long may find that a member leads
 * that was added meanwhile: its log will say so, but to get the log it has to answer. So it asks
 * those whom it does know.
 */
import type { Clock } from '../../../harness/core/clock.ts';
import { msFromNanos } from '../../../harness/core/units.ts';
import type { Result } from '../failures.ts';
import { ok } from '../failures.ts';
import type { MemberId } from '../raft/types.ts';
import type { AddressBook } from './address-book.ts';
import type { LeaderCalls } from './calls.ts';
import type { FoundCluster } from './config.ts';
import type { Members } from './members.ts';
import type { Transport } from './transport.ts';

const METHOD = 'members';
const ANSWER_MS = 2_000;

export interface StrangersOptions {
  readonly clock: Clock;
  readonly electionMs: number;
  readonly calls: LeaderCalls;
  readonly book: AddressBook;
  readonly members: () => Members;
  /** What this member tells others. */
  readonly found: () => FoundCluster;
  readonly transport: () => Promise<Transport>;
  readonly peersChanged: () => void;
}

export class Strangers {
  readonly #options: StrangersOptions;
  #askedMs = Number.NEGATIVE_INFINITY;

  constructor(options: StrangersOptions) {
    this.#options = options;
    options.calls.serve(METHOD, () => {
      const { cluster, members } = options.found();
      const known = members.map(({ id, peerUrls }) => ({ id, peerUrls: [...peerUrls] }));
      return Promise.resolve(ok({ cluster, members: known }));
    });
  }

  /** Somebody of this cluster says something. Asks at most once in an election timeout. */
  heard(from: MemberId): void {
    const { clock, electionMs, book, members } = this.#options;
    if (book.knows(from, members())) return;
    const nowMs = msFromNanos(clock.now());
    if (nowMs - this.#askedMs < electionMs) return;
    this.#askedMs = nowMs;
    for (const member of book.all(members()).keys()) void this.#ask(member);
  }

  async #ask(member: MemberId): Promise<void> {
    const { transport, book, peersChanged } = this.#options;
    const call = { method: METHOD, body: Buffer.from('null') };
    const reply = await (await transport()).call(member, call, ANSWER_MS);
    if (reply === undefined) return;
    const answer = JSON.parse(Buffer.from(reply).toString('utf8')) as Result<FoundCluster>;
    if (!answer.ok) return;
    book.found(answer.value);
    peersChanged();
  }
}
