import { beforeAll, describe, expect, test } from 'vitest';
import { plainStyle } from '../../reports/style.ts';
import type { Finding, Tally } from './explore.ts';
import { configOf, type Plan } from './plan.ts';
import type { Space } from './space.ts';
import { simulatedSpace } from './testing.ts';
import { commandsFor, endLines, findingLines, headlines, progressLine } from './text.ts';

const steps = Array.from({ length: 8 }, (_, at) => ({
  at,
  for: 0.5,
  fault: 'kill',
  options: { target: 'leader' },
}));
const plan: Plan = {
  seed: 7,
  nodes: 3,
  workload: 'register',
  clientsPerNode: 2,
  rate: 100,
  clientTimeoutMs: 1000,
  workloadOptions: { keys: '2' },
  systemOptions: { 'snapshot-count': '20' },
  length: 10,
  steps,
};

let space: Space;
let finding: Finding;
beforeAll(async () => {
  space = await simulatedSpace({ bug: 'txn-race' });
  finding = {
    key: 'linearizable: stale-read',
    violation: { checker: 'linearizable', kind: 'stale-read', sentence: 'Client c1 read too old.' },
    plan,
    config: await configOf(plan, space),
    runs: 20,
    ms: 24_800,
  };
});

function tally(more: Partial<Tally> = {}): Tally {
  return {
    runs: 30,
    failed: 0,
    undecided: 0,
    operations: 1200,
    virtualMs: 0,
    broken: new Map(),
    hits: new Map(),
    fresh: [4, 2],
    findings: [],
    ms: 60_000,
    ...more,
  };
}

describe('what explore says', () => {
  test('says in the first lines what is drawn from, and from how many runs it goes on', () => {
    const common = { space, seed: '5', budget: '100 runs', workers: 2 };
    const [first, ...rest] = headlines({ ...common, uniform: true, before: 0 });
    expect(first).toBe('schism explore: raftkv on sim, uniform, 100 runs, 2 workers, seed 5');
    expect(rest.join(' ')).toContain('partition');
    const [again] = headlines({ ...common, uniform: false, before: 12 });
    expect(again).toContain('guided');
    expect(again).toContain('going on from 12 earlier runs');
  });

  test('says in one line how fast it goes, and how much is new', () => {
    const line = progressLine(tally({ broken: new Map([['hung', 2]]) }), 50);
    expect(line).toContain('30 runs · 30 a minute · 50 situations, 3.0 new a run lately');
    expect(line).toContain('2 without an end');
    expect(progressLine(tally(), 50)).not.toContain('without an end');
  });

  test('tells a finding with its load and its first faults, and how to go on with it', () => {
    const stored = { run: '5ac7', dir: 'x', verdict: 'fail', same: true } as const;
    const text = findingLines(finding, stored, '.schism', plainStyle).join('\n');
    expect(text).toContain('✗ linearizable: stale-read, after 20 runs and 24.8 s');
    expect(text).toContain('Client c1 read too old.');
    expect(text).toContain('3 nodes, register, 6 clients, 100/s');
    expect(text).not.toContain('txn-race');
    expect(text).toContain('at 0el for 0.5el: kill, target leader');
    expect(text).toContain('and 2 more faults');
    expect(text).toContain('shrink 5ac7 --run');
  });

  test('says when a finding did not come out the same', () => {
    const stored = { run: '5ac7', dir: 'x', verdict: 'pass', same: false } as const;
    const lines = (verdict: 'pass' | 'fail'): string =>
      findingLines(finding, { ...stored, verdict }, '.schism', plainStyle).join('\n');
    expect(lines('pass')).toContain('it did not show (pass)');
    expect(lines('fail')).toContain('not entry for entry the same');
  });

  test('names the store in its commands unless it is the usual one', () => {
    expect(commandsFor('5ac7', '.schism').every((line) => !line.includes('-o'))).toBe(true);
    expect(commandsFor('5ac7', 'other').every((line) => line.endsWith('-o other'))).toBe(true);
  });

  test('says in the end what was covered, what said nothing, and claims no more', () => {
    const hits = new Map([
      ['kill leader', 3],
      ['kill follower', 5],
    ]);
    const broken = new Map([['its thread ended', 2]]);
    const text = endLines(tally({ hits, broken, undecided: 1 }), 50).join('\n');
    expect(text).toContain('No violation was found in what ran.');
    expect(text).toContain('1 run that no checker could decide.');
    expect(text).toContain('2 runs did not come to an end, and say nothing:');
    expect(text).toMatch(/kill +follower 5, leader 3/);
    const found = endLines(tally({ findings: [finding], failed: 4 }), 50).join('\n');
    expect(found).toContain('1 finding, in 4 runs.');
  });
});
