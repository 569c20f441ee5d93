import { expect, test } from 'vitest';
import { historyOf } from '../../harness/history/history.ts';
import type { Op } from '../../harness/history/op.ts';
import { someOrder } from '../testkit/all-orders.ts';
import { checkContext, provenKinds, randomOf } from '../testkit/context.ts';
import { opsOf, orderOpinion, smallStore } from '../testkit/order-laws.ts';
import { simulate } from '../testkit/simulate.ts';
import { prefixConsistent } from './prefix-consistent.ts';
import { sequential } from './sequential.ts';

const NAMES = ['sequential', 'prefix-consistent'] as const;
const CHECKERS = { sequential, 'prefix-consistent': prefixConsistent } as const;

test.for(NAMES)('%s: all judges agree with the trial of all orders', (name) => {
  const found = new Map<string, number>();
  const count = (what: string): void => {
    found.set(what, (found.get(what) ?? 0) + 1);
  };
  for (let seed = 0; seed < 3000; seed++) {
    const { problem, isValid, by, isCircle, isRevisions } = orderOpinion(seed, name);
    expect(problem, `seed ${seed}`).toBeUndefined();
    count(isValid ? 'valid' : 'invalid');
    count(`${isValid ? 'valid' : 'invalid'} by ${by}`);
    if (isCircle) count('circle');
    if (isRevisions) count('revisions');
  }
  expect(found.get('valid')).toBeGreaterThan(1000);
  expect(found.get('invalid')).toBeGreaterThan(300);
  expect(found.get('revisions')).toBeGreaterThan(1000);
  expect([...found.keys()]).toEqual(
    expect.arrayContaining([
      'valid by revisions',
      'valid by linearizable',
      'valid by search',
      'invalid by circle',
      'invalid by search',
      'invalid by key',
    ]),
  );
});

test.for(NAMES)('%s: every anomaly is proven, and told in numbers that exist', async (name) => {
  const kinds = new Set<string>();
  for (let seed = 0; seed < 1000; seed++) {
    const history = smallStore(seed);
    const result = await CHECKERS[name]().check(history, checkContext());
    const found = provenKinds(result, history);
    for (const kind of found) kinds.add(kind);
    const byRevision = found.some((kind) => /revision|backwards/.test(kind));
    const expected = someOrder(opsOf(history), name) && !byRevision ? 'valid' : 'invalid';
    if (result.verdict !== 'unknown') expect(result.verdict, `seed ${seed}`).toBe(expected);
    else expect(result.reason).toContain('nothing to judge');
  }
  expect([...kinds]).toContain(`not-${name}`);
});

test.for(NAMES)('%s: the names of clients and keys do not count', async (name) => {
  for (let seed = 0; seed < 400; seed++) {
    const history = smallStore(seed);
    const renamed = [...history.ops()].map((op) => ({
      ...op,
      process: typeof op.process === 'number' ? 1000 - op.process : op.process,
      ...(op.key !== undefined && { key: `other ${op.key}` }),
    }));
    const one = await CHECKERS[name]().check(history, checkContext());
    const other = await CHECKERS[name]().check(historyOf(renamed), checkContext());
    expect(other.verdict, `seed ${seed}`).toBe(one.verdict);
  }
});

const STORE = { operations: 400, clients: 6, keys: 4, info: 0.03, fail: 0.03, lag: 6 } as const;

test.for([true, false])(
  'a correct store is never accused; with revisions: %s',
  async (revisions) => {
    for (let seed = 0; seed < 40; seed++) {
      const linearizable = historyOf(simulate(randomOf(seed), { ...STORE, revisions }));
      const stale = historyOf(simulate(randomOf(seed), { ...STORE, revisions, serializable: 0.6 }));
      for (const [checker, history] of [
        [sequential(), linearizable],
        [prefixConsistent(), linearizable],
        [prefixConsistent(), stale],
      ] as const) {
        const result = await checker.check(history, checkContext());
        expect(result.anomalies, `seed ${seed}`).toEqual([]);
        expect(result.verdict, `seed ${seed}: ${result.reason}`).toBe('valid');
      }
    }
  },
);

/** Adds an operation that ends at once to the end of a history. */
function added(
  ops: readonly Op[],
  process: number,
  f: string,
  value: Op['value'],
  more: Partial<Op> = {},
): Op[] {
  const last = ops.at(-1) as Op;
  const entry = { process, f, key: 'k0', phase: 'main', node: 'n1', ...more } as const;
  const at = (by: number): Pick<Op, 'index' | 'time'> => ({
    index: last.index + by,
    time: last.time,
  });
  const { server, ...asked } = entry;
  return [
    ...ops,
    { ...asked, ...at(1), type: 'invoke', value: f === 'read' ? null : value },
    { ...asked, ...at(2), type: 'ok', value, ...(server && { server }) },
  ];
}

function session(
  ops: readonly Op[],
  steps: readonly (readonly [number, string, Op['value'], Partial<Op>?])[],
): Op[] {
  let all = [...ops];
  for (const [process, f, value, more] of steps) all = added(all, process, f, value, more);
  return all;
}

const [A, B] = [7001, 7002];
const J = { key: 'k1' };

/** Ways to break what was right, by what must be said of it; `revisions`: the history has them. */
const BREAKS = {
  sequential: {
    'own value that it overwrote': [
      [A, 'write', 9001],
      [A, 'write', 9002],
      [A, 'read', 9001],
    ],
    'back in time': [
      ...([
        [A, 'write', 9001],
        [A, 'write', 9002],
      ] as const),
      ...([
        [B, 'read', 9002],
        [B, 'read', 9001],
      ] as const),
    ],
    'missed its own write': [
      [A, 'write', 9001],
      [A, 'read', null],
    ],
    'two winners': [
      [A, 'write', 9001],
      [A, 'cas', [9001, 9002]],
      [B, 'cas', [9001, 9003]],
    ],
    'two views of two keys': [
      ...([
        [A, 'write', 9001],
        [B, 'write', 9002, J],
      ] as const),
      ...([
        [7003, 'read', 9001],
        [7003, 'read', null, J],
      ] as const),
      ...([
        [7004, 'read', 9002, J],
        [7004, 'read', null],
      ] as const),
    ],
    'cause without effect': [
      ...([
        [A, 'write', 9001],
        [A, 'write', 9002, J],
      ] as const),
      ...([
        [B, 'read', 9002, J],
        [B, 'read', null],
      ] as const),
    ],
  },
  'prefix-consistent': {
    'back in time': [
      ...([
        [A, 'write', 9001],
        [A, 'write', 9002],
      ] as const),
      ...([
        [B, 'read', 9002],
        [B, 'read', 9001],
      ] as const),
    ],
    'later change without the earlier': [
      ...([
        [A, 'write', 9001],
        [A, 'write', 9002, J],
      ] as const),
      ...([
        [B, 'read', 9002, J],
        [B, 'read', null],
      ] as const),
    ],
    'two winners': [
      [A, 'write', 9001],
      [A, 'cas', [9001, 9002]],
      [B, 'cas', [9001, 9003]],
    ],
    'a change out of its time': [
      [A, 'write', 9001],
      [A, 'write', 9002],
      [B, 'cas', [9001, 9003]],
    ],
    'before it was sent': [
      [B, 'read', 9001],
      [A, 'write', 9001],
    ],
  },
} as const;

test.for(
  NAMES.flatMap((name) =>
    Object.entries(BREAKS[name]).map(([how, steps]) => ({ name, how, steps })),
  ),
)('$name, broken: $how', async ({ name, steps }) => {
  for (let seed = 0; seed < 5; seed++) {
    const right = simulate(randomOf(seed), { ...STORE, operations: 120, revisions: false });
    const history = historyOf(session(right, steps));
    const result = await CHECKERS[name]().check(history, checkContext());
    expect(result.verdict).toBe('invalid');
    const kinds = provenKinds(result, history);
    expect(kinds.every((kind) => [`not-${name}`, 'backwards-read'].includes(kind))).toBe(true);
    for (const { ops } of result.anomalies) expect(ops.length).toBeLessThanOrEqual(14);
  }
});

test('a change that is missing at a revision which has it is named', async () => {
  let named = 0;
  for (let seed = 0; seed < 30; seed++) {
    const right = simulate(randomOf(seed), { ...STORE, operations: 80, serializable: 0.8 });
    const read = right.find(
      ({ f, type, server }) => f === 'read' && type === 'ok' && server?.modRevision !== 0,
    );
    const later = right.findLast(
      ({ key, f, type }) => key === read?.key && f === 'write' && type === 'ok',
    );
    const { revision = 0 } = later?.server ?? {};
    if (read?.server === undefined || revision <= (read.server.revision ?? 0)) continue;
    const server = { ...read.server, revision };
    const history = historyOf(right.map((op) => (op === read ? { ...op, server } : op)));
    const result = await prefixConsistent().check(history, checkContext());
    expect(provenKinds(result, history)).toContain('wrong-at-revision');
    named++;
  }
  expect(named).toBeGreaterThan(20);
});
