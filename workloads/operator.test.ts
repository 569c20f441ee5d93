import { describe, expect, test } from 'vitest';
import { Random, seedFrom } from '../harness/core/prng.ts';
import { simulate } from '../harness/generator/simulate.ts';
import type { Op } from '../harness/history/op.ts';
import type { AdminApi } from '../harness/protocols/admin.ts';
import type { RegisterApi } from '../harness/protocols/system.ts';
import { admin } from './admin.ts';
import { ACTS, withOperator } from './operator.ts';

const nodes = ['n1', 'n2', 'n3'];

function built(own: Readonly<Record<string, string>> = {}, clients = 6) {
  const options = {
    clients,
    nodes,
    rate: 200,
    clientTimeoutMs: 1_000,
    readModes: admin.readModes,
    capabilities: ['register', 'hash', 'admin'] as const,
    own,
  };
  return admin.build(options, Random.stream(seedFrom(3), 'admin'));
}

/** What an operator's act takes in milliseconds; all else takes one. */
const slow = ({ f }: Pick<Op, 'f'>): number => (isAct(f) ? 300 : 1);
const isAct = (f: string): boolean => ACTS.some((act) => act === f);

function played(own: Readonly<Record<string, string>> = {}, clients = 6): readonly Op[] {
  return simulate(built(own, clients).main, {
    clients,
    nodes,
    model: (op) => ({ type: 'ok', latencyNanos: slow(op) * 1e6 }),
    lanes: [],
    entriesMax: 12_000,
  });
}

describe('the operator', () => {
  const OTHERS = ACTS.filter((act) => act !== 'backup');

  test('does everything once before it does anything again, one act at a time', () => {
    const acts = played().filter(({ f }) => OTHERS.some((act) => act === f));
    const begun = acts.filter(({ type }) => type === 'invoke');
    expect(begun.length).toBeGreaterThan(20);
    for (let at = 0; at + OTHERS.length <= begun.length; at += OTHERS.length) {
      const round = begun.slice(at, at + OTHERS.length).map(({ f }) => f);
      expect(round.toSorted()).toEqual(OTHERS.toSorted());
    }
    expect(acts.every(({ type }, at) => (type === 'invoke') === (at % 2 === 0))).toBe(true);
    expect(new Set(begun.map(({ node }) => node))).toEqual(new Set(nodes));
  });

  test('pauses as long as it is told to, on average, and clients go on meanwhile', () => {
    const ops = played({ pause: '500' });
    const acts = ops.filter(({ f }) => OTHERS.some((act) => act === f));
    const pauses = acts.flatMap(({ type, time }, at) => {
      const before = acts[at - 1];
      return type === 'invoke' && before !== undefined ? [(time - before.time) / 1e6] : [];
    });
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(250);
    expect(Math.max(...pauses)).toBeLessThan(760);
    const [first, next] = acts.map(({ index }) => index);
    expect((next ?? 0) - (first ?? 0)).toBeGreaterThan(50);
  });

  test('goes on while a backup is taken, and there is one backup at a time', () => {
    const acts = played().filter(({ f }) => isAct(f));
    const backups = acts.filter(({ f }) => f === 'backup');
    expect(backups.length).toBeGreaterThan(10);
    expect(backups.every(({ type }, at) => (type === 'invoke') === (at % 2 === 0))).toBe(true);
    const between = acts.some(
      ({ f, type }, at) =>
        f !== 'backup' &&
        type === 'invoke' &&
        acts[at - 1]?.f === 'backup' &&
        acts[at - 1]?.type === 'invoke',
    );
    expect(between).toBe(true);
  });

  test('needs no more than one client', () => {
    const acts = played({}, 1).filter(({ f }) => isAct(f));
    expect(new Set(acts.map(({ f }) => f))).toEqual(new Set(ACTS));
  });

  test('does what it is told, and nothing that there is not', () => {
    const ops = played({ acts: 'compact, move-leader' });
    const names = new Set(ops.map(({ f }) => f).filter((f) => isAct(f)));
    expect(names).toEqual(new Set(['compact', 'move-leader']));
    expect(() => built({ acts: 'compcat' })).toThrow(
      "workload option acts: there is no act 'compcat' (did you mean 'compact'?)",
    );
    expect(() => built({ acts: '' })).toThrow("there is no act ''");
  });
});

describe('in the end', () => {
  const asked = (own: Readonly<Record<string, string>>, type: 'ok' | 'fail'): readonly Op[] =>
    simulate(built(own).final(['k0']), {
      clients: 6,
      nodes,
      lanes: [],
      model: ({ f }) => ({
        type: f === 'backup' ? type : 'ok',
        latencyNanos: 10,
        ...(f === 'hash' && { value: { hash: 1, revision: 4, compactRevision: -1 } }),
      }),
    }).filter(({ type: kind, f }) => kind === 'invoke' && f === 'backup');

  test('a last backup is taken, and asked for three times if need be', () => {
    expect(asked({}, 'ok')).toHaveLength(1);
    expect(asked({}, 'fail')).toHaveLength(3);
    expect(asked({ acts: 'compact' }, 'ok')).toHaveLength(0);
  });
});

describe('the client', () => {
  test('passes each act on, and all that is no act to the registers', async () => {
    const calls: string[] = [];
    const api: AdminApi = {
      compact: (keep) => {
        calls.push(`compact ${keep}`);
        return Promise.resolve({ type: 'ok', value: { revision: 9 } });
      },
      defragment: () => {
        calls.push('defragment');
        return Promise.resolve({ type: 'ok', value: null });
      },
      moveLeader: () => {
        calls.push('move-leader');
        return Promise.resolve({ type: 'ok', value: { from: 'n1', to: 'n2' } });
      },
      backup: () => {
        calls.push('backup');
        const error = { code: 'busy', definite: true };
        return Promise.resolve({ type: 'fail', error });
      },
    };
    const rest = { invoke: () => Promise.resolve({ type: 'ok', value: 'rest' } as const) };
    const client = withOperator(rest, { admin: api, register: {} as RegisterApi }, 100);
    const ask = (f: string, value: Op['value'] = null) => client.invoke({ f, value } as Op);
    expect(await ask('compact', { keep: 50 })).toEqual({ type: 'ok', value: { revision: 9 } });
    expect(await ask('defragment')).toEqual({ type: 'ok', value: null });
    expect(await ask('move-leader')).toEqual({ type: 'ok', value: { from: 'n1', to: 'n2' } });
    expect(await ask('backup')).toMatchObject({ type: 'fail', error: { code: 'busy' } });
    expect(await ask('read')).toEqual({ type: 'ok', value: 'rest' });
    expect(calls).toEqual(['compact 50', 'defragment', 'move-leader', 'backup']);
  });
});
