import { HarnessError } from '../../harness/core/errors.ts';
import { LIMITS } from '../../harness/core/limits.ts';
import { NETWORK_ABILITIES, type NetworkAbility } from '../../harness/protocols/network.ts';
import type { Cluster, DeployRequest, System } from '../../harness/protocols/system.ts';
import { engineAnswers } from '../backends/docker/engine.ts';
import { checkMachineOptions, MACHINE_OPTIONS } from '../backends/docker/machine-options.ts';
import { deployContainers } from './etcd-docker.ts';
import { binaryOf, ETCD_OPTIONS, ETCD_PROBE, timingOf } from './etcd-options.ts';
import { deployProcesses, findVersion } from './etcd-process.ts';
import { attachMembers } from './member-attach.ts';
import { CLIENT_TLS_OPTIONS, checkTlsOptions } from './member-tls.ts';

const network: ReadonlySet<NetworkAbility> = new Set(NETWORK_ABILITIES);

/** The real etcd, unmodified, as it is found on PATH or in an image. */
export const etcd: System = {
  name: 'etcd',
  summary: 'the real etcd, 3.4 or newer, from PATH or in containers',
  capabilities: ['register', 'hash', 'admin'],
  backends: ['process', 'docker', 'attach'],
  promises: { linearizable: 'linearizable', serializable: 'serializable' },
  defaultNodes: 5,
  options: { ...ETCD_OPTIONS, ...CLIENT_TLS_OPTIONS, ...MACHINE_OPTIONS },
  network,
  timing: timingOf,
  available: async (options, backend) => {
    checkMachineOptions('etcd', options, backend);
    checkTlsOptions('etcd', options, backend);
    if (backend === 'docker') return engineAnswers(process.env);
    if (backend === 'attach') return true;
    const found = await findVersion(binaryOf(options));
    return typeof found === 'string' ? found : true;
  },
  version: async (options, backend) => {
    if (backend !== 'process') return undefined;
    const found = await findVersion(binaryOf(options));
    return typeof found === 'string' ? undefined : found.text;
  },
  deploy,
};

async function deploy(request: DeployRequest): Promise<Cluster> {
  const { nodes, backend, options } = request;
  if (nodes.length < 1 || nodes.length > LIMITS.nodesMax)
    throw new HarnessError(
      'bad-option',
      `etcd runs on 1 to ${LIMITS.nodesMax} nodes, not on ${nodes.length}`,
    );
  checkMachineOptions('etcd', options, backend);
  checkTlsOptions('etcd', options, backend);
  if (backend === 'attach')
    return attachMembers(request, { system: 'etcd', timing: timingOf(options), probe: ETCD_PROBE });
  return backend === 'docker' ? deployContainers(request) : deployProcesses(request);
}
