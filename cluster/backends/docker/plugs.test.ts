import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../../harness/core/clock.ts';
import { silentLog } from '../../../harness/core/log.ts';
import type { Engine } from './engine.ts';
import type { Made } from './made.ts';
import { plugControl } from './plugs.ts';
import type { Topology } from './topology.ts';

/** Two nodes on an engine that has networks, and nothing else. */
function nodesOn(answer: 'at once' | 'never'): {
  readonly clock: VirtualClock;
  readonly plugged: Map<string, string>;
  readonly plugs: ReturnType<typeof plugControl>;
} {
  const clock = new VirtualClock();
  const plugged = new Map([
    ['links-n1', '10.0.0.10'],
    ['links-n2', '10.0.0.11'],
  ]);
  const addresses: Readonly<Record<string, string>> = { n1: '10.0.0.10', n2: '10.0.0.11' };
  const network = {
    disconnect: ({ Container }: { Container: string }) => {
      plugged.delete(Container);
      return answer === 'never' ? Promise.withResolvers<void>().promise : Promise.resolve();
    },
    connect: ({ Container, EndpointConfig }: Record<string, never>) => {
      const { IPAMConfig } = EndpointConfig as unknown as {
        readonly IPAMConfig: { readonly IPv4Address: string };
      };
      plugged.set(Container as unknown as string, IPAMConfig.IPv4Address);
      return Promise.resolve();
    },
  };
  const container = (id: string): object => ({
    inspect: () =>
      Promise.resolve({ NetworkSettings: { Networks: plugged.has(id) ? { net: {} } : {} } }),
  });
  const docker = { getNetwork: () => network, getContainer: container };
  const engine = { docker } as unknown as Engine;
  const made: Made = { engine, run: 'plugs', clock, log: silentLog };
  const topology = {
    network: 'net',
    nodes: ['n1', 'n2'],
    linksContainer: (node: string) => `links-${node}`,
    address: (node: string) => addresses[node],
  } as unknown as Topology;
  return { clock, plugged, plugs: plugControl(made, topology) };
}

describe('the plug of a node', () => {
  test('a node that was unplugged comes back under the address that it had', async () => {
    const { plugs, plugged } = nodesOn('at once');
    const plugIn = await plugs.pull('n2');
    expect(await plugs.installed()).toEqual(['n2 is unplugged']);
    await plugIn();
    await plugIn();
    expect(plugged.get('links-n2')).toBe('10.0.0.11');
    expect(await plugs.installed()).toEqual([]);
  });

  test('a pull that was done and never answered fails, and leaves nobody unplugged', async () => {
    const { clock, plugs } = nodesOn('never');
    await expect(clock.run(plugs.pull('n1'))).rejects.toThrow('disconnect n1: not done after');
    expect(await plugs.installed()).toEqual([]);
  });
});
