/**
 * Looks whether all members hold the same, by the hashes of their stores: at a start, before anybody
 * is served, and by the leader from time to time (etcd's `corrupt.go`).
 */
import { type Clock, sleep } from '../../../harness/core/clock.ts';
import { HarnessError } from '../../../harness/core/errors.ts';
import type { JsonValue } from '../../../harness/core/json.ts';
import type { Log } from '../../../harness/core/log.ts';
import { msFromNanos } from '../../../harness/core/units.ts';
import { failed, type Result } from '../failures.ts';
import type { HashResult } from '../mvcc/types.ts';
import type { MemberId } from '../raft/types.ts';
import type { LeaderCalls } from './calls.ts';
import type { Transport } from './transport.ts';

const METHOD = 'hash-kv';
/** Connections of a start may still be on their way. */
const ASK_AGAIN_MS = 20;
const TRIES = 4;

export interface CorruptionOptions {
  readonly self: MemberId;
  readonly clock: Clock;
  readonly log: Log;
  /** Undefined: nothing is checked while it runs. */
  readonly everyMs: number | undefined;
  readonly timeoutMs: number;
  readonly calls: LeaderCalls;
  readonly transport: () => Promise<Transport>;
  /** All other members. */
  readonly others: () => readonly MemberId[];
  /** Of the own store, up to a revision; 0: the newest. */
  readonly hash: (revision: number) => Result<HashResult>;
  readonly leads: () => boolean;
  /** Resolves when this member has all that was committed. */
  readonly barrier: () => Promise<Result<null>>;
  readonly raise: (member: MemberId) => void;
}

/** A member and its hash of all up to one revision. */
export interface Seen extends HashResult {
  readonly member: MemberId;
}

export class CorruptionCheck {
  readonly #options: CorruptionOptions;
  #dueMs: number;
  #isBusy = false;

  constructor(options: CorruptionOptions) {
    this.#options = options;
    this.#dueMs = this.#nextMs();
    options.calls.serve(METHOD, async (body) => {
      const result = options.hash(body as number);
      return result.ok ? { ok: true, value: { ...result.value } } : failed(result.failure);
    });
  }

  tick(): void {
    const { everyMs, leads, clock } = this.#options;
    if (everyMs === undefined || this.#isBusy || msFromNanos(clock.now()) < this.#dueMs) return;
    this.#dueMs = this.#nextMs();
    if (leads()) void this.#check();
  }

  /**
   * Before this member takes part: throws `store-failed` when it differs from one that answers.
   * Who does not answer, or is not as far, says nothing.
   */
  async checkAtStart(): Promise<void> {
    const { self, hash, log } = this.#options;
    const own = hash(0);
    if (!own.ok) return;
    const others = await this.#ask(own.value.revision);
    const differs = others.find(
      ({ compactRevision, hash: theirs }) =>
        compactRevision === own.value.compactRevision && theirs !== own.value.hash,
    );
    log.info('compared the data with that of the others', { answers: others.length });
    if (differs === undefined) return;
    throw new HarnessError(
      'store-failed',
      `member ${self} holds other data than ${differs.member} at revision ${own.value.revision}; ` +
        'find out which is right: remove the other with `member remove`, empty its data folder ' +
        'and add it again',
    );
  }

  async #check(): Promise<void> {
    const { self, hash, barrier, raise, log, leads } = this.#options;
    this.#isBusy = true;
    const before = hash(0);
    const others = before.ok ? await this.#ask(before.value.revision) : [];
    const ready = await barrier();
    const after = hash(0);
    this.#isBusy = false;
    if (!before.ok || !after.ok || !ready.ok || !leads()) return;
    for (const member of differing({ ...before.value, member: self }, others, after.value)) {
      log.error('the members do not hold the same', { member });
      raise(member);
    }
  }

  async #ask(revision: number): Promise<Seen[]> {
    const { others } = this.#options;
    const asked = others().map((member) => this.#askOne(member, revision));
    return (await Promise.all(asked)).flatMap((seen) => seen ?? []);
  }

  async #askOne(member: MemberId, revision: number): Promise<Seen | undefined> {
    const { transport, clock, timeoutMs, calls } = this.#options;
    const call = { method: METHOD, body: Buffer.from(JSON.stringify(revision), 'utf8') };
    const untilMs = msFromNanos(clock.now()) + timeoutMs;
    for (;;) {
      const leftMs = untilMs - msFromNanos(clock.now());
      if (leftMs <= 0 || calls.closed !== undefined) return undefined;
      const waitMs = Math.min(leftMs, timeoutMs / TRIES);
      const reply = await (await transport()).call(member, call, waitMs);
      if (reply !== undefined) {
        const result = JSON.parse(Buffer.from(reply).toString('utf8')) as Result<JsonValue>;
        return result.ok ? { ...(result.value as unknown as HashResult), member } : undefined;
      }
      await sleep(clock, ASK_AGAIN_MS);
    }
  }

  #nextMs(): number {
    const { clock, everyMs } = this.#options;
    return msFromNanos(clock.now()) + (everyMs ?? 0);
  }
}

/**
 * Who is to be blamed. Only hashes after the same compaction can be compared. What most agree on is
 * right; where no most do, the leader is. And nobody can be further than a leader which has, since it
 * asked, heard of all that is committed: unless most are, and it has lost something.
 */
export function differing(
  leader: Seen,
  others: readonly Seen[],
  after: HashResult,
): readonly MemberId[] {
  const ahead = others.filter(
    ({ revision, compactRevision }) =>
      revision > after.revision || compactRevision > after.compactRevision,
  );
  const comparable = [
    leader,
    ...others.filter(({ compactRevision }) => compactRevision === leader.compactRevision),
  ];
  const votes = new Map<number, number>();
  for (const { hash } of comparable) votes.set(hash, (votes.get(hash) ?? 0) + 1);
  const most = [...votes].find(([, count]) => 2 * count > comparable.length)?.[0] ?? leader.hash;
  const wrong = comparable.filter(({ hash }) => hash !== most);
  const isLeaderBehind = 2 * ahead.length > others.length + 1;
  const blamed = [...(isLeaderBehind ? [leader] : ahead), ...wrong];
  return [...new Set(blamed.map(({ member }) => member))];
}
