/**
 * Puts back what a run that died had done to a cluster of somebody else: `restore-main.ts JSON`. Run
 * by the watchdog.
 */
import { Toxiproxy } from 'toxiproxy-node-client';
import { realClock } from '../../../harness/core/clock.ts';
import { messageOf } from '../../../harness/core/errors.ts';
import { unreachable } from '../../../harness/core/invariant.ts';
import { silentLog } from '../../../harness/core/log.ts';
import { healServed } from '../../network/served-links.ts';
import { connectLinkServer } from '../../network/toxiproxy.ts';
import { type Docker, openEngine } from '../docker/engine.ts';
import type { Restoration } from './restore.ts';

async function restore(what: Restoration): Promise<void> {
  switch (what.kind) {
    case 'container':
      return restoreContainer(what);
    case 'links':
      await Promise.all(what.sites.map(restoreLinks));
      return;
    default:
      return unreachable(what);
  }
}

async function restoreContainer({
  engine,
  id,
}: Extract<Restoration, { kind: 'container' }>): Promise<void> {
  const docker = await dockerAt(engine);
  const container = docker.getContainer(id);
  const { State: state } = await container.inspect();
  if (state.Paused) await container.unpause();
  else if (!state.Running) await container.start();
}

/** Without an address it is found as the harness found it. */
async function dockerAt(address: string): Promise<Docker> {
  const options = JSON.parse(address) as object | null;
  if (options === null) return (await openEngine(process.env)).docker;
  // Alone it is there in a third of the time that testcontainers takes.
  const { default: Dockerode } = await import('dockerode');
  return new Dockerode(options);
}

async function restoreLinks({
  url,
  proxies: names,
}: Extract<Restoration, { kind: 'links' }>['sites'][number]): Promise<void> {
  const clock = realClock();
  const server = await connectLinkServer({ url, clock, log: silentLog });
  const all = Object.entries(await new Toxiproxy(url).getAll());
  const proxies = new Map(all.filter(([name]) => names.includes(name)));
  await healServed(clock, { server, proxies, isAlone: false });
}

try {
  await restore(JSON.parse(process.argv[2] ?? '') as Restoration);
} catch (error) {
  // Where the watchdog listens.
  process.stdout.write(`restore: ${messageOf(error)}\n`);
  process.exitCode = 3;
}
