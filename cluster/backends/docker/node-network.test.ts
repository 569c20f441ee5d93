import { expect, test } from 'vitest';
import { addressesIn } from './node-network.ts';

test('nodes get addresses from the tenth of a subnet on, over the edges of bytes, too', () => {
  expect([...addressesIn('172.18.0.0/16', ['n1', 'n2'])]).toEqual([
    ['n1', '172.18.0.10'],
    ['n2', '172.18.0.11'],
  ]);
  expect([...addressesIn('10.1.2.248/24', ['a'])]).toEqual([['a', '10.1.3.2']]);
  expect([...addressesIn('192.168.224.0/20', ['a'])]).toEqual([['a', '192.168.224.10']]);
  expect(() => addressesIn('10.0.0.0/30', ['a'])).toThrow('no room for nodes in 10.0.0.0/30');
});
