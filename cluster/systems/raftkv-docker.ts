/** raftkv's members in containers of the image that is built from this very code. */
import type { Cluster, DeployRequest } from '../../harness/protocols/system.ts';
import type { ResolvedImage } from '../backends/docker/images.ts';
import { IMAGE } from '../backends/docker/labels.ts';
import type { Made } from '../backends/docker/made.ts';
import { VERSION } from '../raftkv/server/node-api.ts';
import { PEER_PROBE } from '../raftkv/server/peer-talk.ts';
import { deployInContainers, type Prepared } from './member-docker.ts';
import { memberArgs, settingsOf } from './raftkv-options.ts';

export function deployContainers(request: DeployRequest): Promise<Cluster> {
  return deployInContainers(
    { name: 'raftkv', image: { built: IMAGE.raftkv }, probe: PEER_PROBE, prepare },
    request,
  );
}

function prepare(_: ResolvedImage, __: Made, request: DeployRequest): Promise<Prepared> {
  const settings = settingsOf(request.options);
  const { timing, flags } = settings;
  return Promise.resolve({
    version: VERSION,
    timing,
    flags,
    spec: (member) => {
      const seed = request.random.fork(`seed/${member.node}`).int(0, 0xffff_ffff);
      const args = memberArgs({ ...member, seed }, settings);
      // Nobody but the other members is in its network.
      return { args: [...args, '--allow-non-loopback'], env: {} };
    },
  });
}
