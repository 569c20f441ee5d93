/** etcd's v3 API over gRPC, one connection of its own per client, each request sent once. */
import { checkServerIdentity } from 'node:tls';
import {
  type ChannelCredentials,
  type ChannelOptions,
  Client,
  connectivityState,
  credentials,
} from '@grpc/grpc-js';
import type { Clock } from '../../harness/core/clock.ts';
import { invariant } from '../../harness/core/invariant.ts';
import { type Nanos, nanosFromMs } from '../../harness/core/units.ts';
import {
  type CompactionRequest,
  type DeleteRangeRequest,
  type DeleteRangeResponse,
  type HashKVResponse,
  type HeaderResponse,
  type Int64,
  type MemberAddRequest,
  type MemberIdRequest,
  type MemberListResponse,
  type Method,
  methods,
  type PutRequest,
  type RangeRequest,
  type RangeResponse,
  type StatusResponse,
  type TxnRequest,
  type TxnResponse,
} from './rpc.ts';
import { readToEnd } from './stream.ts';

/** A reply, or whatever went wrong: for `classify`, never thrown. */
export type Reply<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: unknown };

/**
 * By default grpc-js sends a refused request again, shares connections between clients, waits up
 * to two minutes before it connects again, and obeys proxy variables and DNS records.
 */
export const CHANNEL_OPTIONS: Readonly<ChannelOptions> = {
  'grpc.enable_retries': 0,
  'grpc.enable_http_proxy': 0,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.service_config_disable_resolution': 1,
  'grpc.initial_reconnect_backoff_ms': 50,
  'grpc.min_reconnect_backoff_ms': 50,
  'grpc.max_reconnect_backoff_ms': 500,
};

/** In PEM. The server's certificate must be signed by `ca`, and be for the host that is dialled. */
export interface ClientTls {
  readonly ca: string;
  /** What this client shows, if it must show something. */
  readonly own?: { readonly cert: string; readonly key: string };
}

/**
 * grpc-js would say an address as a server's name, of which Node.js complains (RFC 6066); so it says
 * something else there, and the certificate is compared with the address all the same.
 */
const SPOKEN_NAME: Readonly<ChannelOptions> = { 'grpc.ssl_target_name_override': 'localhost' };

function credentialsOf(address: string, tls: ClientTls | undefined): ChannelCredentials {
  if (tls === undefined) return credentials.createInsecure();
  const { ca, own } = tls;
  const bytes = (text: string | undefined): Buffer | null =>
    text === undefined ? null : Buffer.from(text);
  const { hostname } = new URL(`https://${address}`);
  return credentials.createSsl(Buffer.from(ca), bytes(own?.key), bytes(own?.cert), {
    checkServerIdentity: (_spoken, certificate) =>
      checkServerIdentity(hostname.replace(/^\[|\]$/g, ''), certificate),
  });
}

/** How long a client goes on with a connection that is not there. */
const CONNECTING_MS_MAX = 2_000;

/** One client's connection to one member. It connects at the first call. */
export class EtcdClient implements Disposable {
  readonly #clock: Clock;
  readonly #connect: () => Client;
  #client: Client;
  #connected: Nanos;
  #isClosed = false;

  /**
   * `address` is `host:port`. `options` replace ours one by one: for tests. Without `tls` it speaks
   * plaintext.
   */
  constructor(address: string, clock: Clock, options: ChannelOptions = {}, tls?: ClientTls) {
    const merged = { ...CHANNEL_OPTIONS, ...(tls !== undefined && SPOKEN_NAME), ...options };
    this.#clock = clock;
    this.#connect = () => new Client(address, credentialsOf(address, tls), merged);
    this.#client = this.#connect();
    this.#connected = clock.now();
  }

  range(request: RangeRequest, timeoutMs: number): Promise<Reply<RangeResponse>> {
    return this.#call(methods().range, request, timeoutMs);
  }

  put(request: PutRequest, timeoutMs: number): Promise<Reply<HeaderResponse>> {
    return this.#call(methods().put, request, timeoutMs);
  }

  deleteRange(request: DeleteRangeRequest, timeoutMs: number): Promise<Reply<DeleteRangeResponse>> {
    return this.#call(methods().deleteRange, request, timeoutMs);
  }

  txn(request: TxnRequest, timeoutMs: number): Promise<Reply<TxnResponse>> {
    return this.#call(methods().txn, request, timeoutMs);
  }

  compact(request: CompactionRequest, timeoutMs: number): Promise<Reply<HeaderResponse>> {
    return this.#call(methods().compact, request, timeoutMs);
  }

  /** The member's own list; before 3.5 there is no other. */
  memberList(timeoutMs: number): Promise<Reply<MemberListResponse>> {
    return this.#call(methods().memberList, {}, timeoutMs);
  }

  memberAdd(request: MemberAddRequest, timeoutMs: number): Promise<Reply<MemberListResponse>> {
    return this.#call(methods().memberAdd, request, timeoutMs);
  }

  memberRemove(request: MemberIdRequest, timeoutMs: number): Promise<Reply<MemberListResponse>> {
    return this.#call(methods().memberRemove, request, timeoutMs);
  }

  memberPromote(request: MemberIdRequest, timeoutMs: number): Promise<Reply<MemberListResponse>> {
    return this.#call(methods().memberPromote, request, timeoutMs);
  }

  /** The member's own view: a deposed leader may still claim to lead. */
  status(timeoutMs: number): Promise<Reply<StatusResponse>> {
    return this.#call(methods().status, {}, timeoutMs);
  }

  /** Hash of all keys up to a revision (the newest by default), to compare members. */
  hashKV(timeoutMs: number, revision?: Int64): Promise<Reply<HashKVResponse>> {
    return this.#call(methods().hashKV, revision === undefined ? {} : { revision }, timeoutMs);
  }

  /** Must be sent to the leader. */
  moveLeader(targetID: Int64, timeoutMs: number): Promise<Reply<HeaderResponse>> {
    return this.#call(methods().moveLeader, { targetID }, timeoutMs);
  }

  /** Rewrites the member's file; it answers when that is done. */
  defragment(timeoutMs: number): Promise<Reply<HeaderResponse>> {
    return this.#call(methods().defragment, {}, timeoutMs);
  }

  /**
   * The member's whole state as a file, in pieces that are handed to `take` as they come. The reply is
   * ok only if all of them came; what `take` throws ends it.
   */
  async snapshot(timeoutMs: number, take: (piece: Buffer) => void): Promise<Reply<null>> {
    const { path, requestSerialize, responseDeserialize } = methods().snapshot;
    const deadline = this.#clock.wallMs() + timeoutMs;
    const client = this.#client;
    const reply = await readToEnd(
      () =>
        client.makeServerStreamRequest(
          path,
          requestSerialize,
          responseDeserialize,
          {},
          { deadline },
        ),
      ({ blob }) => take(blob),
    );
    if (!reply.ok) this.#leaveStuck(client);
    return reply;
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#client.close();
  }

  /**
   * grpc-js waits for ever for a server that took a connection and then said nothing: one that was
   * frozen, and was gone by the time that its network came back. So what never connects is thrown
   * away after a while, and the next call connects anew; nothing is sent again.
   */
  #leaveStuck(client: Client): void {
    if (this.#isClosed || client !== this.#client) return;
    const now = this.#clock.now();
    const isThere = client.getChannel().getConnectivityState(false) === connectivityState.READY;
    if (isThere || now - this.#connected < nanosFromMs(CONNECTING_MS_MAX)) return;
    client.close();
    this.#client = this.#connect();
    this.#connected = now;
  }

  #call<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    timeoutMs: number,
  ): Promise<Reply<Response>> {
    const { path, requestSerialize, responseDeserialize } = method;
    const deadline = this.#clock.wallMs() + timeoutMs;
    const client = this.#client;
    return new Promise((resolve) => {
      try {
        client.makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          request,
          { deadline },
          (error, value) => {
            if (error !== null) {
              this.#leaveStuck(client);
              resolve({ ok: false, error });
              return;
            }
            invariant(value !== undefined, `${path}: neither an error nor a value`);
            resolve({ ok: true, value });
          },
        );
      } catch (error) {
        // A call on a closed channel is thrown, not called back.
        resolve({ ok: false, error });
      }
    });
  }
}
