import { describe, expect, test } from 'vitest';
import { Random, seedFrom } from '../../harness/core/prng.ts';
import { Corpus } from './corpus.ts';
import type { Plan } from './plan.ts';

const plan = (seed: number): Plan => ({
  seed,
  nodes: 3,
  workload: 'register',
  clientsPerNode: 2,
  rate: 100,
  clientTimeoutMs: 1000,
  workloadOptions: {},
  systemOptions: {},
  length: 10,
  steps: [],
});

describe('the corpus', () => {
  test('keeps a plan that showed something new, and no other', () => {
    const corpus = new Corpus();
    expect(corpus.add(plan(1), ['a', 'b'])).toBe(2);
    expect(corpus.add(plan(2), ['a', 'b'])).toBe(0);
    expect(corpus.add(plan(3), ['b', 'c'])).toBe(1);
    expect([corpus.plans, corpus.size, corpus.runs]).toEqual([2, 3, 3]);
  });

  test('rather picks a plan whose discovery is rare', () => {
    const corpus = new Corpus();
    corpus.add(plan(1), ['common']);
    for (let at = 0; at < 200; at++) corpus.add(plan(9), ['common']);
    corpus.add(plan(2), ['rare']);
    const random = Random.stream(seedFrom(1), 'corpus');
    const picked = Array.from({ length: 200 }, () => corpus.pick(random)?.seed);
    expect(picked.filter((seed) => seed === 2).length).toBeGreaterThan(150);
  });

  test('of two discoveries rather picks the one that took fewer faults', () => {
    const corpus = new Corpus();
    const steps = Array.from({ length: 9 }, (_, at) => ({
      at,
      for: 1,
      fault: 'kill',
      options: {},
    }));
    corpus.add({ ...plan(1), steps }, ['long']);
    corpus.add({ ...plan(2), steps: steps.slice(0, 1) }, ['short']);
    const random = Random.stream(seedFrom(1), 'corpus');
    const picked = Array.from({ length: 200 }, () => corpus.pick(random)?.seed);
    expect(picked.filter((seed) => seed === 2).length).toBeGreaterThan(140);
    expect(picked.filter((seed) => seed === 1).length).toBeGreaterThan(10);
  });

  test('is bounded, and forgets what is common first', () => {
    const corpus = new Corpus();
    for (let at = 0; at < 1200; at++) corpus.add(plan(at), [`only ${at}`, 'common']);
    expect(corpus.plans).toBeLessThanOrEqual(500);
    expect(corpus.size).toBe(1201);
  });

  test('goes on from its file as if it had never stopped', () => {
    const corpus = new Corpus();
    corpus.add(plan(1), ['a']);
    const again = new Corpus(JSON.parse(JSON.stringify(corpus.file())));
    expect(again.file()).toEqual(corpus.file());
    expect(again.add(plan(2), ['a'])).toBe(0);
    expect(again.runs).toBe(2);
  });
});
