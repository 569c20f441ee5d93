/** The cluster of docker-compose.yml, for `schism run --config`; there, too, are the variables. */
import { type AttachNodeConfig, defineConfig, type SchismConfig } from 'schism';

const project = process.env['SCHISM_PROJECT'] ?? 'schism';
const ports = process.env['SCHISM_PORTS'] ?? '2';
const isInside = process.env['SCHISM_INSIDE'] !== undefined;

/** From the network of the containers, or from the machine, where the ports are published. */
function node(number: number): AttachNodeConfig {
  const at = (inside: number, published: string): string =>
    isInside ? `links${number}:${inside}` : `127.0.0.1:${ports}${number}${published}`;
  const peers = [1, 2, 3].filter((peer) => peer !== number);
  return {
    client: at(12379, '379'),
    direct: at(2379, '279'),
    container: `${project}-n${number}`,
    links: {
      toxiproxy: at(8474, '474'),
      peer: at(2390, '380'),
      probes: Object.fromEntries(
        peers.map((peer) => [`n${peer}`, at(12400 + peer, String(400 + peer))]),
      ),
    },
  };
}

const config: SchismConfig = defineConfig({
  backend: 'attach',
  system: process.env['SCHISM_SYSTEM'] ?? 'raftkv',
  faults: ['partition', 'kill', 'pause', 'latency'],
  attach: {
    nodes: { n1: node(1), n2: node(2), n3: node(3) },
    timing: { heartbeat: '100ms', election: '1s' },
  },
});
export default config;
