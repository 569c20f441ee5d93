import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random, seedFrom } from '../../harness/core/prng.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type { Grudge } from '../../harness/protocols/network.ts';
import {
  bridge,
  type CutDirection,
  completeGrudge,
  fromCustom,
  halves,
  invert,
  isolate,
  linksOf,
  majoritiesRing,
  majorityMinority,
  oneWay,
  randomHalves,
  singleLink,
} from './grudge.ts';

const sizes = fc.integer({ min: 1, max: 9 });
const seeds = fc.nat().map((seed) => Random.stream(seedFrom(seed), 'grudge'));
const directions = fc.constantFrom<CutDirection>('both', 'in', 'out');

function names(size: number): NodeName[] {
  return Array.from({ length: size }, (_, at) => `n${at + 1}`);
}

/** Whom a node still hears, itself included, as text. */
function heard(nodes: readonly NodeName[], grudge: Grudge, node: NodeName): NodeName[] {
  return nodes.filter((from) => grudge.get(node)?.has(from) !== true).toSorted();
}

function isSymmetric(grudge: Grudge): boolean {
  return linksOf(grudge).every(({ from, to }) => grudge.get(from)?.has(to) === true);
}

const anyGrudge: fc.Arbitrary<{ nodes: NodeName[]; grudge: Grudge }> = fc
  .tuple(sizes, seeds, directions, fc.nat(), fc.nat(9))
  .map(([size, random, direction, pick, shape]) => {
    const nodes = names(size);
    const a = nodes[pick % size] ?? 'n1';
    const b = nodes[(pick + 1) % size] ?? 'n1';
    const shapes: readonly (() => Grudge)[] = [
      () => halves(nodes),
      () => randomHalves(nodes, random),
      () => majorityMinority(nodes, random),
      () => bridge(nodes),
      () => majoritiesRing(nodes, random),
      () => isolate(nodes, a, { direction }),
      () => isolate(nodes, [a, b], { direction }),
      () => oneWay([a], nodes),
      () => singleLink(a, b, { direction }),
      () => invert(nodes, new Map([[a, new Set([b])]])),
    ];
    return { nodes, grudge: shapes[shape % shapes.length]?.() ?? new Map() };
  });

describe('every shape', () => {
  it('never makes a node deaf to itself, names only known nodes, lists no empty grudges', () => {
    fc.assert(
      fc.property(anyGrudge, ({ nodes, grudge }) => {
        for (const [node, from] of grudge) {
          expect(from.has(node)).toBe(false);
          expect(from.size).toBeGreaterThan(0);
          expect(nodes).toEqual(expect.arrayContaining([node, ...from]));
        }
      }),
    );
  });

  it('survives being written down as a custom grudge', () => {
    fc.assert(
      fc.property(anyGrudge, ({ nodes, grudge }) => {
        const written = Object.fromEntries([...grudge].map(([to, from]) => [to, [...from]]));
        expect(new Set(linksOf(fromCustom(nodes, written)).map(text))).toEqual(
          new Set(linksOf(grudge).map(text)),
        );
      }),
    );
  });

  it('is its own inverse of an inverse', () => {
    fc.assert(
      fc.property(anyGrudge, ({ nodes, grudge }) => {
        const allowed = new Map(nodes.map((n) => [n, new Set(heard(nodes, grudge, n))]));
        expect(new Set(linksOf(invert(nodes, allowed)).map(text))).toEqual(
          new Set(linksOf(grudge).map(text)),
        );
      }),
    );
  });
});

function text({ from, to }: { readonly from: NodeName; readonly to: NodeName }): string {
  return `${from}>${to}`;
}

describe('complete grudges', () => {
  it('are symmetric, cut exactly between components', () => {
    fc.assert(
      fc.property(sizes, fc.array(fc.nat(3), { minLength: 9, maxLength: 9 }), (size, groups) => {
        const nodes = names(size);
        const groupOf = new Map(nodes.map((node, at) => [node, groups[at] ?? 0]));
        const grudge = completeGrudge(
          [0, 1, 2, 3].map((group) => nodes.filter((node) => groupOf.get(node) === group)),
        );
        expect(isSymmetric(grudge)).toBe(true);
        for (const to of nodes)
          for (const from of nodes)
            expect(grudge.get(to)?.has(from) ?? false).toBe(groupOf.get(to) !== groupOf.get(from));
      }),
    );
  });

  it('splits into halves that differ by at most one, the smaller first', () => {
    expect(halves(names(5))).toEqual(
      completeGrudge([
        ['n1', 'n2'],
        ['n3', 'n4', 'n5'],
      ]),
    );
    expect(halves(names(1))).toEqual(new Map());
  });

  it('leaves a majority, and the largest minority', () => {
    fc.assert(
      fc.property(sizes, seeds, (size, random) => {
        const nodes = names(size);
        const grudge = majorityMinority(nodes, random);
        const group = Math.max(...nodes.map((node) => heard(nodes, grudge, node).length));
        expect(group * 2).toBeGreaterThan(size);
        expect((group - 1) * 2).toBeLessThanOrEqual(size);
      }),
    );
  });
});

describe('bridge', () => {
  it('joins two halves by just one node', () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 9 }), (size) => {
        const nodes = names(size);
        const grudge = bridge(nodes);
        const seers = nodes.filter((node) => heard(nodes, grudge, node).length === size);
        expect(seers).toHaveLength(1);
        expect(isSymmetric(grudge)).toBe(true);
      }),
    );
  });
});

describe('majorities ring', () => {
  it('shows every node a majority, no two the same, mutually, evenly', () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 11 }), seeds, (size, random) => {
        const nodes = names(size);
        const grudge = majoritiesRing(nodes, random);
        const views = nodes.map((node) => heard(nodes, grudge, node));
        const lengths = views.map((view) => view.length);
        const majority = Math.floor(size / 2) + 1;
        expect(Math.min(...lengths)).toBe(majority);
        // Evenly: at most one node, where the parity forces it, sees one more.
        expect(lengths.filter((length) => length !== majority).length).toBeLessThanOrEqual(1);
        expect(Math.max(...lengths)).toBeLessThanOrEqual(majority + 1);
        expect(new Set(views.map(String)).size).toBe(size);
        expect(isSymmetric(grudge)).toBe(true);
      }),
    );
  });

  it('cuts nothing where all nodes are needed', () => {
    const random = Random.stream(seedFrom(1), 'ring');
    expect(majoritiesRing(names(1), random)).toEqual(new Map());
    expect(majoritiesRing(names(2), random)).toEqual(new Map());
  });
});

describe('directed cuts', () => {
  it('isolate one way and the other add up to both', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 7 }), (size) => {
        const nodes = names(size);
        const links = (direction: CutDirection): string[] =>
          linksOf(isolate(nodes, 'n2', { direction })).map(text);
        expect(links('in').every((link) => link.endsWith('>n2'))).toBe(true);
        expect(links('out').every((link) => link.startsWith('n2>'))).toBe(true);
        expect([...links('in'), ...links('out')].toSorted()).toEqual(links('both').toSorted());
        expect(links('in')).toHaveLength(size - 1);
      }),
    );
  });

  it('one way and single link say who cannot hear whom', () => {
    expect(oneWay(['n1'], ['n2', 'n3'])).toEqual(
      new Map([
        ['n2', new Set(['n1'])],
        ['n3', new Set(['n1'])],
      ]),
    );
    expect(singleLink('n1', 'n2', { direction: 'in' })).toEqual(new Map([['n1', new Set(['n2'])]]));
    expect(singleLink('n1', 'n2')).toEqual(completeGrudge([['n1'], ['n2']]));
  });
});

describe('custom grudges', () => {
  it('are refused when they name strangers or the node itself', () => {
    expect(() => fromCustom(names(3), { n1: ['n4'] })).toThrow("no node 'n4'");
    expect(() => fromCustom(names(3), { n9: [] })).toThrow("no node 'n9'");
    expect(() => fromCustom(names(3), { n1: ['n1'] })).toThrow('always hears itself');
  });
});
