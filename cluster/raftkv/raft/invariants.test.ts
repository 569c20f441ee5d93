/** Each property, broken by hand: what a member's core shows is set step by step. */
import { describe, expect, test } from 'vitest';
import { RaftInvariants, type RaftView } from './invariants.ts';
import { RaftLog } from './log.ts';
import type { Configuration, Entry } from './types.ts';

const NOBODY: Configuration = { voters: [], learners: [] };

function command(index: number, term: number, text = `${index}@${term}`): Entry {
  return { index, term, payload: { kind: 'command', data: Buffer.from(text) } };
}

/** A node that does what a test says. */
class Puppet {
  readonly log: RaftLog;
  readonly #view: { -readonly [K in keyof RaftView]: RaftView[K] };
  readonly #look: () => void;

  constructor(invariants: RaftInvariants, id: string, entries: readonly Entry[] = []) {
    this.log = new RaftLog({ snapshot: { index: 0, term: 0, config: NOBODY }, entries });
    this.#view = { id, role: 'follower', term: 1, commit: 0, applied: 0, log: this.log };
    this.#look = invariants.watch(id, this.#view);
  }

  is(change: Partial<Omit<RaftView, 'id' | 'log'>>): this {
    Object.assign(this.#view, change);
    this.#look();
    return this;
  }

  has(...entries: readonly Entry[]): this {
    const [first] = entries;
    if (first !== undefined && first.index <= this.log.last) this.log.truncateFrom(first.index);
    this.log.append(entries);
    this.#look();
    return this;
  }

  lacks(index: number): this {
    this.log.truncateFrom(index);
    this.#look();
    return this;
  }

  /** A leader's snapshot takes the place of the log. */
  installs(index: number, term: number): this {
    this.log.restart({ index, term, config: NOBODY });
    return this.is({ commit: index, applied: index });
  }

  compacts(index: number): this {
    this.log.compact(index);
    this.#look();
    return this;
  }

  applies(index: number): this {
    return this.is({ commit: index }).is({ applied: index });
  }
}

function watching(): {
  readonly invariants: RaftInvariants;
  readonly start: (id: string, ...entries: readonly Entry[]) => Puppet;
} {
  const invariants = new RaftInvariants();
  return { invariants, start: (id, ...entries) => new Puppet(invariants, id, entries) };
}

describe('Election Safety', () => {
  test('two nodes lead one term', () => {
    const { invariants, start } = watching();
    start('a').is({ role: 'leader', term: 2 });
    start('b').is({ role: 'leader', term: 3 }).is({ role: 'leader', term: 2 });
    expect(invariants.take()).toEqual([
      {
        property: 'election-safety',
        term: 2,
        first: { node: 'a', life: 1 },
        second: { node: 'b', life: 1 },
      },
    ]);
  });

  test('a node that forgot its vote leads the same term again', () => {
    const { invariants, start } = watching();
    start('a').is({ role: 'leader', term: 2 });
    start('a').is({ role: 'leader', term: 2 });
    expect(invariants.take()).toMatchObject([{ property: 'election-safety', second: { life: 2 } }]);
  });

  test('leaders of different terms, at the same time too, are fine', () => {
    const { invariants, start } = watching();
    start('a').is({ role: 'leader', term: 2 });
    start('b').is({ role: 'leader', term: 3 }).is({ role: 'leader', term: 3 });
    expect(invariants.take()).toEqual([]);
    expect(invariants.counts().elections).toBe(2);
  });
});

describe('Leader Append-Only', () => {
  test('a leader replaces an entry of its own', () => {
    const { invariants, start } = watching();
    const a = start('a', command(1, 1)).is({ role: 'leader', term: 2 }).has(command(2, 2));
    a.has(command(2, 2, 'other'));
    expect(invariants.take()[0]).toMatchObject({
      property: 'leader-append-only',
      node: 'a',
      index: 2,
      had: { term: 2 },
      has: { term: 2 },
    });
  });

  test('a leader drops the end of its log', () => {
    const { invariants, start } = watching();
    start('a', command(1, 1), command(2, 1)).is({ role: 'leader', term: 2 }).lacks(2);
    expect(invariants.take()).toMatchObject([{ property: 'leader-append-only', has: null }]);
  });

  test('a follower may, and a leader may forget what is in its snapshot', () => {
    const { invariants, start } = watching();
    start('a', command(1, 1), command(2, 1)).has(command(2, 2));
    const b = start('b', command(1, 1)).is({ role: 'leader', term: 2 });
    b.applies(1).compacts(1).has(command(2, 2));
    expect(invariants.take()).toEqual([]);
    expect(invariants.overwrites).toBe(1);
  });
});

describe('Log Matching', () => {
  test('an entry says something else at the same index and term', () => {
    const { invariants, start } = watching();
    start('a', command(1, 1, 'x'));
    start('b', command(1, 1, 'y'));
    expect(invariants.take()).toMatchObject([
      { property: 'log-matching', index: 1, term: 1, first: { node: 'a' }, second: { node: 'b' } },
    ]);
  });

  test('the same entry follows another one', () => {
    const { invariants, start } = watching();
    const third = command(3, 3);
    start('a', command(1, 1), command(2, 1), third);
    start('b', command(1, 1), command(2, 2)).has(third);
    expect(invariants.take()).toMatchObject([
      { property: 'log-matching', first: { previousTerm: 1 }, second: { previousTerm: 2 } },
    ]);
  });

  test('equal entries that were read from two disks are the same', () => {
    const { invariants, start } = watching();
    start('a', command(1, 1), command(2, 1));
    start('b', command(1, 1), command(2, 1));
    start('a', command(1, 1));
    expect(invariants.take()).toEqual([]);
  });
});

describe('Leader Completeness', () => {
  test('a later leader lacks what was committed', () => {
    const { invariants, start } = watching();
    start('a', command(1, 1)).is({ role: 'leader' }).has(command(2, 1)).is({ commit: 2 });
    start('b', command(1, 1)).is({ role: 'leader', term: 2 });
    expect(invariants.take()).toEqual([
      {
        property: 'leader-completeness',
        node: 'b',
        term: 2,
        index: 2,
        committed: { node: 'a', term: 1, by: 1 },
        has: null,
      },
    ]);
  });

  test('it is found too when the old leader counts only after the new one was elected', () => {
    const { invariants, start } = watching();
    const a = start('a', command(1, 1)).is({ role: 'leader' }).has(command(2, 1));
    start('b', command(1, 1)).is({ role: 'leader', term: 2 }).has(command(2, 2));
    a.is({ commit: 2 });
    expect(invariants.take()).toMatchObject([{ property: 'leader-completeness', has: 2 }]);
  });

  test('a leader with it in its snapshot, or of an earlier term, need not have it', () => {
    const { invariants, start } = watching();
    const late = start('c', command(1, 1)).is({ role: 'leader', term: 2 });
    start('a', command(1, 1), command(2, 1)).is({ role: 'leader', term: 3 }).is({ commit: 2 });
    start('b').installs(2, 1).is({ role: 'leader', term: 4 });
    late.is({ role: 'leader', term: 2 });
    expect(invariants.take()).toEqual([]);
  });
});

describe('State Machine Safety', () => {
  test('two nodes apply different entries at one index', () => {
    const { invariants, start } = watching();
    start('a', command(1, 1), command(2, 1)).applies(2);
    start('b', command(1, 1), command(2, 2)).is({ term: 2 }).applies(2);
    expect(invariants.take()).toMatchObject([
      {
        property: 'state-machine-safety',
        index: 2,
        first: { node: 'a', term: 1 },
        second: { node: 'b', term: 2 },
      },
    ]);
  });

  test('a snapshot is of another entry than the one applied', () => {
    const { invariants, start } = watching();
    start('a', command(1, 1)).applies(1);
    start('b').installs(1, 2);
    expect(invariants.take()).toMatchObject([
      { property: 'state-machine-safety', second: { node: 'b', content: 'a snapshot' } },
    ]);
  });

  test('a node that lost its state applies the same again', () => {
    const { invariants, start } = watching();
    start('a', command(1, 1), command(2, 1)).applies(2);
    start('a', command(1, 1)).has(command(2, 1)).applies(2);
    start('b').installs(2, 1);
    expect(invariants.take()).toEqual([]);
    expect(invariants.counts().applied).toBe(2);
    expect(invariants.appliedTerm(2)).toBe(1);
  });
});

test('a property is told of once', () => {
  const { invariants, start } = watching();
  const a = start('a', command(1, 1), command(2, 1)).is({ role: 'leader' });
  a.lacks(2);
  expect(invariants.take()).toHaveLength(1);
  a.lacks(1);
  expect(invariants.take()).toEqual([]);
});

test('what everybody applied long ago is forgotten, and nobody is accused for it', () => {
  const { invariants, start } = watching();
  const nodes = ['a', 'b', 'c'].map((id) => start(id));
  for (let index = 1; index <= 25_000; index++)
    for (const node of nodes) node.has(command(index, 1)).applies(index);
  expect(invariants.appliedTerm(1)).toBeUndefined();
  expect(invariants.appliedTerm(24_000)).toBe(1);
  expect(invariants.known).toBeLessThan(20_000);
  // From an empty disk: all of it, from the first entry on.
  start('c', command(1, 7), command(2, 7)).applies(2);
  expect(invariants.take()).toEqual([]);
});
