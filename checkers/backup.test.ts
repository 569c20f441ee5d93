import { describe, expect, test } from 'vitest';
import { parseHistory } from '../harness/history/notation.ts';
import type { Backup } from '../harness/protocols/admin.ts';
import type { CheckResult } from '../harness/protocols/checker.ts';
import { backup } from './backup.ts';
import { recheckCertificate } from './certificates/recheck.ts';
import { checkContext, folded, provenKinds } from './testkit/context.ts';

/** Two keys, a lost compare-and-set, a write of unknown outcome, a deletion; all before the backup. */
const LOAD = `
0 invoke write x 1 @n1
0 ok rev=2 mod=2 cluster=c1 member=a1
1 invoke write y 7 @n2
1 ok rev=3 mod=3 cluster=c1 member=a2
0 invoke cas x 1>2 @n1
0 ok rev=4 mod=4
1 invoke cas x 1>9 @n2
1 fail err=cas-mismatch! seen=2 rev=4 mod=4
2 invoke write y 8 @n1
2 info err=request-timed-out?
1 invoke write z 5 @n2
1 ok rev=6 mod=6
1 invoke write z _ @n2
1 ok rev=7
1 invoke read x _ @n2
1 ok read x 2 rev=7 mod=4
`;

const HASH = { hash: 42, revision: 7, compactRevision: 2 };
const GOOD: Backup = {
  revision: 7,
  cluster: 'c2',
  member: 'b1',
  hash: HASH,
  source: HASH,
  keys: [
    ['x', 2, 4],
    ['y', 8, 5],
  ],
};

/** The load, a backup, and what came later. */
function check(value: unknown, later = '', load = LOAD): Promise<CheckResult> {
  return backup().check(history(value, later, load), checkContext());
}

function history(value: unknown, later = '', load = LOAD): ReturnType<typeof parseHistory> {
  const taken = `3 invoke backup - _ @n2\n3 ok backup - ${JSON.stringify(value)} cluster=c1`;
  return parseHistory(`${load}\n${taken}\n${later}`);
}

async function kindsOf(value: unknown, later = '', load = LOAD): Promise<string[]> {
  return provenKinds(await check(value, later, load), history(value, later, load));
}

const withKeys = (...keys: Backup['keys']): Backup => ({ ...GOOD, keys });

describe('a backup is right', () => {
  test.for<readonly [string, Backup]>([
    ['that holds what was acknowledged, and a write of unknown outcome', GOOD],
    ['that does not hold a write of unknown outcome', withKeys(['x', 2, 4], ['y', 7, 3])],
    [
      'that is newer than all that was answered, by a write of unknown outcome',
      { ...withKeys(['x', 2, 4], ['y', 8, 8]), revision: 8 },
    ],
    [
      'whose hash cannot be compared, because there was a compaction in between',
      { ...GOOD, source: { ...HASH, compactRevision: 5, hash: 41 } },
    ],
  ])('%s', async ([, value]) => {
    const result = await check(value);
    expect(result).toMatchObject({ verdict: 'valid', anomalies: [] });
    expect(result.covered).toBe('1 of 1 backup restored and compared, of up to 2 keys');
  });

  test('that lacks a key which somebody may have deleted', async () => {
    const load = `${LOAD}\n4 invoke write x _ @n1\n4 info err=request-timed-out?`;
    expect(await kindsOf(withKeys(['y', 8, 5]), '', load)).toEqual([]);
  });

  test('that is older than what was acknowledged after it was asked for', async () => {
    const later = '0 invoke write x 3 @n1\n0 ok rev=8 mod=8';
    expect(await kindsOf(GOOD, later)).toEqual([]);
  });

  test('that holds keys of which nothing is known, where other things were asked, too', async () => {
    const value = withKeys(...GOOD.keys, ['lock/1', 'c3', 6]);
    expect(await kindsOf(value)).toEqual(['backup-phantom']);
    expect(await kindsOf(value, '', `${LOAD}\n4 invoke acquire - _ @n1\n4 ok`)).toEqual([]);
  });
});

const WRONG: readonly (readonly [kind: string, what: string, value: Backup, says: string])[] = [
  [
    'backup-lost-write',
    'without an acknowledged write',
    withKeys(['y', 8, 5]),
    'It has no x, though c0 was told that x = 2 is written at revision 4.',
  ],
  [
    'backup-lost-write',
    'with an older value',
    withKeys(['x', 1, 2], ['y', 7, 3]),
    'It holds x = 1 of revision 2, though',
  ],
  [
    'backup-lost-write',
    'with a key that was deleted',
    withKeys(...GOOD.keys, ['z', 5, 6]),
    'It holds z = 5 of revision 6, though c1 was told that z is deleted at revision 7.',
  ],
  [
    'backup-stale',
    'that is older than what was answered before',
    { ...withKeys(['x', 2, 4], ['y', 7, 3]), revision: 4 },
    'Before it was asked for, c1 was told that z is deleted at revision 7.',
  ],
  [
    'backup-phantom',
    'with a value that nobody wrote',
    withKeys(['x', 2, 4], ['y', 99, 5]),
    'It holds y = 99 of revision 5, a value that nobody ever tried to write.',
  ],
  [
    'backup-phantom',
    'with a value that was refused',
    withKeys(['x', 9, 5], ['y', 7, 3]),
    'a value that was never written: c1 sent it at 0.006 s and was refused.',
  ],
  [
    'backup-wrong-value',
    'with another value at an acknowledged revision',
    withKeys(['x', 1, 4], ['y', 7, 3]),
    'at that same revision. A revision gives a key one value.',
  ],
  [
    'backup-wrong-revision',
    'with a value at another revision',
    withKeys(['x', 2, 5], ['y', 7, 3]),
    'It holds x = 2 of revision 5, but c0 was told that x = 2 is written at revision 4',
  ],
  [
    'backup-wrong-revision',
    'with something newer than itself',
    withKeys(['x', 2, 4], ['y', 8, 9]),
    'It holds y = 8 of revision 9, a later one than its own',
  ],
  [
    'backup-differs',
    'whose hash is not that of the node',
    { ...GOOD, source: { ...HASH, hash: 41 } },
    'has the hash 0000002a there, while n2 itself said 00000029',
  ],
  [
    'restored-same-id',
    'that is restored as the same cluster',
    { ...GOOD, cluster: 'c1' },
    'The new cluster calls itself c1, and so does what it was taken from: n1 said so in an answer to c0',
  ],
  [
    'restored-same-id',
    'that is restored as the same member',
    { ...GOOD, member: 'a2' },
    'Its new member calls itself a2',
  ],
];

describe('a backup is wrong', () => {
  test.for(WRONG)('%s: %s', async ([kind, , value, says]) => {
    const result = await check(value);
    expect(result.verdict).toBe('invalid');
    expect(provenKinds(result, history(value))).toContain(kind);
    const found = result.anomalies.find((anomaly) => anomaly.kind === kind);
    expect(found?.explanation).toContain('The backup that c3 took from n2 at 0.016 s');
    expect(found?.explanation).toContain(says);
  });

  test('with a value that was sent after it was there', async () => {
    const later = '0 invoke write y 50 @n1\n0 ok rev=9 mod=9';
    const value = withKeys(['x', 2, 4], ['y', 50, 7]);
    const result = await check(value, later);
    expect(provenKinds(result, history(value, later))).toEqual(['backup-phantom']);
    expect(folded(result.anomalies[0]?.explanation ?? '')).toBe(
      [
        'The backup that c3 took from n2 at 0.016 s was restored at revision 7. It holds y =',
        '50 of revision 7, a value that nobody had sent before the backup was there: c0 sent',
        'it at 0.018 s.',
      ].join('\n'),
    );
  });

  test('each kind is named once, at the first backup that shows it', async () => {
    const bad = JSON.stringify({ ...GOOD, cluster: 'c1' });
    const later = `4 invoke backup - _ @n1\n4 ok backup - ${bad}`;
    const { anomalies } = await check({ ...GOOD, cluster: 'c1' }, later);
    expect(anomalies.map(({ certificate }) => certificate['backup'])).toEqual([16]);
  });
});

describe('what is not known', () => {
  const asked = (end: string) =>
    backup().check(parseHistory(`${LOAD}\n3 invoke backup - _ @n2\n3 ${end}`), checkContext());

  test('nobody asked: nothing is claimed', async () => {
    const result = await backup().check(parseHistory(LOAD), checkContext());
    expect(result).toMatchObject({ verdict: 'valid', covered: 'no backup was asked for' });
  });

  test('none was restored: unknown, and why', async () => {
    const result = await asked('fail err=restore-binary-missing!"etcdctl was not found"');
    expect(result).toMatchObject({
      verdict: 'unknown',
      covered: '0 of 1 backup restored and compared',
      reason: expect.stringContaining('the last one: etcdctl was not found'),
    });
  });

  test('what is no backup at all is none', async () => {
    expect((await asked('ok backup - {"revision":7}')).verdict).toBe('unknown');
    expect((await asked('ok backup - [1,2,3]')).verdict).toBe('unknown');
  });

  test('a complete one that could not be restored, though another was', async () => {
    const later = '4 invoke backup - _ @n1\n4 fail err=not-restored!"its hash is wrong"';
    const result = await check(GOOD, later);
    expect(result).toMatchObject({
      verdict: 'unknown',
      reason: 'A complete backup could not be restored: its hash is wrong',
    });
  });
});

describe('a second opinion', () => {
  const opinion = (kind: string, key?: string, certificate = {}): true | string =>
    recheckCertificate(
      {
        kind,
        ...(key !== undefined && { key }),
        ops: [],
        certificate: { backup: 16, ...certificate },
        explanation: '',
      },
      history(GOOD),
    );

  test.for<readonly [string, string | undefined, object, string]>([
    ['restored-same-id', undefined, { what: 'cluster', other: 0 }, 'the ids differ'],
    ['restored-same-id', undefined, { other: 0 }, 'it does not say whose id'],
    ['backup-stale', undefined, { other: 0 }, 'the backup is not older'],
    ['backup-lost-write', 'x', { other: 0 }, 'the backup has something newer'],
    ['backup-lost-write', 'x', { other: 2 }, 'the other one is about another key'],
    ['backup-wrong-value', 'x', { other: 4 }, 'the values are the same'],
    ['backup-wrong-value', 'z', {}, 'the backup lacks the key'],
    ['backup-phantom', 'y', {}, 'somebody may have written the value'],
    ['backup-wrong-revision', 'y', {}, 'the revision is not beyond it'],
    ['backup-wrong-revision', 'x', { other: 4 }, 'it may have been written at that revision'],
    ['backup-differs', undefined, {}, 'the hashes are the same'],
    ['backup-differs', undefined, { backup: 0 }, 'it names no backup'],
    ['backup-differs', undefined, { backup: 99 }, 'the history has no entry 99'],
  ])('refuses %s of %s by %j: %s', ([kind, key, certificate, why]) => {
    expect(opinion(kind, key, certificate)).toBe(why);
  });
});
