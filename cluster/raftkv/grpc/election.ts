/** The service Election. */
import type { ServerDuplexStream, UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Bugs } from '../bugs.ts';
import type { Bytes } from '../bytes.ts';
import {
  campaign,
  type Leader,
  type LeaderKey,
  leaderOf,
  leaders,
  proclaim,
  resign,
} from '../concurrency/election.ts';
import { FAILURES, failed, ok, type Result } from '../failures.ts';
import type { Context } from './context.ts';
import { wireKeyValue } from './convert.ts';
import { leaseIdOf, longOfLease, numberOf } from './int64.ts';
import type { Stream, StreamEvents, Streams } from './stream.ts';
import type { WaitingCalls } from './waiting-calls.ts';
import type {
  WireCampaignRequest,
  WireCampaignResponse,
  WireHeaderResponse,
  WireLeaderKey,
  WireLeaderRequest,
  WireLeaderResponse,
  WireProclaimRequest,
} from './wire.ts';

const NO_BYTES: Bytes = new Uint8Array(0);

/** grpc-js has another kind of call for it; to us it is a stream on which no requests come. */
type ObserveCall = ServerDuplexStream<object, WireLeaderResponse> & {
  readonly request?: WireLeaderRequest;
};

export function electionService(
  context: Context,
  calls: WaitingCalls,
  streams: Streams,
  bugs: Bugs,
): UntypedServiceImplementation {
  const { api, header } = context;
  return {
    Campaign: calls.unary<WireCampaignRequest, WireCampaignResponse>(async (wire, signal) => {
      const { name = NO_BYTES, value = NO_BYTES } = wire;
      const request = { name, lease: leaseIdOf(wire.lease), value };
      const result = await campaign(api, request, bugs, signal);
      if (!result.ok) return result;
      const { leader, revision } = result.value;
      const { key, createRevision: rev, lease } = leader;
      const proof = { name: wire.name, key, rev, lease: longOfLease(lease) };
      return ok({ header: header(revision), leader: proof });
    }),
    Proclaim: calls.unary<WireProclaimRequest, WireHeaderResponse>(async (wire) => {
      const leader = leaderKeyOf(wire.leader);
      if (!leader.ok) return leader;
      const result = await proclaim(api, leader.value, wire.value ?? NO_BYTES);
      return result.ok ? ok({ header: header(result.value.revision) }) : result;
    }),
    Leader: calls.unary<WireLeaderRequest, WireLeaderResponse>(async ({ name = NO_BYTES }) => {
      const result = await leaderOf(api, name);
      return result.ok ? ok(wireLeader(context, result.value)) : result;
    }),
    Observe: (call: ObserveCall) => {
      streams.open(call, (stream) => {
        const observing = new Observing(context, stream);
        void observing.tell(call.request?.name ?? NO_BYTES);
        return observing;
      });
    },
    Resign: calls.unary<WireProclaimRequest, WireHeaderResponse>(async (wire) => {
      const leader = leaderKeyOf(wire.leader);
      if (!leader.ok) return leader;
      const result = await resign(api, leader.value);
      return result.ok ? ok({ header: header(result.value.revision) }) : result;
    }),
  };
}

function leaderKeyOf(wire: WireLeaderKey | undefined): Result<LeaderKey> {
  if (wire === undefined) return failed(FAILURES.electionNoLeaderKey);
  const { key = NO_BYTES, rev, lease } = wire;
  if (key.length === 0) return failed(FAILURES.emptyKey);
  return ok({ key, createRevision: numberOf(rev), lease: leaseIdOf(lease) });
}

function wireLeader({ header }: Context, { kv, revision }: Leader): WireLeaderResponse {
  return { header: header(revision), kv: wireKeyValue(kv) };
}

/** Reads on only when the client has taken what was read: so a slow one costs no memory. */
class Observing implements StreamEvents<object> {
  readonly #context: Context;
  readonly #stream: Stream<WireLeaderResponse>;
  readonly #over = new AbortController();
  #room: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(context: Context, stream: Stream<WireLeaderResponse>) {
    this.#context = context;
    this.#stream = stream;
  }

  async tell(name: Bytes): Promise<void> {
    try {
      for await (const found of leaders(this.#context.api, name, this.#over.signal)) {
        if (!found.ok) break;
        this.#room = Promise.withResolvers();
        const isFull = this.#stream.write(wireLeader(this.#context, found.value)) === 'full';
        if (isFull && !this.#over.signal.aborted) await this.#room.promise;
      }
      this.#stream.fail(FAILURES.observeClosed);
    } catch (error) {
      this.#stream.broken(error);
    }
  }

  request(): void {}

  halfClosed(): void {}

  drained(): void {
    this.#room.resolve();
  }

  closed(): void {
    this.#over.abort();
    this.#room.resolve();
  }
}
