/** The plug of a node: the engine takes its network namespace off the network, and puts it back. */
import type { NodeName } from '../../../harness/core/units.ts';
import type { PlugControl } from '../../../harness/protocols/machines.ts';
import { callEngine } from './engine.ts';
import type { Made } from './made.ts';
import type { Topology } from './topology.ts';

/** Other networks of the container stay: its links are steered through one of them. */
export function plugControl({ engine, clock }: Made, topology: Topology): PlugControl {
  const network = engine.docker.getNetwork(topology.network);
  const isPlugged = async (node: NodeName): Promise<boolean> => {
    const handle = engine.docker.getContainer(topology.linksContainer(node));
    const { NetworkSettings } = await callEngine(clock, `inspect the links of ${node}`, () =>
      handle.inspect(),
    );
    return NetworkSettings.Networks[topology.network] !== undefined;
  };
  return {
    pull: async (node) => {
      const Container = topology.linksContainer(node);
      const plugIn = async (): Promise<void> => {
        if (await isPlugged(node)) return;
        await callEngine(clock, `connect ${node}`, () =>
          network.connect({
            Container,
            EndpointConfig: { IPAMConfig: { IPv4Address: topology.address(node) } },
          }),
        );
      };
      try {
        await callEngine(clock, `disconnect ${node}`, () =>
          network.disconnect({ Container, Force: false }),
        );
      } catch (error) {
        // An answer that came too late may have been a yes.
        await plugIn();
        throw error;
      }
      return plugIn;
    },
    isPlugged,
    installed: async () => {
      const { nodes } = topology;
      const plugged = await Promise.all(nodes.map(isPlugged));
      return nodes.filter((_, at) => plugged[at] === false).map((node) => `${node} is unplugged`);
    },
  };
}
