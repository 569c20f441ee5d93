/** The service Lease. */
import type { ServerDuplexStream, UntypedServiceImplementation } from '@grpc/grpc-js';
import { FAILURES, ok } from '../failures.ts';
import { type Context, unary } from './context.ts';
import { leaseIdOf, longOfLease, numberOf } from './int64.ts';
import type { Stream, StreamEvents, Streams } from './stream.ts';
import type {
  WireHeaderResponse,
  WireLeaseGrantRequest,
  WireLeaseGrantResponse,
  WireLeaseId,
  WireLeaseKeepAliveResponse,
  WireLeasesResponse,
  WireTimeToLiveRequest,
  WireTimeToLiveResponse,
} from './wire.ts';

export function leaseService(context: Context, streams: Streams): UntypedServiceImplementation {
  const { api, header } = context;
  return {
    LeaseGrant: unary<WireLeaseGrantRequest, WireLeaseGrantResponse>(context, async (wire) => {
      const result = await api.leaseGrant(leaseIdOf(wire.ID), numberOf(wire.TTL));
      if (!result.ok) return result;
      const { id, ttlSeconds } = result.value;
      return ok({ header: header(), ID: longOfLease(id), TTL: ttlSeconds });
    }),
    LeaseRevoke: unary<WireLeaseId, WireHeaderResponse>(context, async (wire) => {
      const result = await api.leaseRevoke(leaseIdOf(wire.ID));
      return result.ok ? ok({ header: header(result.value.revision) }) : result;
    }),
    LeaseKeepAlive: (call: ServerDuplexStream<WireLeaseId, WireLeaseKeepAliveResponse>) => {
      streams.open(call, (stream) => keepAlive(context, stream));
    },
    LeaseTimeToLive: unary<WireTimeToLiveRequest, WireTimeToLiveResponse>(context, async (wire) => {
      const id = leaseIdOf(wire.ID);
      const result = await api.leaseTimeToLive(id, wire.keys === true);
      const isGone = !result.ok && result.failure === FAILURES.leaseNotFound;
      if (!result.ok && !isGone) return result;
      const answer = { header: header(), ID: longOfLease(id) };
      if (!result.ok || result.value.ttlSeconds === -1) return ok({ ...answer, TTL: -1 });
      const { ttlSeconds, grantedTtlSeconds, keys } = result.value;
      return ok({ ...answer, TTL: ttlSeconds, grantedTTL: grantedTtlSeconds, keys });
    }),
    LeaseLeases: unary<object, WireLeasesResponse>(context, async () => {
      const result = await api.leases();
      if (!result.ok) return result;
      return ok({ header: header(), leases: result.value.map((id) => ({ ID: longOfLease(id) })) });
    }),
  };
}

/** Each request is answered before the next one is read; an error ends the stream. */
function keepAlive(
  { api, header }: Context,
  stream: Stream<WireLeaseKeepAliveResponse>,
): StreamEvents<WireLeaseId> {
  const renew = async ({ ID }: WireLeaseId): Promise<void> => {
    // Made before the renewal: a lease that is kept alive was there at the header's revision.
    const before = header();
    const result = await api.leaseKeepAlive(leaseIdOf(ID));
    const isGone = !result.ok && result.failure === FAILURES.leaseNotFound;
    if (!result.ok && !isGone) {
      stream.fail(result.failure);
      return;
    }
    const ttl = result.ok ? result.value.ttlSeconds : 0;
    const TTL = ttl === 0 ? undefined : ttl;
    if (stream.write({ header: before, ...(ID && { ID }), TTL }) === 'ready') stream.resume();
  };
  return {
    request: (request) => {
      stream.pause();
      renew(request).catch((error: unknown) => stream.broken(error));
    },
    drained: () => stream.resume(),
    halfClosed: () => stream.end(),
    closed: () => undefined,
  };
}
