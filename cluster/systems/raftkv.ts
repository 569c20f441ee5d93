import { HarnessError } from '../../harness/core/errors.ts';
import { unreachable } from '../../harness/core/invariant.ts';
import { LIMITS } from '../../harness/core/limits.ts';
import { NETWORK_ABILITIES, type NetworkAbility } from '../../harness/protocols/network.ts';
import type { Cluster, DeployRequest, System } from '../../harness/protocols/system.ts';
import { engineAnswers } from '../backends/docker/engine.ts';
import { checkMachineOptions, MACHINE_OPTIONS } from '../backends/docker/machine-options.ts';
import { BUG_NAMES } from '../raftkv/bugs.ts';
import { PEER_PROBE } from '../raftkv/server/peer-talk.ts';
import { attachMembers } from './member-attach.ts';
import { CLIENT_TLS_OPTIONS, checkTlsOptions, PEER_TLS_OPTIONS } from './member-tls.ts';
import { deployContainers } from './raftkv-docker.ts';
import { RAFTKV_OPTIONS, timingOf } from './raftkv-options.ts';
import { deployProcesses } from './raftkv-process.ts';
import { deploySimulated } from './raftkv-sim.ts';

const network: ReadonlySet<NetworkAbility> = new Set(NETWORK_ABILITIES);

/**
 * The store that comes with the harness: as processes of this Node.js that speak etcd's API, in
 * containers, or the same members in the simulator, on virtual time.
 */
export const raftkv: System = {
  name: 'raftkv',
  summary:
    "the store that comes with Schism: Raft and etcd's API, as processes, in containers, or simulated",
  capabilities: ['register', 'hash', 'admin'],
  backends: ['process', 'sim', 'docker', 'attach'],
  promises: { linearizable: 'linearizable', serializable: 'serializable' },
  defaultNodes: 5,
  options: { ...RAFTKV_OPTIONS, ...CLIENT_TLS_OPTIONS, ...PEER_TLS_OPTIONS, ...MACHINE_OPTIONS },
  bugs: BUG_NAMES,
  network,
  timing: timingOf,
  available: async (options, backend) => {
    checkMachineOptions('raftkv', options, backend);
    checkTlsOptions('raftkv', options, backend);
    return backend !== 'docker' || engineAnswers(process.env);
  },
  deploy,
};

async function deploy(request: DeployRequest): Promise<Cluster> {
  const { backend, nodes, options } = request;
  if (nodes.length < 1 || nodes.length > LIMITS.nodesMax)
    throw new HarnessError(
      'bad-option',
      `raftkv runs on 1 to ${LIMITS.nodesMax} nodes, not on ${nodes.length}`,
    );
  checkMachineOptions('raftkv', options, backend);
  checkTlsOptions('raftkv', options, backend);
  switch (backend) {
    case 'process':
      return deployProcesses(request);
    case 'sim':
      return deploySimulated(request);
    case 'docker':
      return deployContainers(request);
    case 'attach':
      return attachMembers(request, {
        system: 'raftkv',
        timing: timingOf(options),
        probe: PEER_PROBE,
      });
    case 'memory':
      throw new HarnessError('unsupported', 'raftkv has no in-process double; use sim');
    default:
      return unreachable(backend);
  }
}
