import { expect, test } from 'vitest';
import type { WorkloadOptions } from '../harness/protocols/workload.ts';
import { checkersOf } from './judge.ts';

const workloadOptions: WorkloadOptions = {
  clients: 1,
  nodes: ['n1'],
  rate: 0,
  clientTimeoutMs: 1000,
  readModes: ['linearizable'],
  capabilities: ['register'],
  own: {},
};

function names(more: Partial<Parameters<typeof checkersOf>[0]>): readonly string[] {
  return checkersOf({ workload: 'register', workloadOptions, ...more }).map(({ name }) => name);
}

test('thresholds are one more checker, the last, where any are asked for', () => {
  const without = names({});
  expect(without).not.toContain('thresholds');
  expect(names({ thresholds: {} })).toEqual(without);
  expect(names({ thresholds: { latency_ms: ['max<9'] } })).toEqual([...without, 'thresholds']);
});

test('a history that is judged by a model alone is judged by nothing else', () => {
  const thresholds = { latency_ms: ['max<9'] };
  expect(names({ model: { name: 'register' }, thresholds })).toHaveLength(1);
});

test('what a run reached is told of every run, but for what a model alone judges', () => {
  expect(names({})).toContain('sometimes');
  expect(names({ sometimes: ['two-leaders-believed'] })).toEqual(names({}));
  expect(names({ model: { name: 'register' } })).not.toContain('sometimes');
});
