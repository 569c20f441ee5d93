import { HarnessError } from '../../harness/core/errors.ts';
import { unreachable } from '../../harness/core/invariant.ts';
import { LIMITS } from '../../harness/core/limits.ts';
import { NETWORK_ABILITIES, type NetworkAbility } from '../../harness/protocols/network.ts';
import type { Cluster, DeployRequest, System } from '../../harness/protocols/system.ts';
import { BUG_NAMES } from '../raftkv/bugs.ts';
import { RAFTKV_OPTIONS, timingOf } from './raftkv-options.ts';
import { deployProcesses } from './raftkv-process.ts';
import { deploySimulated } from './raftkv-sim.ts';

const network: ReadonlySet<NetworkAbility> = new Set(NETWORK_ABILITIES);

/**
 * The store that comes with the harness: as processes of this Node.js that speak etcd's API, or the
 * same members in the simulator, on virtual time.
 */
export const raftkv: System = {
  name: 'raftkv',
  summary: "the store that comes with Schism: Raft and etcd's API, as processes or simulated",
  capabilities: ['register', 'hash'],
  backends: ['process', 'sim'],
  promises: { linearizable: 'linearizable', serializable: 'serializable' },
  defaultNodes: 5,
  options: RAFTKV_OPTIONS,
  bugs: BUG_NAMES,
  network,
  timing: timingOf,
  available: () => Promise.resolve(true),
  deploy,
};

async function deploy(request: DeployRequest): Promise<Cluster> {
  const { backend, nodes } = request;
  if (nodes.length < 1 || nodes.length > LIMITS.nodesMax)
    throw new HarnessError(
      'bad-option',
      `raftkv runs on 1 to ${LIMITS.nodesMax} nodes, not on ${nodes.length}`,
    );
  switch (backend) {
    case 'process':
      return deployProcesses(request);
    case 'sim':
      return deploySimulated(request);
    case 'memory':
      throw new HarnessError('unsupported', 'raftkv has no in-process double; use sim');
    default:
      return unreachable(backend);
  }
}
