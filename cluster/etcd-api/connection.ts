/** What a workload gets to talk to one member over gRPC. */
import type { ChannelOptions } from '@grpc/grpc-js';
import type { Clock } from '../../harness/core/clock.ts';
import type { Connection } from '../../harness/protocols/system.ts';
import { type ClientTls, EtcdClient } from './client.ts';
import { etcdHash } from './hash.ts';
import { etcdRegister } from './register.ts';

/** Opens a client of its own; disposing of it closes the connection. */
export function etcdConnection(
  address: string,
  clock: Clock,
  options: ChannelOptions = {},
  tls?: ClientTls,
): Connection {
  const client = new EtcdClient(address, clock, options, tls);
  return {
    apis: { register: etcdRegister(client), hash: etcdHash(client) },
    [Symbol.asyncDispose]: () => {
      client[Symbol.dispose]();
      return Promise.resolve();
    },
  };
}
