import { expect, test } from 'vitest';
import { Random, seedFrom } from '../harness/core/prng.ts';
import { simulate } from '../harness/generator/simulate.ts';
import type { Op } from '../harness/history/op.ts';
import { register } from './register.ts';

const nodes = ['n1', 'n2', 'n3'];

function asked(own: Readonly<Record<string, string>>): readonly Op[] {
  const options = {
    clients: 6,
    nodes,
    rate: 0,
    clientTimeoutMs: 1000,
    readModes: register.readModes,
    capabilities: ['register'] as const,
    own,
  };
  const { main } = register.build(options, Random.stream(seedFrom(3), 'register'));
  const history = simulate(main, { clients: 6, nodes, lanes: [], entriesMax: 6000 });
  return history.filter(({ type }) => type === 'invoke');
}

test('some writes delete the key where that is wanted, and never a cas', () => {
  const ops = asked({ deletes: '30' });
  const writes = ops.filter(({ f }) => f === 'write');
  const share = writes.filter(({ value }) => value === null).length / writes.length;
  expect(share).toBeGreaterThan(0.2);
  expect(share).toBeLessThan(0.4);
  const cas = ops.filter(({ f }) => f === 'cas');
  expect(cas.every(({ value }) => Array.isArray(value) && value[1] !== null)).toBe(true);
});

test('nothing is deleted unless that is asked for, and nothing else changes then', () => {
  const ops = asked({});
  expect(ops.some(({ f, value }) => f === 'write' && value === null)).toBe(false);
  expect(asked({ deletes: '0' })).toEqual(ops);
  expect(() => asked({ deletes: '101' })).toThrow('deletes');
});
