/** Questions that only the leader can answer, asked by way of its server. */
import { type Clock, sleep } from '../../../harness/core/clock.ts';
import type { JsonValue } from '../../../harness/core/json.ts';
import { msFromNanos } from '../../../harness/core/units.ts';
import { FAILURES, type Failure, failed, type Result } from '../failures.ts';
import type { MemberId } from '../raft/types.ts';
import type { PeerCall, Transport } from './transport.ts';

/** How long to wait before looking again who leads. */
const LOOK_AGAIN_MS = 20;

type Serve = (body: JsonValue, from: MemberId) => Promise<Result<JsonValue>>;

export interface LeaderCallsOptions {
  readonly self: MemberId;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly leader: () => MemberId | undefined;
  readonly transport: () => Promise<Transport>;
}

/** Methods by name, served here when this member leads, else by the member that does. */
export class LeaderCalls {
  readonly #options: LeaderCallsOptions;
  readonly #methods = new Map<string, Serve>();
  #closed: Failure | undefined;

  constructor(options: LeaderCallsOptions) {
    this.#options = options;
  }

  serve(method: string, serve: Serve): void {
    this.#methods.set(method, serve);
  }

  /** Why nothing is asked any more; undefined: it is. */
  get closed(): Failure | undefined {
    return this.#closed;
  }

  /** Whoever still waits hears so as soon as it would ask again. */
  close(failure: Failure): void {
    this.#closed = failure;
  }

  /** What a peer asks. An unknown method is a peer of another version: it gets no answer. */
  async answer(from: MemberId, { method, body }: PeerCall): Promise<Buffer> {
    const serve = this.#methods.get(method);
    if (serve === undefined) return encode(failed(FAILURES.timedOut));
    return encode(await serve(JSON.parse(Buffer.from(body).toString('utf8')) as JsonValue, from));
  }

  /**
   * Asks the leader. Without an answer the question may have been served: it is asked again, of
   * whoever leads by then, only when `canRepeat`.
   */
  async ask(method: string, body: JsonValue, canRepeat: boolean): Promise<Result<JsonValue>> {
    const { self, clock, timeoutMs, leader, transport } = this.#options;
    const untilMs = msFromNanos(clock.now()) + timeoutMs;
    for (;;) {
      if (this.#closed !== undefined) return failed(this.#closed);
      const leftMs = untilMs - msFromNanos(clock.now());
      const to = leader();
      if (leftMs <= 0)
        return failed(to === undefined && canRepeat ? FAILURES.noLeader : FAILURES.timedOut);
      if (to === self) {
        const served = (this.#methods.get(method) as Serve)(body, self);
        const result = await this.#within(leftMs, served);
        if (!isNotLeader(result)) return result;
      } else if (to !== undefined) {
        const call = { method, body: encode(body) };
        const waitMs = canRepeat ? Math.min(leftMs, timeoutMs / 4) : leftMs;
        const reply = await (await transport()).call(to, call, waitMs);
        if (reply !== undefined) {
          const result = JSON.parse(Buffer.from(reply).toString('utf8')) as Result<JsonValue>;
          if (!isNotLeader(result)) return result;
        } else if (!canRepeat) return failed(this.#closed ?? FAILURES.timedOut);
      }
      await sleep(clock, LOOK_AGAIN_MS);
    }
  }

  async #within(ms: number, served: Promise<Result<JsonValue>>): Promise<Result<JsonValue>> {
    const { promise, resolve } = Promise.withResolvers<Result<JsonValue>>();
    const timer = this.#options.clock.timer(ms, () => resolve(failed(FAILURES.timedOut)));
    const result = await Promise.race([served, promise]);
    timer.cancel();
    return result;
  }
}

/** It did nothing: whoever leads by then may be asked. */
function isNotLeader(result: Result<JsonValue>): boolean {
  return !result.ok && result.failure.message === FAILURES.notLeader.message;
}

function encode(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value), 'utf8');
}
