import { expect, test } from 'vitest';
import type { JsonValue } from '../harness/core/json.ts';
import { nanosFromMs } from '../harness/core/units.ts';
import { HistoryBuilder } from '../harness/history/history.ts';
import { ClusterBuilder, type ClusterView } from './cluster.ts';

/** Each entry is `ms`, then nodes as `n1:leader/4`, `n2:-` for one that does not answer. */
function view(...entries: readonly (readonly [number, string])[]): ClusterView {
  const builder = new HistoryBuilder();
  const cluster = new ClusterBuilder();
  for (const [ms, text] of entries) {
    const value = text.split(' ').map((word): JsonValue => {
      const [node = '', claim = ''] = word.split(':');
      if (claim === '-') return { node, role: 'unknown', state: 'unreachable' };
      const [role = '', term] = claim.split('/');
      return { node, role, state: 'answered', term: Number(term) };
    });
    const draft = { process: 'observer', type: 'info', f: 'roles', phase: 'main' } as const;
    cluster.add(builder.append({ ...draft, value }, nanosFromMs(ms)));
  }
  return cluster.build(nanosFromMs(1000));
}

test('a new leader after a time without one', () => {
  const { changes, lanes } = view(
    [0, 'n1:leader/1 n2:follower/1'],
    [100, 'n1:- n2:follower/1'],
    [250, 'n1:- n2:leader/2'],
  );
  expect(changes).toEqual([
    { timeNanos: 0, leader: { node: 'n1', term: 1 }, gapNanos: 0 },
    {
      timeNanos: 250e6,
      leader: { node: 'n2', term: 2 },
      before: { node: 'n1', term: 1 },
      gapNanos: 150e6,
    },
  ]);
  expect(lanes[0]?.spans.map(({ role, endNanos }) => [role, endNanos])).toEqual([
    ['leader', 100e6],
    ['unreachable', 1000e6],
  ]);
});

test('two that lead at the same time: the higher term counts, both are told', () => {
  const { changes, rivals } = view(
    [0, 'n1:leader/1 n2:follower/1'],
    [100, 'n1:leader/1 n2:leader/2'],
    [300, 'n1:follower/2 n2:leader/2'],
  );
  expect(changes.at(-1)?.leader).toEqual({ node: 'n2', term: 2 });
  expect(rivals.map(({ startNanos, endNanos }) => [startNanos, endNanos])).toEqual([
    [100e6, 300e6],
  ]);
});

test('an entry that holds no samples is no reason to fall over', () => {
  const builder = new HistoryBuilder();
  const cluster = new ClusterBuilder();
  for (const value of [null, 7, 'x', [null, 3, {}, { node: 5 }], { node: 'n1' }] as const)
    cluster.add(
      builder.append(
        { process: 'observer', type: 'info', f: 'roles', phase: 'main', value },
        nanosFromMs(1),
      ),
    );
  expect(cluster.build(1e9)).toEqual({ lanes: [], changes: [], rivals: [] });
});
