/** A cluster of processes that speak etcd's API behind links, as runs see it: etcd's and raftkv's. */
import type { JsonValue } from '../../harness/core/json.ts';
import type { Cluster, DeployRequest, Timing } from '../../harness/protocols/system.ts';
import type { LocalProcesses } from '../backends/process.ts';
import { etcdConnection } from '../etcd-api/connection.ts';
import type { MemberLinks } from './member-links.ts';
import type { MemberViews } from './member-views.ts';

export interface MemberClusterParts {
  readonly request: DeployRequest;
  readonly timing: Timing;
  readonly facts: Readonly<Record<string, JsonValue>>;
  readonly links: MemberLinks;
  readonly views: MemberViews;
  readonly processes: LocalProcesses;
  /** All of it: the nodes are the last that were added, so they end before their links. */
  readonly owned: AsyncDisposable;
}

export function memberCluster(parts: MemberClusterParts): Cluster {
  const { request, timing, facts, links, views, processes, owned } = parts;
  const { clock, nodes } = request;
  return {
    nodes,
    timing,
    facts,
    network: links.network,
    processes: processes.control,
    open: (node) => Promise.resolve(etcdConnection(links.clientAddress(node), clock)),
    roles: () => views.roles(),
    ready: async (timeoutMs) => {
      await processes.ready(timeoutMs);
      await views.learnMembers();
    },
    crashed: () => processes.crashed(),
    logs: () => processes.logs(),
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}
