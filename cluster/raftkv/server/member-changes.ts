/** Changes of the membership: checked and proposed by the leader, one after the other. */
import { type Clock, sleep } from '../../../harness/core/clock.ts';
import { unreachable } from '../../../harness/core/invariant.ts';
import type { JsonValue } from '../../../harness/core/json.ts';
import type { Random } from '../../../harness/core/prng.ts';
import { msFromNanos } from '../../../harness/core/units.ts';
import type { Bugs } from '../bugs.ts';
import { FAILURES, type Failure, failed, ok, type Result } from '../failures.ts';
import type { ChangeRefusal, MemberId, Raft } from '../raft/types.ts';
import type { Member } from './api.ts';
import type { LeaderCalls } from './calls.ts';
import { type ConfigData, encodeConfigData, type Origin } from './command.ts';
import { memberIdOf } from './identity.ts';
import type { Members } from './members.ts';
import { quorumRefusal } from './quorum-checks.ts';

/** A learner may vote when it has so much of the leader's log: as etcd. */
const IN_SYNC = 0.9;
/** How long to wait before proposing again what raft could not take yet. */
const TRY_AGAIN_MS = 20;

export type ChangeRequest =
  | { readonly type: 'add'; readonly peerUrls: readonly string[]; readonly isLearner: boolean }
  | { readonly type: 'promote' | 'remove'; readonly member: MemberId };

export interface MemberChangesOptions {
  readonly self: MemberId;
  readonly token: string;
  readonly raft: Raft;
  readonly clock: Clock;
  readonly random: Random;
  readonly timeoutMs: number;
  readonly strict: boolean;
  readonly bugs: Bugs;
  readonly calls: LeaderCalls;
  readonly members: () => Members;
  readonly activeSinceMs: (member: MemberId) => number | undefined;
  readonly nextSequence: () => number;
  readonly wait: (sequence: number) => Promise<Result<unknown>>;
  readonly wake: () => void;
}

export class MemberChanges {
  readonly #options: MemberChangesOptions;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: MemberChangesOptions) {
    this.#options = options;
    options.calls.serve('member-change', (body) => {
      // From now on: whoever asked does not wait longer, and must not be surprised much later.
      const untilMs = msFromNanos(options.clock.now()) + options.timeoutMs;
      // Breaks: one change after the other (thesis §4.1); raft does not mind either.
      const before = options.bugs.has('two-changes') ? Promise.resolve() : this.#queue;
      const turn = before.then(() => this.#change(body as unknown as ChangeRequest, untilMs));
      this.#queue = turn;
      return turn as Promise<Result<JsonValue>>;
    });
  }

  /** Asked of the leader once: nobody knows what became of it when no answer comes. */
  async change(
    request: ChangeRequest,
  ): Promise<Result<{ readonly member: MemberId; readonly members: readonly Member[] }>> {
    const urls = request.type === 'add' ? request.peerUrls : undefined;
    if (urls !== undefined && !arePeerUrls(urls)) return failed(FAILURES.badUrls);
    const result = await this.#options.calls.ask('member-change', request, false);
    return result as unknown as Result<{ member: MemberId; members: readonly Member[] }>;
  }

  async #change(
    request: ChangeRequest,
    untilMs: number,
  ): Promise<Result<{ readonly member: MemberId; readonly members: readonly Member[] }>> {
    const { clock, calls } = this.#options;
    const data = this.#dataOf(request);
    for (;;) {
      if (calls.closed !== undefined) return failed(calls.closed);
      if (msFromNanos(clock.now()) >= untilMs) return failed(FAILURES.timedOut);
      const refusal = this.#refusal(data) ?? this.#proposed(data);
      if (refusal === undefined) break;
      if (refusal !== 'later') return failed(refusal);
      await sleep(clock, TRY_AGAIN_MS);
    }
    this.#options.wake();
    const result = await this.#options.wait(data.sequence);
    if (!result.ok) return result;
    return ok({ member: data.member, members: result.value as readonly Member[] });
  }

  #dataOf(request: ChangeRequest): ConfigData {
    const { self, token, random, nextSequence } = this.#options;
    const origin: Origin = { origin: self, sequence: nextSequence() };
    if (request.type !== 'add') return { ...origin, type: request.type, member: request.member };
    const { peerUrls, isLearner } = request;
    const member = memberIdOf(peerUrls, token, String(random.int(0, 2 ** 32 - 1)));
    return { ...origin, type: 'add', member, peerUrls, name: '', isLearner };
  }

  /** In etcd's order: what could cost the quorum, then what would be refused when it is applied. */
  #refusal(data: ConfigData): Failure | undefined {
    const { self, raft, clock, strict, members, activeSinceMs } = this.#options;
    const applied = members();
    const known = applied.get(data.member);
    if (data.type !== 'add' && known === undefined) return FAILURES.memberNotFound;
    if (data.type === 'promote' && !isInSync(raft, data.member)) return FAILURES.learnerNotReady;
    const nowMs = msFromNanos(clock.now());
    const view = { self, members: applied.list(), activeSinceMs, nowMs };
    return (strict ? quorumRefusal(data, view) : undefined) ?? applied.refusal(data);
  }

  /** Undefined: it is in the log. */
  #proposed(data: ConfigData): Failure | 'later' | undefined {
    const type = data.type === 'add' ? (data.isLearner ? 'add-learner' : 'add-voter') : data.type;
    const change = { type, member: data.member } as const;
    const answer = this.#options.raft.proposeChange(change, encodeConfigData(data));
    return answer === 'accepted' ? undefined : meaningOf(answer, data);
  }
}

function meaningOf(refusal: ChangeRefusal, { type }: ConfigData): Failure | 'later' {
  switch (refusal) {
    case 'not-leader':
      return FAILURES.notLeader;
    case 'change-pending':
    case 'no-commit-in-term':
    case 'transferring':
      return 'later';
    case 'no-voter-left':
      return FAILURES.notEnoughStarted;
    case 'no-effect':
      if (type === 'add') return FAILURES.memberExists;
      return type === 'promote' ? FAILURES.notLearner : FAILURES.memberNotFound;
    default:
      return unreachable(refusal);
  }
}

function isInSync(raft: Raft, member: MemberId): boolean {
  const { id, progress, lastIndex } = raft.status();
  if (member === id) return true;
  return (progress.get(member)?.match ?? 0) >= IN_SYNC * lastIndex;
}

/** `http://host:port`, at least one, each only once: as etcd's `types.NewURLs`. */
export function arePeerUrls(urls: readonly string[]): boolean {
  return urls.length > 0 && new Set(urls).size === urls.length && urls.every(isPeerUrl);
}

function isPeerUrl(text: string): boolean {
  if (!/^https?:\/\/[^/]+:\d+\/?$/.test(text)) return false;
  return URL.canParse(text);
}

/** What a transport dials: `host:port`. */
export function addressOf(peerUrl: string): string {
  const { hostname, port, protocol } = new URL(peerUrl);
  // A URL does not say a port that goes without saying.
  return `${hostname}:${port === '' ? (protocol === 'https:' ? 443 : 80) : port}`;
}
