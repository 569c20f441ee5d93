import { describe, expect, test } from 'vitest';
import { HarnessError } from '../../harness/core/errors.ts';
import {
  type Candidate,
  isSame,
  nothingSelected,
  parseShard,
  placeOf,
  type Selection,
  selectTests,
  shardOf,
} from './select.ts';

function candidate(
  id: string,
  more: Partial<Candidate['ref']> & Partial<Candidate> = {},
): Candidate {
  const { tags = [], mark, ...ref } = more;
  const file = 'chaos/register.chaos.ts';
  return { ref: { id, title: id, file, ...ref }, tags, ...(mark !== undefined && { mark }) };
}

const ALL: readonly Candidate[] = [
  candidate('register/pause leader', { line: 3, tags: ['@quick'], project: 'lin' }),
  candidate('register/partition', { line: 9, tags: ['@slow'], project: 'lin' }),
  candidate('bank/kill all', { line: 2, file: 'chaos/bank.chaos.ts', project: 'lin' }),
  candidate('register/pause leader', { line: 3, tags: ['@quick'], project: 'serial' }),
];

function titles(by: Partial<Selection>, all: readonly Candidate[] = ALL): readonly string[] {
  return selectTests(all, { filters: [], ...by }).tests.map(({ ref }) =>
    [ref.title, ref.project ?? []].flat().join(' '),
  );
}

describe('a filter', () => {
  test('is part of a path or of a title, in any case, and one of several is enough', () => {
    expect(titles({ filters: ['BANK'] })).toEqual(['bank/kill all lin']);
    expect(titles({ filters: ['register.chaos'] })).toHaveLength(3);
    expect(titles({ filters: ['partition', './chaos/bank'] })).toEqual([
      'register/partition lin',
      'bank/kill all lin',
    ]);
  });

  test('with a line means the call that the line stands in', () => {
    const leaders = ['register/pause leader lin', 'register/pause leader serial'];
    expect(titles({ filters: ['chaos/register.chaos.ts:3'] })).toEqual(leaders);
    expect(titles({ filters: ['register.chaos.ts:8:20'] })).toEqual(leaders);
    expect(titles({ filters: ['register.chaos.ts:400'] })).toEqual(['register/partition lin']);
    expect(titles({ filters: ['register.chaos.ts:1'] })).toEqual([]);
  });
});

describe('a pattern', () => {
  test('is looked for in title, tags and project', () => {
    expect(titles({ grep: '^bank' })).toEqual(['bank/kill all lin']);
    expect(titles({ grep: '@SLOW' })).toEqual(['register/partition lin']);
    expect(titles({ grep: String.raw`pause.*\[serial\]` })).toEqual([
      'register/pause leader serial',
    ]);
  });

  test('turned round leaves out what it matches', () => {
    expect(titles({ grepInvert: '@quick' })).toEqual([
      'register/partition lin',
      'bank/kill all lin',
    ]);
    expect(titles({ grep: 'register', grepInvert: 'pause' })).toEqual(['register/partition lin']);
  });

  test('that is none is refused in one line', () => {
    expect(() => titles({ grep: '(' })).toThrow(
      new HarnessError('bad-option', "--grep: '(' is no regular expression: Unterminated group"),
    );
    expect(() => titles({ grepInvert: '[b-a]' })).toThrow(
      /^--grep-invert: '\[b-a\]' is no regular/,
    );
  });
});

describe('marks', () => {
  const marked = [
    ...ALL,
    candidate('one', { mark: 'only' }),
    candidate('two', { mark: 'only' }),
    candidate('three', { mark: 'skip' }),
  ];

  test('while one test is marked with only, no other runs, and filters choose among those', () => {
    expect(titles({}, marked)).toEqual(['one', 'two']);
    expect(titles({ filters: ['tw'] }, marked)).toEqual(['two']);
    expect(titles({ filters: ['bank'] }, marked)).toEqual([]);
  });

  test('only is an error where it is forbidden, whatever was asked for', () => {
    expect(() => titles({ forbidOnly: true, filters: ['bank'] }, marked)).toThrow(
      "chaos/register.chaos.ts 'one' is marked with test.only; take the mark away",
    );
    expect(titles({ forbidOnly: true })).toHaveLength(4);
  });

  test('what is skipped is told apart from what nobody asked for', () => {
    const all = [...ALL, candidate('three', { mark: 'skip' })];
    const { tests, skipped, selected } = selectTests(all, { filters: ['three', 'bank'] });
    expect([tests.length, skipped.map(({ ref }) => ref.title), selected]).toEqual([
      1,
      ['three'],
      1,
    ]);
  });
});

describe('a shard', () => {
  const many = Array.from({ length: 11 }, (_, at) => candidate(`t${at}`));

  test('is cut out of what was selected, and all shards together are all of it', () => {
    for (const total of [1, 2, 3, 4, 11, 12]) {
      const shards = Array.from({ length: total }, (_, at) =>
        shardOf(many, { index: at + 1, total }).map(({ ref }) => ref.id),
      );
      expect(shards.flat().toSorted()).toEqual(many.map(({ ref }) => ref.id).toSorted());
      const sizes = shards.map(({ length }) => length);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    }
    const by: Selection = { filters: ['t1'], shard: { index: 2, total: 2 } };
    const { tests, selected } = selectTests(many, by);
    expect([tests.map(({ ref }) => ref.id), selected]).toEqual([['t10'], 2]);
  });

  test('is written as a part of a whole', () => {
    expect(parseShard('2/4')).toEqual({ index: 2, total: 4 });
    for (const text of ['0/4', '5/4', '2', 'a/b', '1/0', '-1/2', ''])
      expect(() => parseShard(text)).toThrow(`--shard: '${text}' is no part of a whole; write 2/4`);
  });
});

test('of the last suite only what failed is selected, in the project where it failed', () => {
  const tests = [{ id: 'another', title: 'register/pause leader', project: 'serial', repeat: 2 }];
  const failed = tests.map((one) => ({ ...one, file: 'chaos/register.chaos.ts' }));
  expect(titles({ lastFailed: { suite: 's1', tests: failed } })).toEqual([
    'register/pause leader serial',
  ]);
  expect(isSame({ id: 'a', title: 't' }, { id: 'a', title: 't', project: 'p' })).toBe(false);
});

describe('when nothing is selected, one line', () => {
  const line = (by: Partial<Selection>, all: readonly Candidate[] = ALL): string =>
    nothingSelected(all, { filters: [], ...by }, 'below chaos');

  test('says what was asked, what there is, and what may have been meant', () => {
    expect(line({ filters: ['regster/partition'] })).toBe(
      "no test that may run matches 'regster/partition' (did you mean 'register/partition'?); " +
        'there are 4 tests in 2 files below chaos',
    );
    expect(line({ filters: ['pasue'], grep: 'x', grepInvert: 'y' })).toMatch(
      /matches 'pasue' and --grep 'x' and --grep-invert 'y' \(did you mean 'pause'\?\); there/,
    );
    expect(line({ filters: ['bank.choas.ts'] })).toContain("(did you mean 'bank.chaos.ts'?)");
  });

  test('says that no test is there, that all are skipped, or that none had failed', () => {
    expect(line({ filters: ['x'] }, [])).toBe(
      'there are no test files below chaos (*.chaos.ts); `schism init` writes a first one',
    );
    expect(line({}, [candidate('a', { mark: 'skip' })])).toBe(
      'there is 1 test in 1 file below chaos, all of them skipped',
    );
    expect(line({ lastFailed: { suite: 's1', tests: [] } })).toMatch(
      /^--last-failed: no test failed in suite s1; there are 4 tests/,
    );
  });
});

test('a test is called by file, line, title and project, with nothing that a terminal obeys', () => {
  expect(
    placeOf({ id: 'x', title: 'a\u001b[31m\nb', file: 'f.chaos.ts', line: 3, project: 'p' }),
  ).toBe("f.chaos.ts:3 'a b' [p]");
  expect(placeOf({ id: 'x', title: 'register' })).toBe("'register'");
});
