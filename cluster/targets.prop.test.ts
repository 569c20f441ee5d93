import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random, seedFrom } from '../harness/core/prng.ts';
import type { RoleSample } from '../harness/protocols/system.ts';
import {
  hitByOthers,
  hitLimit,
  leadersOf,
  minorityOf,
  resolveTargets,
  TARGET_WORDS,
  type TargetQuestion,
  withRoles,
} from './targets.ts';

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `n${i + 1}`);

const situation = fc
  .integer({ min: 1, max: 7 })
  .chain((count) =>
    fc.record({
      nodes: fc.constant(names(count)),
      others: fc.subarray(names(count)),
      eligible: fc.subarray(names(count)),
      leaders: fc.subarray(names(count), { maxLength: Math.min(2, count) }),
      seed: fc.nat(),
    }),
  )
  .map(
    ({ nodes, others, eligible, leaders, seed }): Omit<TargetQuestion, 'spec' | 'quorum'> => ({
      nodes,
      others: new Set(others),
      eligible: new Set(eligible),
      roles: nodes.map((node): RoleSample => {
        const role = leaders.includes(node) ? 'leader' : 'follower';
        return { node, role, state: 'answered', term: 1 + leaders.indexOf(node) };
      }),
      random: Random.stream(seedFrom(seed), 'targets'),
    }),
  );
const word = fc.constantFrom(...TARGET_WORDS);

describe('resolveTargets', () => {
  it('hits only nodes that exist and can be hit, each once, or says why none', () => {
    fc.assert(
      fc.property(situation, word, (question, spec) => {
        const answer = resolveTargets({ ...question, spec, quorum: 'ignore' });
        if ('reason' in answer) return answer.reason.length > 0;
        const { targets } = answer;
        expect(targets.length).toBeGreaterThan(0);
        expect(new Set(targets).size).toBe(targets.length);
        return targets.every((node) => question.eligible?.has(node));
      }),
    );
  });

  it('leaves a majority untouched unless asked', () => {
    fc.assert(
      fc.property(situation, word, (question, spec) => {
        fc.pre(spec !== 'majority' && spec !== 'all');
        const answer = resolveTargets({ ...question, spec, quorum: 'keep' });
        if ('reason' in answer) return;
        const hit = new Set([...answer.targets, ...question.others]);
        expect(hit.size).toBeLessThanOrEqual(hitLimit(question.nodes.length));
      }),
      { numRuns: 1000 },
    );
  });

  it('gives a full minority whenever the other lanes leave room for one', () => {
    fc.assert(
      fc.property(situation, (question) => {
        const limit = minorityOf(question.nodes.length);
        fc.pre(limit > 0 && question.others.size <= limit);
        const { eligible: _, ...all } = question;
        const answer = resolveTargets({ ...all, spec: 'minority', quorum: 'keep' });
        expect(answer).toHaveProperty('targets.length', limit);
      }),
    );
  });

  it('answers the same for the same chance', () => {
    fc.assert(
      fc.property(situation, word, (question, spec) => {
        const ask = (): unknown =>
          resolveTargets({ ...question, random: question.random.clone(), spec, quorum: 'keep' });
        expect(ask()).toEqual(ask());
      }),
    );
  });
});

describe('each spec', () => {
  const nodes = names(5);
  const roles: RoleSample[] = [
    { node: 'n1', role: 'follower', state: 'answered', term: 3 },
    { node: 'n2', role: 'leader', state: 'answered', term: 2 },
    { node: 'n3', role: 'leader', state: 'answered', term: 3 },
    { node: 'n4', role: 'follower', state: 'answered', term: 3 },
    { node: 'n5', role: 'unknown', state: 'unreachable' },
  ];
  const ask = (spec: TargetQuestion['spec'], more: Partial<TargetQuestion> = {}): unknown =>
    resolveTargets({
      spec,
      nodes,
      roles,
      others: new Set(),
      quorum: 'keep',
      random: Random.stream(seedFrom(7), 'spec'),
      ...more,
    });

  it.each([
    ['one', 1],
    ['minority', 2],
    ['minority-third', 1],
    ['majority', 3],
    ['all', 5],
    ['leader', 1],
    ['leaders', 2],
    ['followers', 2],
  ] as const)('%s of five nodes hits %d', (spec, count) => {
    expect(ask(spec)).toHaveProperty('targets.length', count);
  });

  it('takes the leader of the newest term, and both who believe they lead', () => {
    expect(ask('leader')).toEqual({ targets: ['n3'] });
    expect(ask('leaders')).toEqual({ targets: ['n2', 'n3'] });
    expect(leadersOf(roles)).toEqual(['n3', 'n2']);
    expect(withRoles(['n1', 'n3'], roles)).toBe('n1, n3 (leader)');
  });

  it('takes named nodes as they are, even a majority, but no strangers', () => {
    expect(ask(['n5', 'n1', 'n2'])).toEqual({ targets: ['n1', 'n2', 'n5'] });
    expect(ask(['n1', 'n9'])).toEqual({ reason: 'no such node: n9' });
  });

  it('says why there is nobody', () => {
    expect(ask('leader', { roles: [] })).toEqual({ reason: 'no node says that it leads' });
    expect(ask('followers', { roles: [] })).toEqual({ reason: 'no node says that it follows' });
    expect(ask('minority-third', { nodes: ['n1', 'n2', 'n3'] })).toEqual({
      reason: 'minority-third of 3 nodes is none',
    });
    expect(ask('leader', { eligible: new Set(['n1']) })).toEqual({
      reason: 'leader: n3 cannot be hit now',
    });
    expect(ask('leader', { others: new Set(['n1', 'n2']) })).toEqual({
      reason:
        'leader: it would cost the majority: at most 2 of 5 nodes may be hit; ' +
        'other faults hit n1, n2 now ("quorum": "ignore" lifts this)',
    });
  });

  it('hits again a node that another lane already hits when there is no other room', () => {
    expect(ask('one', { others: new Set(['n1', 'n2']) })).toHaveProperty('targets.length', 1);
    const both = ask('minority', { others: new Set(['n1', 'n2']) });
    expect(both).toEqual({ targets: ['n1', 'n2'] });
  });

  it('counts what all lanes but its own hit', () => {
    const hit = new Map([
      ['kill', new Set(['n1'])],
      ['pause', new Set(['n1', 'n2'])],
    ]);
    expect(hitByOthers({ hit }, 'pause')).toEqual(new Set(['n1']));
    expect(hitByOthers({ hit }, 'partition')).toEqual(new Set(['n1', 'n2']));
  });
});
