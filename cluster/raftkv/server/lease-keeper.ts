/**
 * Leases in time. The leader alone counts: it gives every lease its whole time anew when it takes
 * over, and says that a lease lives on only when it is certain to lead, so none ends early.
 */
import type { Clock } from '../../../harness/core/clock.ts';
import type { JsonValue } from '../../../harness/core/json.ts';
import type { Random } from '../../../harness/core/prng.ts';
import { msFromNanos } from '../../../harness/core/units.ts';
import type { Bugs } from '../bugs.ts';
import { FAILURES, failed, ok, type Result } from '../failures.ts';
import { LeaseClock } from '../mvcc/lease-clock.ts';
import { type LeaseId, NO_LEASE, type Store } from '../mvcc/types.ts';
import type { LeaseInfo } from './api.ts';
import type { LeaderCalls } from './calls.ts';
import type { CommandRequest } from './command.ts';

/** A burst of leases that end together must not fill the log. */
const REVOKED_A_TICK = 50;

export interface LeaseKeeperOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly electionMs: number;
  readonly bugs: Bugs;
  readonly calls: LeaderCalls;
  readonly store: () => Store;
  /** Undefined: another leads, or nobody. */
  readonly leadsInTerm: () => number | undefined;
  /** Resolves when this member was certainly the leader after the call. */
  readonly confirmLeadership: () => Promise<Result<null>>;
  readonly propose: (command: CommandRequest) => Promise<Result<unknown>>;
}

export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  #clock = new LeaseClock();
  /** In which leadership the clock counts; undefined: in none. */
  #term: number | undefined;

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
    const { calls } = options;
    calls.serve('lease-renew', (body) => this.#renew(body as LeaseId));
    calls.serve('lease-info', (body) => this.#info(body as LeaseId));
    this.reload();
  }

  /** Another state machine is in place. */
  reload(): void {
    this.#clock = new LeaseClock();
    const { leases } = this.#options.store();
    for (const id of leases.list())
      this.#clock.granted(id, leases.get(id)?.ttlSeconds ?? 0, this.#nowMs());
    // The next tick gives them their whole time anew, if this member leads.
    this.#term = undefined;
  }

  applied(command: CommandRequest): void {
    if (command.type === 'lease-grant')
      this.#clock.granted(command.id, command.ttlSeconds, this.#nowMs());
    if (command.type === 'lease-revoke') this.#clock.revoked(command.id);
  }

  tick(): void {
    const { leadsInTerm, electionMs, propose, bugs } = this.#options;
    const term = leadsInTerm();
    // Breaks: only the leader is told of renewals, so only the leader may say that a lease is over.
    const isDeposed = term === undefined && this.#clock.isPrimary && bugs.has('lease-early');
    if (term !== this.#term && !isDeposed) {
      this.#term = term;
      // Also when it led before: in between, somebody else may have renewed them.
      if (term === undefined) this.#clock.demote();
      else this.#clock.promote(this.#nowMs(), electionMs);
    }
    if (term === undefined && !isDeposed) return;
    // A refusal does no harm: what has ended is found again.
    for (const id of this.#clock.expired(this.#nowMs(), REVOKED_A_TICK))
      void propose({ type: 'lease-revoke', id });
  }

  async grant(
    id: LeaseId,
    ttlSeconds: number,
  ): Promise<Result<{ readonly id: LeaseId; readonly ttlSeconds: number }>> {
    // A lease must outlive an election, or each new leader would find it ended.
    const minimum = Math.ceil((1.5 * this.#options.electionMs) / 1000);
    const granted = {
      id: id === NO_LEASE ? this.#freshId() : id,
      ttlSeconds: Math.max(ttlSeconds, minimum),
    };
    const result = await this.#options.propose({ type: 'lease-grant', ...granted });
    return result.ok ? ok(granted) : result;
  }

  async keepAlive(id: LeaseId): Promise<Result<{ readonly ttlSeconds: number }>> {
    const result = await this.#options.calls.ask('lease-renew', id, true);
    return result.ok ? ok({ ttlSeconds: result.value as number }) : result;
  }

  async timeToLive(id: LeaseId, withKeys: boolean): Promise<Result<LeaseInfo>> {
    const result = await this.#options.calls.ask('lease-info', id, true);
    if (!result.ok) return result;
    const info = result.value as { ttlSeconds: number; grantedTtlSeconds: number; keys: string[] };
    const keys = withKeys ? info.keys.map((key) => Buffer.from(key, 'base64')) : [];
    return ok({ ...info, id, keys });
  }

  /** Renewed first, then confirmed: whoever leads after us promotes later than this. */
  async #renew(id: LeaseId): Promise<Result<JsonValue>> {
    if (!this.#isCounting()) return failed(FAILURES.notLeader);
    let ttlSeconds = this.#clock.renew(id, this.#nowMs());
    if (ttlSeconds === undefined) {
      // With a slow disk a leader may be the last to apply what the others have granted and answered.
      const caughtUp = await this.#confirm();
      if (!caughtUp.ok) return caughtUp;
      ttlSeconds = this.#clock.renew(id, this.#nowMs());
      if (ttlSeconds === undefined) return ok(0);
    }
    const confirmed = await this.#confirm();
    if (!confirmed.ok) return confirmed;
    // What an earlier leader decided may only now be applied.
    return ok(this.#options.store().leases.get(id) === undefined ? 0 : ttlSeconds);
  }

  async #info(id: LeaseId): Promise<Result<JsonValue>> {
    if (!this.#isCounting()) return failed(FAILURES.notLeader);
    const confirmed = await this.#confirm();
    if (!confirmed.ok) return confirmed;
    const lease = this.#options.store().leases.get(id);
    const leftMs = this.#clock.remainingMs(id, this.#nowMs()) ?? 0;
    if (lease === undefined || leftMs <= 0)
      return ok({ ttlSeconds: -1, grantedTtlSeconds: 0, keys: [] });
    return ok({
      ttlSeconds: Math.floor(leftMs / 1000),
      grantedTtlSeconds: lease.ttlSeconds,
      keys: lease.keys.map((key) => Buffer.from(key).toString('base64')),
    });
  }

  /** Whether the clock is that of the leadership of now. */
  #isCounting(): boolean {
    return this.#term !== undefined && this.#term === this.#options.leadsInTerm();
  }

  async #confirm(): Promise<Result<null>> {
    const term = this.#term;
    const confirmed = await this.#options.confirmLeadership();
    if (!confirmed.ok) return confirmed;
    // The barrier may have been granted by somebody who leads by now.
    const isSame = this.#isCounting() && this.#term === term;
    return isSame ? confirmed : failed(FAILURES.notLeader);
  }

  #freshId(): LeaseId {
    const { random } = this.#options;
    const [high, low] = [random.int(1, 2 ** 31 - 1), random.int(0, 2 ** 32 - 1)];
    return ((BigInt(high) << 32n) | BigInt(low)).toString();
  }

  #nowMs(): number {
    return msFromNanos(this.#options.clock.now());
  }
}
