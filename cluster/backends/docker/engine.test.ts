import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../../harness/core/clock.ts';
import { type Docker, reachesContainers } from './engine.ts';

interface Told {
  readonly security?: readonly string[];
  readonly bridge?: object;
}

/** An engine that says just this of itself. */
function engineOf({ security, bridge }: Told): Docker {
  const inspect = (): Promise<object> =>
    bridge === undefined
      ? Promise.reject(Object.assign(new Error('no such network'), { statusCode: 404 }))
      : Promise.resolve({ IPAM: { Config: [bridge] } });
  return {
    info: () => Promise.resolve({ SecurityOptions: security ?? null }),
    getNetwork: () => ({ inspect }),
  } as unknown as Docker;
}

const reached = (told: Told): Promise<boolean> =>
  reachesContainers(engineOf(told), new VirtualClock());

// Loopback is of every machine; 192.0.2.0/24 is of none.
describe.runIf(process.platform === 'linux')('whether addresses of containers are reached', () => {
  test('they are where the gateway of the bridge is an address of ours', async () => {
    expect(await reached({ bridge: { Subnet: '127.0.0.0/8', Gateway: '127.0.0.1' } })).toBe(true);
  });

  test('they are not where it is of another machine, or of the one around our container', async () => {
    expect(await reached({ bridge: { Subnet: '192.0.2.0/24', Gateway: '192.0.2.1' } })).toBe(false);
  });

  test('an engine that does not say its gateway has the first address', async () => {
    expect(await reached({ bridge: { Subnet: '127.0.0.0/8' } })).toBe(true);
    expect(await reached({ bridge: { Subnet: '192.0.2.0/24' } })).toBe(false);
  });

  test('they are not with a rootless engine, whose networks are in a namespace of its own', async () => {
    const bridge = { Subnet: '127.0.0.0/8', Gateway: '127.0.0.1' };
    const security = ['name=seccomp,profile=default', 'name=rootless'];
    expect(await reached({ security, bridge })).toBe(false);
  });
});
