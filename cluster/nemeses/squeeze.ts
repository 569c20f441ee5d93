/** What squeezes of processors and memory share. */
import { invariant } from '../../harness/core/invariant.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type { ResourceControl, ResourceUsage } from '../../harness/protocols/machines.ts';
import type { NemesisContext } from '../../harness/protocols/nemesis.ts';
import type { Cluster } from '../../harness/protocols/system.ts';

export function canBeSqueezed({ resources }: Cluster): true | string {
  return resources !== undefined || 'only containers can be squeezed: --backend docker';
}

export function resourcesOf({ cluster }: NemesisContext): ResourceControl {
  const { resources } = cluster;
  invariant(resources !== undefined, 'a squeeze was decided without resources');
  return resources;
}

export async function usageOfAll(
  nodes: readonly NodeName[],
  resources: ResourceControl,
): Promise<ReadonlyMap<NodeName, ResourceUsage>> {
  return new Map(
    await Promise.all(nodes.map(async (node) => [node, await resources.usage(node)] as const)),
  );
}
