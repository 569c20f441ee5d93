/** What `etcd-api/rpc.proto` says, for a server. */
import { fileURLToPath } from 'node:url';
import type { ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { invariant } from '../../../harness/core/invariant.ts';

export type ServiceName = 'KV' | 'Watch' | 'Lease' | 'Cluster' | 'Maintenance';

/**
 * Reads the file. 64-bit numbers come as two words, enums as numbers, and what has its default
 * value is absent, since all that costs least for each request; see `wire.ts`.
 */
export function loadServices(): (name: ServiceName) => ServiceDefinition {
  const path = fileURLToPath(new URL('../../etcd-api/rpc.proto', import.meta.url));
  const definition = loadSync(path, {});
  return (name) => {
    const service = definition[`etcdserverpb.${name}`];
    invariant(service !== undefined && !('format' in service), `rpc.proto has no service ${name}`);
    return service;
  };
}
