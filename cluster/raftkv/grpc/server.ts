/** A node's clients: etcd's v3 API over gRPC. */
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { type Clock, sleep } from '../../../harness/core/clock.ts';
import { HarnessError } from '../../../harness/core/errors.ts';
import type { Log } from '../../../harness/core/log.ts';
import { type Bugs, NO_BUGS } from '../bugs.ts';
import type { NodeApi } from '../server/api.ts';
import type { TlsKeys } from '../tls-files.ts';
import { clusterService } from './cluster.ts';
import { createContext } from './context.ts';
import { loadServices } from './definition.ts';
import { electionService } from './election.ts';
import { kvService } from './kv.ts';
import { LeaderRequired } from './leader-required.ts';
import { leaseService } from './lease.ts';
import { lockService } from './lock.ts';
import { maintenanceService } from './maintenance.ts';
import { Streams } from './stream.ts';
import { WaitingCalls } from './waiting-calls.ts';
import { watchService } from './watch.ts';

/** etcd's: what a request may have beyond what is stored of it. */
const OVERHEAD_BYTES = 512 * 1024;
/** etcd's. */
const KEEPALIVE_MS = 2 * 60 * 60 * 1_000;
const KEEPALIVE_TIMEOUT_MS = 20_000;
const PROGRESS_NOTIFY_MS = 10 * 60 * 1_000;
/** How long requests may still end by themselves once the server stops. */
const STOP_MS = 200;

export interface ServeOptions {
  readonly listen: { readonly host: string; readonly port: number };
  readonly clock: Clock;
  readonly log: Log;
  readonly electionMs: number;
  readonly maxRequestBytes: number;
  /** Operations of one transaction. */
  readonly maxTxnOps: number;
  /** How often watches that ask for it are told how far they are; ten minutes by default. */
  readonly progressNotifyMs?: number;
  /** Planted; none by default. */
  readonly bugs?: Bugs;
  /** Absent: plaintext. */
  readonly tls?: TlsKeys;
}

export interface GrpcServer extends AsyncDisposable {
  readonly port: number;
  /** Streams that are open: watches and keep-alives. */
  readonly streams: number;
}

/**
 * Serves the node's clients until it is disposed of: then streams end with `server stopped`, and
 * what does not end soon is cut off. Throws `port-in-use` or `network-failed`.
 */
export async function serveGrpc(api: NodeApi, options: ServeOptions): Promise<GrpcServer> {
  const { listen, clock, log, electionMs, maxRequestBytes, maxTxnOps } = options;
  const { progressNotifyMs = PROGRESS_NOTIFY_MS, bugs = NO_BUGS } = options;
  const context = createContext(api, clock, log);
  const leaderRequired = new LeaderRequired({
    clock,
    electionMs,
    hasLeader: () => api.status().leader !== undefined,
  });
  const streams = new Streams(context, leaderRequired);
  const waiting = new WaitingCalls(context);
  const server = new Server({
    'grpc.max_receive_message_length': maxRequestBytes + OVERHEAD_BYTES,
    'grpc.max_send_message_length': -1,
    'grpc.keepalive_time_ms': KEEPALIVE_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
    'grpc.enable_channelz': 0,
  });
  const service = loadServices();
  const maxResponseBytes = maxRequestBytes + OVERHEAD_BYTES;
  server.addService(service('KV'), kvService(context, maxTxnOps));
  server.addService(
    service('Watch'),
    watchService(context, streams, { maxResponseBytes, progressNotifyMs }),
  );
  server.addService(service('Lease'), leaseService(context, streams));
  server.addService(service('Cluster'), clusterService(context));
  server.addService(service('Maintenance'), maintenanceService(context, streams));
  server.addService(service('Lock'), lockService(context, waiting, bugs));
  server.addService(service('Election'), electionService(context, waiting, streams, bugs));
  const port = await bind(server, listen, options.tls);
  return {
    port,
    get streams() {
      return streams.size;
    },
    [Symbol.asyncDispose]: async () => {
      leaderRequired[Symbol.dispose]();
      streams.stop();
      waiting.stop();
      const stop = new AbortController();
      const quiet = new Promise<void>((resolve) => {
        server.tryShutdown(() => resolve());
      });
      await Promise.race([quiet, sleep(clock, STOP_MS, stop.signal)]);
      stop.abort();
      server.forceShutdown();
    },
  };
}

function bind(
  server: Server,
  { host, port }: ServeOptions['listen'],
  tls: TlsKeys | undefined,
): Promise<number> {
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentialsOf(tls), (error, bound) => {
      if (error === null) {
        resolve(bound);
        return;
      }
      const isTaken = error.message.includes('EADDRINUSE');
      reject(
        new HarnessError(
          isTaken ? 'port-in-use' : 'network-failed',
          isTaken
            ? `clients' address ${address} is taken; end who listens there, or choose another port`
            : `cannot listen for clients at ${address}: ${error.message}`,
        ),
      );
    });
  });
}

/** With authorities, who connects must show a certificate of one of them: as etcd. */
function credentialsOf(tls: TlsKeys | undefined): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure();
  const { cert, key, ca } = tls;
  const pair = { cert_chain: Buffer.from(cert), private_key: Buffer.from(key) };
  const authorities = ca === undefined ? null : Buffer.from(ca);
  return ServerCredentials.createSsl(authorities, [pair], ca !== undefined);
}
