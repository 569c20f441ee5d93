/** The network of a cluster in containers, and the addresses in it. */
import { type Clock, sleep } from '../../../harness/core/clock.ts';
import { HarnessError, messageOf } from '../../../harness/core/errors.ts';
import { invariant } from '../../../harness/core/invariant.ts';
import type { NodeName } from '../../../harness/core/units.ts';
import { callEngine } from './engine.ts';
import { labelsOf, type Made } from './made.ts';

/** Somebody may take the very addresses in the moment that nobody has them. */
const TRIES_MAX = 10;
const TRY_AGAIN_MS = 50;
/** Three seconds for the containers of a network to be gone from it. */
const LEAVING_TRIES_MAX = 15;
const LEAVING_MS = 200;
/** After the network's own and the bridge's. */
const FIRST_HOST = 10;

export interface Network extends AsyncDisposable {
  readonly id: string;
  readonly name: string;
  readonly subnet: string;
}

export interface NodeNetwork extends Network {
  readonly addresses: ReadonlyMap<NodeName, string>;
}

/**
 * Makes a network with a fixed address for each node. The engine gives fixed addresses only where it
 * was told the subnet, and only it knows which subnets are free: so it is made twice.
 */
export async function openNodeNetwork(
  nodes: readonly NodeName[],
  made: Made,
): Promise<NodeNetwork> {
  for (let tries = 1; ; tries++) {
    try {
      const name = `schism-${made.run}`;
      const found = await createNetwork(name, made);
      await found[Symbol.asyncDispose]();
      const network = await createNetwork(name, made, found.subnet);
      return { ...network, addresses: addressesIn(network.subnet, nodes) };
    } catch (error) {
      const isTaken = /overlap/i.test(messageOf(error));
      if (!isTaken || tries === TRIES_MAX) throw error;
      await sleep(made.clock, TRY_AGAIN_MS);
    }
  }
}

/** Throws `engine-failed`. */
export async function createNetwork(name: string, made: Made, subnet?: string): Promise<Network> {
  const { engine, clock, log } = made;
  const network = await callEngine(clock, `create network ${name}`, (abortSignal) =>
    engine.docker.createNetwork({
      Name: name,
      Driver: 'bridge',
      // No way out of the machine. Ports of such a network cannot be published, though.
      Internal: engine.isLocal,
      Labels: labelsOf(made, 'network'),
      ...(subnet !== undefined && { IPAM: { Driver: 'default', Config: [{ Subnet: subnet }] } }),
      abortSignal,
    }),
  );
  const remove = (): Promise<void> =>
    removeEmpty({
      clock,
      remove: () => callEngine(clock, `remove network ${name}`, () => network.remove()),
      isEmpty: async () => {
        const { Containers = {} } = await callEngine(clock, `inspect network ${name}`, () =>
          network.inspect(),
        );
        return Object.keys(Containers).length === 0;
      },
      giveUp: (why) => {
        log.warn('the engine keeps an empty network until it is started again', { name, why });
      },
    });
  try {
    const { IPAM } = await callEngine(clock, `inspect network ${name}`, () => network.inspect());
    const found = IPAM?.Config?.find((each) => each.Subnet?.includes('.') === true)?.Subnet;
    if (found === undefined)
      throw new HarnessError('engine-failed', `network ${name} has no IPv4 addresses`);
    return { id: network.id, name, subnet: found, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

export interface Removal {
  readonly clock: Clock;
  readonly remove: () => Promise<unknown>;
  readonly isEmpty: () => Promise<boolean>;
  readonly giveUp: (why: string) => void;
}

/**
 * A busy engine takes a moment to notice that the last container has left a network; until then it
 * refuses to remove it. Old ones (seen: 20.10) may miscount for good, which is no fault of a run: it
 * is told, and the watchdog and `schism doctor --clean` try again.
 */
export async function removeEmpty({ clock, remove, isEmpty, giveUp }: Removal): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await remove();
      return;
    } catch (error) {
      if (!/active endpoints/i.test(messageOf(error))) throw error;
      if (tries < LEAVING_TRIES_MAX) await sleep(clock, LEAVING_MS);
      else if (await isEmpty()) return giveUp(messageOf(error));
      else throw error;
    }
  }
}

/** One after the other from the tenth on: `172.18.0.10` for the first node of `172.18.0.0/16`. */
export function addressesIn(
  subnet: string,
  nodes: readonly NodeName[],
): ReadonlyMap<NodeName, string> {
  const [base = '', bits = ''] = subnet.split('/');
  const bytes = base.split('.').map(Number);
  invariant(bytes.length === 4 && Number(bits) <= 27, `no room for nodes in ${subnet}`);
  const first = bytes.reduce((sum, byte) => sum * 256 + byte, 0) + FIRST_HOST;
  const text = (address: number): string =>
    [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
  return new Map(nodes.map((node, index) => [node, text(first + index)]));
}
