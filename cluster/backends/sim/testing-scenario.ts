/** For tests only: a busy scenario with every kind of fault, as a digest of everything in it. */
import type { NodeName } from '../../../harness/core/units.ts';
import { oneWay } from '../../network/grudge.ts';
import { type Listeners, type ListenersOptions, withListeners } from './testing.ts';

const NODES: readonly NodeName[] = ['n1', 'n2', 'n3', 'n4', 'n5'];
const STEPS = 60;

/** Everybody talks to everybody, writes, and draws from its own stream when to do it next. */
function chatter(nodes: Listeners, node: NodeName): void {
  const { host } = nodes.at(node);
  const { clock, net, disk, random } = host;
  const talk = async (): Promise<void> => {
    const file = await disk.open('log');
    for (let turn = 0; ; turn++) {
      net.send(random.pick(NODES), `${node} ${turn}`);
      file.append([Buffer.from(`${turn}`)]);
      await file.sync().catch(() => undefined);
      await new Promise<void>((resolve) => clock.timer(5 * random.float(), resolve));
    }
  };
  void talk();
}

export interface Played {
  readonly digest: string;
  readonly events: number;
}

/** Half a second of it. `meddle` may do more, to see what that changes. */
export async function playScenario(
  seed: number,
  options: ListenersOptions = {},
  meddle: (nodes: Listeners) => void = () => undefined,
): Promise<Played> {
  let played: Played | undefined;
  const mixed: ListenersOptions = {
    nodes: NODES,
    latency: { kind: 'exponential', minMs: 0.2, meanMs: 1 },
    syncMs: { kind: 'exponential', minMs: 0.2, meanMs: 2 },
    bootMs: { kind: 'uniform', minMs: 1, maxMs: 3 },
    loss: 0.02,
    duplication: 0.02,
    ...options,
    seed,
  };
  await withListeners(mixed, async (nodes) => {
    const { network, processes } = nodes.world;
    for (const node of NODES) chatter(nodes, node);
    meddle(nodes);
    for (let step = 0; step < STEPS; step++) {
      const node = NODES[step % NODES.length] ?? '';
      const other = NODES[(step + 2) % NODES.length] ?? '';
      const undo = await fault(nodes, step % 8, node, other);
      await network.observe();
      await nodes.wait(3);
      await undo();
      if ((await processes.state(node)).state === 'gone') {
        await processes.start(node);
        await nodes.wait(4);
        chatter(nodes, node);
      }
      const said = await nodes.world.call(node, ({ heard }) => Promise.resolve(heard.length), 20);
      nodes.digest.trace(`client ${JSON.stringify(said)}`);
    }
    played = { digest: nodes.digest.digest(), events: nodes.digest.events };
  });
  return played ?? { digest: '', events: 0 };
}

type Undo = () => unknown;

async function fault(
  { world }: Listeners,
  kind: number,
  node: NodeName,
  other: NodeName,
): Promise<Undo> {
  const { network, processes } = world;
  const link = { from: node, to: other };
  const nothing: Undo = () => undefined;
  switch (kind) {
    case 0: {
      const grudge = oneWay([node], [other]);
      await network.drop(grudge);
      return () => network.undrop(grudge);
    }
    case 1:
      await processes.kill(node);
      return nothing;
    case 2:
      await processes.pause(node);
      return () => processes.resume(node);
    case 3:
      await world.powerFailure([node]);
      return nothing;
    case 4:
      return network.shape(link, { kind: 'hold' });
    case 5:
      return network.shape(link, { kind: 'latency', latencyMs: 5, jitterMs: 4 });
    case 6:
      return world.disk(node).slow({ kind: 'uniform', minMs: 1, maxMs: 5 });
    default:
      world.skew(node, { offsetMs: 100, rate: 1.1 });
      return network.shape(link, { kind: 'reset', afterMs: 1 });
  }
}
