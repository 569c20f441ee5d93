/** Everything that can be done to machines that are containers, beyond their processes and links. */
import { join } from 'node:path';
import type { Cluster } from '../../../harness/protocols/system.ts';
import type { NodeContainers } from './containers.ts';
import { diskControl } from './disks.ts';
import type { Excuses } from './excuses.ts';
import type { Made } from './made.ts';
import { packetControl } from './packets.ts';
import { plugControl } from './plugs.ts';
import { resourceControl } from './resources.ts';

export interface ControlsOptions {
  readonly made: Made;
  readonly containers: NodeContainers;
  /** The same that the containers ask. */
  readonly excuses: Excuses;
  /** Folder of logs. */
  readonly dir: string;
}

/** What cannot be had here is absent. To be disposed of before the containers. */
export function machineControls({
  made,
  containers,
  excuses,
  dir,
}: ControlsOptions): Pick<Cluster, 'resources' | 'plugs' | 'packets' | 'disks'> & AsyncDisposable {
  const { topology, control: processes } = containers;
  const disks = diskControl({ made, topology, processes, excuses });
  const packets = packetControl(made, topology, (node) => join(dir, node, 'packets.log'));
  return {
    resources: resourceControl({ made, topology, processes, excuses }),
    packets,
    // Where ports are published, a container that comes back has others.
    ...(made.engine.isLocal && { plugs: plugControl(made, topology) }),
    ...(disks !== undefined && { disks }),
    [Symbol.asyncDispose]: () => packets[Symbol.asyncDispose](),
  };
}
