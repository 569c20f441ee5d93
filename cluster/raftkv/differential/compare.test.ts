import { describe, expect, test } from 'vitest';
import type { Accepted } from './accepted.ts';
import { difference, type Entry, lineDiff, type Side } from './compare.ts';

function side(name: string, ...transcript: Entry[]): Side {
  return { name, transcript };
}

const step = (title: string, ...seen: string[]): Entry => ({ title, seen });

describe('the difference of two transcripts', () => {
  test('is none when every step was seen alike', () => {
    const steps = [step('put a', 'OK'), step('get a', 'a', '1')];
    expect(difference(side('etcd', ...steps), side('raftkv', ...steps))).toBeUndefined();
  });

  test('shows the step, what came before, and each line that only one side had', () => {
    const found = difference(
      side('etcd', step('put a', 'OK'), step('get a', 'exit: 0', 'a', '1')),
      side('raftkv', step('put a', 'OK'), step('get a', 'exit: 0', 'a', '2')),
    );
    expect(found?.split('\n')).toEqual([
      'step 2: get a',
      '  before: put a → OK',
      '  - etcd',
      '  + raftkv',
      '    exit: 0',
      '    a',
      '  - 1',
      '  + 2',
    ]);
  });

  test('a missing step and another question are differences', () => {
    const one = side('etcd', step('put a', 'OK'), step('get a', '1'));
    expect(difference(one, side('raftkv', step('put a', 'OK')))).toMatch(
      /^step 2: get a\n {2}but raftkv: nothing more was asked/,
    );
    const asked = side('raftkv', step('put a', 'OK'), step('get b', '1'));
    expect(difference(one, asked)).toMatch(/^step 2: get a\n {2}but raftkv: get b/);
  });

  test('lines in another order, twice or with other blanks are differences', () => {
    const one = side('etcd', step('get', 'a', 'b'));
    for (const seen of [['b', 'a'], ['a', 'b', 'b'], ['a'], ['a', ' b'], []])
      expect(difference(one, side('raftkv', step('get', ...seen)))).toContain('step 1: get');
  });

  test('of many steps five are shown, and of many lines the beginning', () => {
    const steps = (value: string): Entry[] =>
      Array.from({ length: 9 }, (_, at) => step(`get ${at}`, value));
    const found = difference(side('etcd', ...steps('1')), side('raftkv', ...steps('2')));
    expect(found?.match(/^step/gm)).toHaveLength(5);
    expect(found).toContain('... and 4 more steps that differ');
    const lines = (value: string): string[] => Array.from({ length: 99 }, (_, at) => value + at);
    const long = difference(
      side('etcd', step('get', ...lines('a'))),
      side('raftkv', step('get', ...lines('b'))),
    );
    expect(long).toContain('... and 148 more lines');
  });
});

describe('an accepted difference', () => {
  const hash: Accepted = {
    sequence: 's',
    step: /^hash/,
    etcd: /^error$/,
    raftkv: /^hash: /,
    reason: 'newer versions answer',
  };
  const etcd = side('etcd', step('hash 3', 'exit', 'error'));

  test('is no difference', () => {
    const raftkv = side('raftkv', step('hash 3', 'exit', 'hash: 5'));
    expect(difference(etcd, raftkv, [hash])).toBeUndefined();
    expect(difference(etcd, raftkv)).toContain('step 1: hash 3');
  });

  test('covers nothing but what it names', () => {
    const other = side('raftkv', step('hash 3', 'exit', 'panic'));
    expect(difference(etcd, other, [hash])).toContain('+ panic');
    const more = side('raftkv', step('hash 3', 'exit 2', 'hash: 5'));
    expect(difference(etcd, more, [hash])).toContain('+ exit 2');
    const [a, b] = [side('etcd', step('get', 'error')), side('raftkv', step('get', 'hash: 5'))];
    expect(difference(a, b, [hash])).toContain('step 1: get');
  });

  test('must be seen, or it is to be taken out', () => {
    expect(difference(etcd, { ...etcd, name: 'raftkv' }, [hash])).toBe(
      "accepted, but not seen: a difference at '/^hash/' (newer versions answer)",
    );
  });
});

test('a diff keeps every line of both sides in order', () => {
  const [one, other] = [Array.from('abcabba'), Array.from('cbabac')];
  const lines = lineDiff(one, other);
  const without = (mark: string): string =>
    lines.flatMap((each) => (each.mark === mark ? [] : [each.line])).join('');
  expect(without('+')).toBe('abcabba');
  expect(without('-')).toBe('cbabac');
  expect(lines.filter(({ mark }) => mark === ' ')).toHaveLength(4);
});
