import { expect, test } from 'vitest';
import { VirtualClock } from '../core/clock.ts';
import { HarnessError } from '../core/errors.ts';
import { Random, seedFrom } from '../core/prng.ts';
import { nanos } from '../core/units.ts';
import type { Cluster } from '../protocols/system.ts';
import { healAll } from './heal.ts';

const nothing = (): Promise<readonly string[]> => Promise.resolve([]);
const unused = (): never => {
  throw new Error('nobody asks for it here');
};
const plugs = { pull: unused, isPlugged: unused, installed: nothing };
const packets = { drop: unused, dropped: unused, installed: nothing };

async function problemsOf(machine: Partial<Cluster>): Promise<readonly string[]> {
  const clock = new VirtualClock();
  const cluster: Cluster = {
    nodes: ['n1'],
    timing: { heartbeatMs: 100, electionMs: 1000 },
    facts: {},
    open: unused,
    roles: unused,
    ready: () => Promise.resolve(),
    crashed: () => [],
    logs: () => [],
    [Symbol.asyncDispose]: () => Promise.resolve(),
    ...machine,
  };
  const healed = healAll({
    nemeses: [],
    openFaults: new Map(),
    context: {
      cluster,
      clock,
      random: Random.stream(seedFrom(1), 'heal'),
      board: { hit: new Map() },
    },
    record: (draft) => ({ ...draft, index: 0, time: nanos(0) }),
  });
  return (await clock.run(healed)).map(({ message }) => message);
}

test('machines that are well are no problem, nor those that have nothing to look at', async () => {
  expect(await problemsOf({})).toEqual([]);
  expect(await problemsOf({ plugs, packets })).toEqual([]);
});

test('what is still on a machine after heal is a problem', async () => {
  const installed = (): Promise<readonly string[]> => Promise.resolve(['n1 is unplugged']);
  expect(await problemsOf({ packets, plugs: { ...plugs, installed } })).toEqual([
    'still on the machines after heal: n1 is unplugged',
  ]);
});

test('machines that do not tell are a problem', async () => {
  const refused = new HarnessError('engine-failed', 'container engine: gone');
  const installed = (): Promise<never> => Promise.reject(refused);
  expect(await problemsOf({ plugs, packets: { ...packets, installed } })).toEqual([
    'the machines could not be looked at: container engine: gone',
  ]);
});

test('machines that never tell are a problem, after a while', async () => {
  const installed = (): Promise<never> => Promise.withResolvers<never>().promise;
  expect(await problemsOf({ plugs: { ...plugs, installed } })).toEqual([
    'the machines could not be looked at: look at the machines: not done after 30000 ms',
  ]);
});
