import { expect, test } from 'vitest';
import type { RunConfig, RunResult } from '../harness/protocols/run.ts';
import { leftText, requireLeavable } from './leave-running.ts';

test.each([
  ['memory', 'lives in this process'],
  ['sim', 'lives in this process'],
  ['attach', 'never ended'],
] as const)('a cluster of backend %s cannot be left', (backend, why) => {
  expect(() => {
    requireLeavable({ backend, system: 'raftkv' });
  }).toThrow(why);
});

test.each(['process', 'docker'] as const)('one of backend %s can', (backend) => {
  expect(() => {
    requireLeavable({ backend, system: 'raftkv' });
  }).not.toThrow();
});

test('what is said names every address, where the data is, and how to remove it', () => {
  const config = { nodes: ['n1', 'n10'], workload: 'register+reads' } as unknown as RunConfig;
  const cluster = {
    members: {
      n1: { client: '127.0.0.1:1001', clientLink: '127.0.0.1:2001' },
      n10: { client: '127.0.0.1:1010\u001b[31m' },
    },
  };
  const manifest = { run: '7f3a', config, cluster };
  const text = leftText({ manifest } as unknown as RunResult, '.schism/runs/x-7f3a');
  expect(text).toContain('n1   127.0.0.1:1001   through its link: 127.0.0.1:2001\n');
  expect(text).toContain('n10  127.0.0.1:1010');
  expect(text).toContain('.schism/runs/x-7f3a/tests/register_reads/nodes');
  expect(text).toContain('schism doctor --clean');
  expect(text).not.toContain('\u001b');
  expect(text).toContain('with its faults healed.\n');
  const far = { ...manifest, config: { ...config, latencyMs: 30 } };
  expect(leftText({ manifest: far } as unknown as RunResult, 'x')).toContain(
    'healed and its 30 ms between nodes.\n',
  );
});
