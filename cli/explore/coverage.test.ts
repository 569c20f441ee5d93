import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../harness/core/json.ts';
import type { Op, OpDraft } from '../../harness/history/op.ts';
import { Coverage } from './coverage.ts';
import { opsOf } from './testing.ts';

const TIMING = { heartbeatMs: 50, electionMs: 500 };

/** The first leads, the others follow it. */
function roles(nodes: readonly string[]): Partial<OpDraft> {
  const [leader] = nodes;
  const value = nodes.map((node) => ({
    node,
    role: node === leader ? 'leader' : 'follower',
    state: 'answered',
    term: 2,
    leader,
    applied: 10,
  }));
  return { process: 'observer', type: 'info', f: 'roles', value: value as JsonValue };
}

function fault(
  id: string,
  stage: 'begin' | 'end',
  target: string,
  result = 'installed',
): readonly Partial<OpDraft>[] {
  const kind = id.replace(/-\d+$/, '');
  const common = { process: 'nemesis', f: kind, lane: kind, id } as const;
  const evidence = result === 'skipped' ? { result, why: 'no leader' } : { result, probe: null };
  const value = { stage, fault: kind, text: '', targets: [target], evidence };
  return [
    { ...common, type: 'invoke', value: { stage } },
    { ...common, type: 'info', value },
  ];
}

function covered(ops: readonly Op[]): Coverage {
  const coverage = new Coverage(TIMING);
  for (const op of ops) coverage.take(op);
  return coverage;
}

const situations = (ops: readonly Op[]): readonly string[] =>
  covered(ops)
    .covered()
    .features.filter((feature) => feature.includes('|'));

describe('what a run has covered', () => {
  const killed = (nodes: readonly string[], target: string, ms?: number): Op[] =>
    opsOf(
      [roles(nodes), ...fault('kill-1', 'begin', target), ...fault('kill-1', 'end', target)],
      ms,
    );

  test('names the situation, the fault, whom it hit, and for how long', () => {
    expect(situations(killed(['n1', 'n2', 'n3'], 'n1', 300))).toEqual([
      '1l 2f|kill||leader|nothing||<1.6',
    ]);
  });

  test('is the same whatever the nodes are called, and another for another role', () => {
    const leader = situations(killed(['n1', 'n2', 'n3'], 'n1'));
    expect(situations(killed(['n3', 'n1', 'n2'], 'n3'))).toEqual(leader);
    expect(situations(killed(['n1', 'n2', 'n3'], 'n2'))).not.toEqual(leader);
  });

  test('counts a fault once it was seen to have taken effect, and no other', () => {
    const skipped = [
      roles(['n1', 'n2', 'n3']),
      ...fault('pause-1', 'begin', 'n1', 'skipped'),
      ...fault('pause-1', 'end', 'n1', 'skipped'),
    ];
    const { hits, features } = covered(opsOf(skipped)).covered();
    expect(hits).toEqual({});
    expect(features.some((feature) => feature.includes('pause'))).toBe(false);
    expect(covered(killed(['n1', 'n2', 'n3'], 'n2')).covered().hits).toEqual({
      'kill follower': 1,
    });
  });

  test('tells a fault within another from one after it', () => {
    const start = [roles(['n1', 'n2', 'n3']), ...fault('pause-1', 'begin', 'n1')];
    const kill = [...fault('kill-1', 'begin', 'n2'), ...fault('kill-1', 'end', 'n2')];
    const within = opsOf([...start, ...kill, ...fault('pause-1', 'end', 'n1')]);
    const after = opsOf([...start, ...fault('pause-1', 'end', 'n1'), ...kill]);
    const ofKill = (ops: Op[]): string | undefined =>
      situations(ops).find((situation) => situation.includes('|kill|'));
    expect(ofKill(within)).toContain('|pause|pause|');
    expect(ofKill(after)).not.toEqual(ofKill(within));
    expect(ofKill(after)).toContain('n');
  });

  test('measures how long two nodes believed that they lead', () => {
    const both = roles(['n1', 'n2', 'n3']);
    const value = (both.value as { role: string }[]).map((one) => ({ ...one, role: 'leader' }));
    const ops = opsOf([{ ...both, value }, both], 2000);
    expect(covered(ops).covered().features).toContain('two leaders: more');
    expect(covered(opsOf([both, both], 2000)).covered().features).toContain('two leaders: <0.3');
  });
});
