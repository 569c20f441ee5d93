/** The same hop where users meet it: a node in the network namespace of its links container. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { Toxiproxy } from 'toxiproxy-node-client';
import { type Docker, openEngine } from '../cluster/backends/docker/engine.ts';
import { IMAGE, LABEL, PORT } from '../cluster/backends/docker/labels.ts';
import type { Endpoint } from '../cluster/network/probe.ts';
import { connectLinkServer } from '../cluster/network/toxiproxy.ts';
import { type Clock, sleep } from '../harness/core/clock.ts';
import { messageOf } from '../harness/core/errors.ts';
import { silentLog } from '../harness/core/log.ts';

const START_MS_MAX = 20_000;
const NAME = `schism-bench-${process.pid}`;
const LABELS = { [LABEL.run]: NAME, [LABEL.role]: 'bench' };

export interface Ways {
  readonly direct: Endpoint;
  readonly proxied: Endpoint;
}

export interface DockerWays extends Ways, AsyncDisposable {}

/** Or, in words, why they cannot be had here. */
export async function openDockerWays(clock: Clock): Promise<DockerWays | string> {
  let docker: Docker;
  try {
    const engine = await openEngine(process.env);
    if (!engine.isLocal) return 'the engine is on another machine, whose network would be measured';
    docker = engine.docker;
    await docker.getImage(IMAGE.links).inspect();
  } catch (error) {
    return `${messageOf(error)} (images are built by \`schism images build\`)`;
  }
  await using opened = new AsyncDisposableStack();
  const network = await docker.createNetwork({
    Name: NAME,
    Internal: true,
    Labels: LABELS,
  });
  opened.defer(() => network.remove());
  const start = async (role: string, more: object): Promise<string> => {
    const container = await docker.createContainer({
      name: `${NAME}-${role}`,
      Image: IMAGE.links,
      Labels: LABELS,
      ...more,
    });
    opened.defer(() => container.remove({ force: true }));
    await container.start();
    const { NetworkSettings } = await container.inspect();
    return NetworkSettings.Networks[NAME]?.IPAddress ?? '';
  };
  const host = await start('links', { HostConfig: { NetworkMode: NAME } });
  await start('sink', {
    Entrypoint: ['node', '--input-type=module-typescript', '-e'],
    Cmd: [await readFile(new URL('proxy-sink.ts', import.meta.url), 'utf8')],
    Env: [`SINK_HOST=${host}`, `SINK_PORT=${PORT.client}`],
    HostConfig: { NetworkMode: `container:${NAME}-links` },
  });
  const url = `http://${host}:${PORT.linkServer}`;
  await patiently(clock, () => connectLinkServer({ url, clock, log: silentLog }));
  await patiently(clock, async () => {
    const socket = connect({ host, port: PORT.client });
    await once(socket, 'connect');
    socket.destroy();
  });
  const ways = {
    direct: { host, port: PORT.client },
    proxied: { host, port: PORT.clientLink },
  };
  await new Toxiproxy(url).createProxy({
    name: 'bench',
    listen: `${host}:${PORT.clientLink}`,
    upstream: `${host}:${PORT.client}`,
  });
  const owned = opened.move();
  return { ...ways, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function patiently<T>(clock: Clock, task: () => Promise<T>): Promise<T> {
  const end = clock.now() + START_MS_MAX * 1e6;
  for (;;) {
    try {
      return await task();
    } catch (error) {
      if (clock.now() > end) throw error;
      await sleep(clock, 50);
    }
  }
}
