/**
 * The containers that own the nodes' network namespaces and carry their links. They live as long as
 * the cluster; the nodes come and go in them.
 */
import { join } from 'node:path';
import { sleep } from '../../../harness/core/clock.ts';
import { HarnessError, messageOf } from '../../../harness/core/errors.ts';
import { invariant } from '../../../harness/core/invariant.ts';
import type { Seed } from '../../../harness/core/prng.ts';
import { msFromNanos, type NodeName } from '../../../harness/core/units.ts';
import type { Endpoint } from '../../network/probe.ts';
import { connectLinkServer, type LinkServer } from '../../network/toxiproxy.ts';
import type { Life } from '../lives.ts';
import { logTail } from '../log-tail.ts';
import { type Container, createContainer } from './container.ts';
import { callEngine } from './engine.ts';
import { PORT } from './labels.ts';
import { labelsOf, type Made } from './made.ts';
import type { Network, NodeNetwork } from './node-network.ts';

const SERVER_MS_MAX = 20_000;
const ASK_AGAIN_MS = 20;

export interface LinksOptions {
  readonly network: NodeNetwork;
  /** The way to the link servers that stays when a node is cut off from its network. */
  readonly control: Network;
  readonly image: string;
  /** Of the server; its API must listen on all addresses. */
  readonly command: readonly string[];
  /** The address of this host that ports are published on, where they are. */
  readonly hostIp: string;
  /** Folder of logs. */
  readonly dir: string;
}

/** A node's network namespace with its link server; disposing of it removes both. */
export interface LinksContainer extends AsyncDisposable {
  readonly id: string;
  readonly server: LinkServer;
  /** What the harness dials to reach a port of the namespace. */
  reach(port: number): Endpoint;
}

/**
 * What a link server is started with, so that its API listens on every address of its namespace: in
 * that network there are the nodes and this machine, and nobody else. Only ours has a seed; without
 * its counters no cut through the original could be proven.
 */
export function linksCommand(isOurs: boolean, seed: Seed): readonly string[] {
  return isOurs
    ? ['--listen', `0.0.0.0:${PORT.linkServer}`, '--allow-remote', '--seed', String(seed)]
    : ['-host', '0.0.0.0', '-proxy-metrics'];
}

/** The address on loopback where a node finds its link to the peer with this index. */
export function loopbackOf(peerIndex: number): string {
  return `127.0.1.${peerIndex + 1}`;
}

/** Resolves when the server answers. Throws `engine-failed`, `process-failed`. */
export async function startLinks(
  node: NodeName,
  options: LinksOptions,
  made: Made,
): Promise<LinksContainer> {
  await using opened = new AsyncDisposableStack();
  const logPath = join(options.dir, node, 'links.log');
  const container = opened.use(await create(node, options, made, logPath));
  await callEngine(made.clock, `connect container ${container.name}`, () =>
    made.engine.docker.getNetwork(options.control.id).connect({ Container: container.id }),
  );
  const life = await container.start();
  const reach = await reachOf(node, container, options, made);
  const server = await awaitServer(life, reach(PORT.linkServer), made, { node, logPath });
  const owned = opened.move();
  return { id: container.id, server, reach, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function create(
  node: NodeName,
  { network, image, command, hostIp }: LinksOptions,
  made: Made,
  logPath: string,
): Promise<Container> {
  const { engine } = made;
  const nodes = [...network.addresses.keys()];
  const ports = engine.isLocal ? [] : portsOf(nodes.length).map((port) => `${port}/tcp`);
  return createContainer(
    made,
    {
      name: `${network.name}-${node}-links`,
      Image: image,
      Cmd: [...command],
      Labels: labelsOf(made, 'links', node),
      ExposedPorts: Object.fromEntries(ports.map((port) => [port, {}])),
      HostConfig: {
        NetworkMode: network.name,
        // Shared with the node: so it dials a peer by its name, and lands at its link.
        ExtraHosts: nodes.map(
          (peer, index) =>
            `${peer}:${peer === node ? addressOf(node, network) : loopbackOf(index)}`,
        ),
        PortBindings: Object.fromEntries(
          ports.map((port) => [port, [{ HostIp: hostIp, HostPort: '0' }]]),
        ),
        // A node that starts while it is unplugged has its address all the same, as machines do.
        Sysctls: { 'net.ipv4.ip_nonlocal_bind': '1' },
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges'],
      },
      NetworkingConfig: {
        EndpointsConfig: {
          [network.name]: { IPAMConfig: { IPv4Address: addressOf(node, network) } },
        },
      },
    },
    logPath,
  );
}

/** Everything that is dialled from outside. */
function portsOf(nodes: number): readonly number[] {
  const probes = Array.from({ length: nodes }, (_, index) => PORT.probe + index);
  return [PORT.linkServer, PORT.clientLink, PORT.client, PORT.peer, ...probes];
}

function addressOf(node: NodeName, { addresses }: NodeNetwork): string {
  const address = addresses.get(node);
  invariant(address !== undefined, `there is no node '${node}'`);
  return address;
}

async function reachOf(
  node: NodeName,
  { id, name }: Container,
  { network, control }: LinksOptions,
  { engine, clock }: Made,
): Promise<(port: number) => Endpoint> {
  const { NetworkSettings } = await callEngine(clock, `inspect container ${name}`, () =>
    engine.docker.getContainer(id).inspect(),
  );
  if (engine.isLocal) {
    const { IPAddress = '' } = NetworkSettings.Networks[control.name] ?? {};
    const hosts = { node: addressOf(node, network), server: IPAddress };
    return (port) => ({ host: port === PORT.linkServer ? hosts.server : hosts.node, port });
  }
  return (port) => {
    const [binding] = NetworkSettings.Ports[`${port}/tcp`] ?? [];
    invariant(binding !== undefined, `port ${port} of ${name} is not published`);
    return { host: engine.host, port: Number(binding.HostPort) };
  };
}

async function awaitServer(
  life: Life,
  { host, port }: Endpoint,
  { clock, log }: Made,
  { node, logPath }: { readonly node: NodeName; readonly logPath: string },
): Promise<LinkServer> {
  const deadlineMs = msFromNanos(clock.now()) + SERVER_MS_MAX;
  let ended: string | undefined;
  const watch = async (): Promise<void> => {
    ended = await life.ended;
  };
  void watch();
  for (;;) {
    let seen: string;
    try {
      return await connectLinkServer({ url: `http://${host}:${port}`, clock, log });
    } catch (error) {
      seen = messageOf(error);
    }
    const why = ended === undefined ? `does not answer: ${seen}` : `ended (${ended})`;
    if (ended !== undefined || msFromNanos(clock.now()) >= deadlineMs)
      throw new HarnessError(
        'process-failed',
        `the link server of ${node} ${why}; its log: ${logPath}`,
        { details: logTail(logPath) },
      );
    await sleep(clock, ASK_AGAIN_MS);
  }
}
