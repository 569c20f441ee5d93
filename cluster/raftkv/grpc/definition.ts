/** What the `.proto` files of `etcd-api/` say, for a server. */
import { fileURLToPath } from 'node:url';
import type { ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { invariant } from '../../../harness/core/invariant.ts';

export type ServiceName =
  | 'KV'
  | 'Watch'
  | 'Lease'
  | 'Cluster'
  | 'Maintenance'
  | 'Lock'
  | 'Election';

/** Of every service there is; each by itself, since what packs this program looks for such names. */
export const PROTO_FILES: readonly string[] = [
  new URL('../../etcd-api/rpc.proto', import.meta.url),
  new URL('../../etcd-api/lock.proto', import.meta.url),
  new URL('../../etcd-api/election.proto', import.meta.url),
].map((url) => fileURLToPath(url));

/** Most services share a package; the others have one each. */
export function fullNameOf(service: string): string {
  switch (service) {
    case 'Lock':
      return 'v3lockpb.Lock';
    case 'Election':
      return 'v3electionpb.Election';
    default:
      return `etcdserverpb.${service}`;
  }
}

/**
 * Reads the files. 64-bit numbers come as two words, enums as numbers, and what has its default
 * value is absent, since all that costs least for each request; see `wire.ts`.
 */
export function loadServices(): (name: ServiceName) => ServiceDefinition {
  const definition = loadSync([...PROTO_FILES], {});
  return (name) => {
    const service = definition[fullNameOf(name)];
    const isService = service !== undefined && !('format' in service);
    invariant(isService, `no .proto file has a service ${name}`);
    return service;
  };
}
