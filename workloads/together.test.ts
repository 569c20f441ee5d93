import { describe, expect, test } from 'vitest';
import { Random, seedFrom } from '../harness/core/prng.ts';
import { simulate } from '../harness/generator/simulate.ts';
import type { Op } from '../harness/history/op.ts';
import type { AdminApi } from '../harness/protocols/admin.ts';
import type { Apis, RegisterApi } from '../harness/protocols/system.ts';
import type { WorkloadInstance, WorkloadOptions } from '../harness/protocols/workload.ts';
import { admin } from './admin.ts';
import { reads } from './reads.ts';
import { register } from './register.ts';
import { together } from './together.ts';

const nodes = ['n1', 'n2', 'n3'];
const both = together([register, reads]);

const optionsOf = (change: Partial<WorkloadOptions> = {}): WorkloadOptions => ({
  clients: 12,
  nodes,
  rate: 0,
  clientTimeoutMs: 1000,
  readModes: both.readModes,
  capabilities: ['register'],
  own: {},
  ...change,
});

const built = (change: Partial<WorkloadOptions> = {}): WorkloadInstance =>
  both.build(optionsOf(change), Random.stream(seedFrom(1), 'test'));

const asked = (change: Partial<WorkloadOptions> = {}): readonly Op[] =>
  simulate(built(change).main, { clients: 12, nodes, lanes: [], entriesMax: 4000 }).filter(
    ({ type }) => type === 'invoke',
  );

const partOf = ({ key = '' }: Op): string => key.slice(0, key.indexOf('/'));
const ofPart = (ops: readonly Op[], part: string): readonly Op[] =>
  ops.filter((op) => partOf(op) === part);

describe('what two workloads ask together', () => {
  test('one alone is itself', () => {
    expect(together([register])).toBe(register);
  });

  test('each has its own keys and its own clients, one at every node before any has two', () => {
    const ops = asked();
    expect(new Set(ops.map(partOf))).toEqual(new Set(['register', 'reads']));
    // No operation here ends `info`, so a process is its thread.
    const processes = (part: string): readonly Op['process'][] =>
      [...new Set(ofPart(ops, part).map(({ process }) => process))].toSorted(
        (a, b) => Number(a) - Number(b),
      );
    expect(processes('register')).toEqual([0, 1, 2, 3, 4, 5]);
    expect(processes('reads')).toEqual([6, 7, 8, 9, 10, 11]);
    for (const part of ['register', 'reads'])
      expect(new Set(ofPart(ops, part).map(({ node }) => node))).toEqual(new Set(nodes));
  });

  test('no value is written twice to one key, and none of one workload to a key of the other', () => {
    const written = asked()
      .filter(({ f }) => f !== 'read')
      .map(({ key, value }) => `${key} ${JSON.stringify(Array.isArray(value) ? value[1] : value)}`);
    expect(written.length).toBeGreaterThan(500);
    expect(new Set(written).size).toBe(written.length);
  });

  test('half of the clients of reads only read, in every mode, at every node', () => {
    const ops = ofPart(asked(), 'reads');
    const writers = new Set(ops.filter(({ f }) => f !== 'read').map(({ process }) => process));
    expect(writers).toEqual(new Set([6, 7, 8]));
    const modes = ops
      .filter(({ process }) => !writers.has(process))
      .map(({ mode, node }) => `${mode} at ${node}`);
    expect(new Set(modes).size).toBe(2 * nodes.length);
  });

  test('a cas expects what its own workload last saw of the key', () => {
    const expects = asked().flatMap(({ f, value }) =>
      f === 'cas' && Array.isArray(value) ? [value[0]] : [],
    );
    expect(expects.filter((value) => value !== null).length).toBeGreaterThan(100);
  });

  test('in the end every key of both is read through every node, as it is named', () => {
    const keys = ['register/k0', 'reads/k0', 'reads/k7'];
    const ops = simulate(built().final(keys), { clients: 12, nodes, lanes: [] });
    const read = ops.filter(({ type }) => type === 'ok').map(({ key, node }) => `${key} ${node}`);
    expect(read.toSorted()).toEqual(
      keys.flatMap((key) => nodes.map((node) => `${key} ${node}`)).toSorted(),
    );
  });

  test('an operation goes to the client of its workload, under its whole key', async () => {
    const calls: string[] = [];
    const note = (key: string, timeoutMs: number): Promise<{ type: 'ok'; value: null }> => {
      calls.push(`${key} ${timeoutMs}`);
      return Promise.resolve({ type: 'ok', value: null });
    };
    const api: RegisterApi = {
      read: (key, _mode, { timeoutMs }) => note(key, timeoutMs),
      write: (key, _value, { timeoutMs }) => note(key, timeoutMs),
      cas: (key, _from, _to, { timeoutMs }) => note(key, timeoutMs),
    };
    const apis: Apis = { register: api };
    const client = built().client(apis);
    const read = asked().find(({ f }) => f === 'read');
    expect.assert(read !== undefined);
    await client.invoke({ ...read, key: 'register/k1' });
    await client.invoke({ ...read, key: 'reads/k1' });
    expect(calls).toEqual(['register/k1 1000', 'reads/k1 200']);
    const { probe } = built();
    await client.invoke({ ...read, ...probe });
    expect(calls.at(-1)).toBe('register/k0 1000');
  });

  test('every checker of either judges, once, and what they share comes last', () => {
    const names = both.checkers(optionsOf()).map(({ name }) => name);
    expect(names).toEqual([
      'linearizable',
      'read-modes',
      'stats',
      'availability',
      'evidence',
      'invariants',
      'log-pattern',
    ]);
  });

  test('where the system says hashes, every node is asked once, and one checker compares', async () => {
    const capabilities = ['register', 'hash'] as const;
    const instance = built({ capabilities });
    const ops = simulate(instance.final(['register/k0', 'reads/k0']), {
      clients: 12,
      nodes,
      lanes: [],
      model: ({ f }) => ({
        type: 'ok',
        latencyNanos: 10,
        ...(f === 'hash' && { value: { hash: 1, revision: 4, compactRevision: -1 } }),
      }),
    }).filter(({ type }) => type === 'invoke');
    expect(ops.slice(-3).map(({ f, node }) => `${f} ${node}`)).toEqual([
      'hash n1',
      'hash n2',
      'hash n3',
    ]);
    expect(ops.filter(({ f }) => f === 'hash')).toHaveLength(3);
    const hash = { hash: 1, revision: 4, compactRevision: -1 };
    const client = instance.client({
      register: {} as RegisterApi,
      hash: { hash: () => Promise.resolve({ type: 'ok', value: hash }) },
    });
    expect(await client.invoke(ops.at(-1) as Op)).toEqual({ type: 'ok', value: hash });
    const names = both.checkers(optionsOf({ capabilities })).map(({ name }) => name);
    expect(names.filter((name) => name === 'hash')).toEqual(['hash']);
  });

  test('what one part alone asks of the whole store is for that part, wherever it stands', async () => {
    const capabilities = ['register', 'hash', 'admin'] as const;
    const parts = together([admin, reads]);
    const instance = parts.build(optionsOf({ capabilities }), Random.stream(seedFrom(5), 'both'));
    const client = instance.client({
      register: {} as RegisterApi,
      hash: { hash: () => Promise.reject(new Error('nobody asked')) },
      admin: {
        defragment: () => Promise.resolve({ type: 'ok', value: null }),
      } as unknown as AdminApi,
    });
    const op = { f: 'defragment', value: null } as Op;
    expect(await client.invoke(op)).toEqual({ type: 'ok', value: null });
  });

  test('an option goes to those that have it', () => {
    const ops = asked({ own: { keys: '1', 'read-timeout': '50' } });
    for (const part of ['register', 'reads'])
      expect(ofPart(ops.slice(0, 50), part)[0]?.key).toBe(`${part}/k0`);
    expect(() => built({ own: { 'read-timeout': 'x' } })).toThrow("read-timeout: 'x' is not");
  });

  test('with fewer clients than workloads there is nobody to ask', () => {
    expect(() => built({ clients: 1 })).toThrow('--clients: 2 workloads need at least one');
  });
});
