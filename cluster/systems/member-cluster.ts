/** A cluster of nodes that speak etcd's API behind links, as runs see it: etcd's and raftkv's. */
import type { JsonValue } from '../../harness/core/json.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type { Cluster, DeployRequest, Timing } from '../../harness/protocols/system.ts';
import type { RunningNodes } from '../backends/nodes.ts';
import type { ClientTls } from '../etcd-api/client.ts';
import { etcdConnection } from '../etcd-api/connection.ts';
import { adminOf, type Restorer } from './member-admin.ts';
import type { ExpectedEnds } from './member-ends.ts';
import { type LinkedMember, type MemberLinks, memberOf, peerUrlOf } from './member-links.ts';
import { maintenanceOf, membershipOf, type OperatedCluster } from './member-operator.ts';
import type { MemberViews } from './member-views.ts';

export interface MemberClusterParts<Spec> {
  readonly request: DeployRequest;
  readonly timing: Timing;
  readonly facts: Readonly<Record<string, JsonValue>>;
  readonly members: readonly LinkedMember[];
  readonly links: MemberLinks;
  readonly views: MemberViews;
  readonly processes: RunningNodes<Spec>;
  readonly ends: ExpectedEnds;
  /**
   * How a node starts that is added to these members, which it is one of. What it kept of its earlier
   * life is gone by then.
   */
  readonly joining: (node: NodeName, members: readonly LinkedMember[]) => Promise<Spec>;
  /** What clients speak; absent: plaintext. */
  readonly clientTls?: ClientTls;
  /** Where backups are restored; absent: nowhere. */
  readonly restorer?: Restorer;
  /** What only some machines have. */
  readonly machine?: Pick<Cluster, 'resources' | 'plugs' | 'packets' | 'disks'>;
  /** All of it: the nodes are the last that were added, so they end before their links. */
  readonly owned: AsyncDisposable;
}

export function memberCluster<Spec>(parts: MemberClusterParts<Spec>): Cluster {
  const { request, timing, facts, links, views, processes, restorer, machine = {}, owned } = parts;
  const { resources, plugs, packets, disks } = machine;
  const { clock, nodes } = request;
  const operated = operatedCluster(parts);
  return {
    nodes,
    timing,
    facts,
    network: links.network,
    processes: processes.control,
    ...(resources !== undefined && { resources }),
    ...(plugs !== undefined && { plugs }),
    ...(packets !== undefined && { packets }),
    ...(disks !== undefined && { disks }),
    membership: membershipOf(operated),
    maintenance: maintenanceOf(operated),
    open: (node) => {
      const { apis, ...connection } = etcdConnection(
        links.clientAddress(node),
        clock,
        {},
        parts.clientTls,
      );
      const admin = adminOf({ ...operated, ...(restorer !== undefined && { restorer }) }, node);
      return Promise.resolve({ apis: { ...apis, admin }, ...connection });
    },
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

function operatedCluster<Spec>(parts: MemberClusterParts<Spec>): OperatedCluster {
  const { request, members, views, processes, ends, joining } = parts;
  const { clock, nodes } = request;
  return {
    nodes,
    clock,
    ends,
    calls: (node) => views.operator(node),
    peerUrl: (node) => peerUrlOf(memberOf(node, members)),
    renew: (node, names) =>
      processes.renew(node, () =>
        joining(
          node,
          members.filter((each) => names.includes(each.node)),
        ),
      ),
    start: (node) => processes.control.start(node),
  };
}
