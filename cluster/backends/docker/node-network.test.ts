import { expect, test } from 'vitest';
import { VirtualClock } from '../../../harness/core/clock.ts';
import { addressesIn, removeEmpty } from './node-network.ts';

test('nodes get addresses from the tenth of a subnet on, over the edges of bytes, too', () => {
  expect([...addressesIn('172.18.0.0/16', ['n1', 'n2'])]).toEqual([
    ['n1', '172.18.0.10'],
    ['n2', '172.18.0.11'],
  ]);
  expect([...addressesIn('10.1.2.248/24', ['a'])]).toEqual([['a', '10.1.3.2']]);
  expect([...addressesIn('192.168.224.0/20', ['a'])]).toEqual([['a', '192.168.224.10']]);
  expect(() => addressesIn('10.0.0.0/30', ['a'])).toThrow('no room for nodes in 10.0.0.0/30');
});

test.each([
  ['leaves late', 3, true, 'removed'],
  ['is empty, whatever the engine counts', Number.POSITIVE_INFINITY, true, 'told'],
  ['still has somebody in it', Number.POSITIVE_INFINITY, false, 'has active endpoints'],
] as const)('a network that %s', async (_, refusals, empty, outcome) => {
  const clock = new VirtualClock();
  let tries = 0;
  let came = '';
  const removal = removeEmpty({
    clock,
    remove: () => {
      if (tries++ < refusals) return Promise.reject(new Error('n has active endpoints'));
      came = 'removed';
      return Promise.resolve();
    },
    isEmpty: () => Promise.resolve(empty),
    giveUp: () => {
      came = 'told';
    },
  });
  await clock.run(
    removal.catch((error: unknown) => {
      came = String(error);
    }),
  );
  expect(came).toContain(outcome);
});

test('what else goes wrong with a network is said at once', async () => {
  const clock = new VirtualClock();
  let tries = 0;
  const remove = (): Promise<never> => {
    tries++;
    return Promise.reject(new Error('no engine'));
  };
  const removal = removeEmpty({
    clock,
    remove,
    isEmpty: () => Promise.resolve(true),
    giveUp: () => undefined,
  });
  await expect(clock.run(removal)).rejects.toThrow('no engine');
  expect(tries).toBe(1);
});
