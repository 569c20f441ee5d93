import { describe, expect, test } from 'vitest';
import type { SuiteManifest } from '../../harness/protocols/suite.ts';
import { mergeSuites, type Part } from './merge.ts';
import { madeSuite, madeTest } from './testing.ts';

function shard(
  index: number,
  tests: Part['result']['tests'],
  more: Partial<SuiteManifest> = {},
): Part {
  const manifest = { shard: { index, total: 2 }, suite: `s000${index}`, ...more };
  return { source: `${index}.zip`, result: madeSuite(tests, manifest) };
}

const FIRST = shard(1, [madeTest('a', '1111'), madeTest('b', '2222')]);
const SECOND = shard(2, [madeTest('c', '3333'), madeTest('d', '4444', 'fail')], {
  startedAt: '2026-01-01T00:00:02.000Z',
  seed: '0x2',
});

describe('shards of one suite', () => {
  test('become one, in their order, whichever came first', () => {
    const { result, missing } = mergeSuites([SECOND, FIRST], 's9999');
    expect(result.tests.map((each) => each.test.id)).toEqual(['a', 'b', 'c', 'd']);
    expect(result.manifest).toMatchObject({
      suite: 's9999',
      mergedFrom: ['1/2', '2/2'],
      startedAt: '2026-01-01T00:00:00.000Z',
      seed: '0x1, 0x2',
      selected: 4,
    });
    expect(result.manifest).not.toHaveProperty('shard');
    expect(missing).toEqual([]);
  });

  test('have the worst exit code of all, and last from the first start to the last end', () => {
    const { result } = mergeSuites([FIRST, SECOND], 's9999');
    expect(result).toMatchObject({ exitCode: 1, wallMs: 7000 });
  });

  test('that are missing are named, and are an error unless there is a violation', () => {
    const alone = mergeSuites([FIRST], 's9999');
    expect(alone.missing).toEqual(['shard 2/2 is missing']);
    expect(alone.result.exitCode).toBe(3);
    expect(mergeSuites([SECOND], 's9999')).toMatchObject({
      missing: ['shard 1/2 is missing'],
      result: { exitCode: 1 },
    });
  });

  test('an interrupted shard makes an interrupted suite', () => {
    const cut: Part = {
      ...FIRST,
      result: { ...FIRST.result, exitCode: 130, interrupted: 'SIGINT' },
    };
    const { result } = mergeSuites([cut, shard(2, [])], 's9999');
    expect(result).toMatchObject({ exitCode: 130, interrupted: 'SIGINT' });
  });

  test('a shard without a test is a shard', () => {
    expect(mergeSuites([FIRST, shard(2, [])], 's9999').missing).toEqual([]);
  });
});

test('what is marked with test.skip is told by every shard, and stands there once', () => {
  const skipped = { ...madeTest('z', '9999'), runs: [], outcome: 'not-run', exitCode: 0 } as const;
  const parts = [FIRST, SECOND].map((part): Part => {
    return { ...part, result: { ...part.result, tests: [...part.result.tests, skipped] } };
  });
  const { result } = mergeSuites(parts, 's9999');
  expect(result.tests.map(({ test: { id } }) => id)).toEqual(['a', 'b', 'z', 'c', 'd']);
  const ran = shard(2, [madeTest('z', '8888')]);
  expect(() => mergeSuites([parts[0] ?? FIRST, ran], 's9999')).toThrow('test z stands in');
});

test('a part that says less than its tests does not hide them', () => {
  const lie: Part = { ...SECOND, result: { ...SECOND.result, exitCode: 0 } };
  expect(mergeSuites([FIRST, lie], 's9999').result.exitCode).toBe(1);
});

describe('what is not of one suite is refused, with both places', () => {
  test.each<[string, Part, string]>([
    ['the same shard', shard(1, []), 'shard 1/2 stands in 1.zip and in 1.zip'],
    ['the same test', shard(2, [madeTest('b', '5555')]), 'test b stands in 1.zip and in 2.zip'],
    [
      'another version',
      shard(2, [], { version: '2.0.0' }),
      'another version of schism: 1.0.0 in 1.zip, 2.0.0 in 2.zip',
    ],
    [
      'another config',
      shard(2, [], { config: 'other.ts' }),
      'another config: schism.config.ts in 1.zip, other.ts in 2.zip',
    ],
    [
      'other shards',
      shard(2, [], { shard: { index: 2, total: 3 } }),
      'another number of shards: 2 in 1.zip, 3 in 2.zip',
    ],
    [
      'another selection',
      shard(2, [], { selected: 5 }),
      'another number of selected tests: 4 in 1.zip, 5 in 2.zip',
    ],
  ])('%s', (_, other, message) => {
    expect(() => mergeSuites([FIRST, other], 's9999')).toThrow(`merge: ${message}`);
  });
});

test('suites without shards are joined if no test stands in both', () => {
  const parts = ['x', 'y'].map((id, at) => ({
    source: id,
    result: madeSuite([madeTest(id, `000${at}`)], { suite: `s000${at}`, selected: 1 }),
  }));
  expect(mergeSuites(parts, 's9999').result.manifest).toMatchObject({
    mergedFrom: ['s0000', 's0001'],
    selected: 2,
  });
});

test('what shards explored is added up; without any, nothing is said of it', () => {
  const explored = {
    runs: 5,
    ms: 100,
    operations: 7,
    fresh: 2,
    situations: 3,
    undecided: 1,
    findings: 0,
  };
  const [first, second] = [FIRST, SECOND].map((part) => ({
    ...part,
    result: { ...part.result, explored: { ...explored, ms: part === FIRST ? 100 : 90 } },
  })) as [Part, Part];
  expect(mergeSuites([first, second], 's9999').result.explored).toEqual({
    runs: 10,
    ms: 100,
    operations: 14,
    fresh: 4,
    situations: 6,
    undecided: 2,
    findings: 0,
  });
  expect(mergeSuites([FIRST, SECOND], 's9999').result).not.toHaveProperty('explored');
});
