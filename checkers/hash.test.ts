import { describe, expect, test } from 'vitest';
import type { History } from '../harness/history/history.ts';
import { parseHistory, printHistory } from '../harness/history/notation.ts';
import type { CheckResult } from '../harness/protocols/checker.ts';
import { recheckCertificate } from './certificates/recheck.ts';
import { hash } from './hash.ts';
import { checkContext, folded, provenKinds, randomOf } from './testkit/context.ts';

const check = (history: History): Promise<CheckResult> => hash().check(history, checkContext());

interface Said {
  readonly node: string;
  readonly hash?: number;
  readonly revision?: number;
  readonly compactRevision?: number;
}

/** Every node is asked by a client of its own; one without a hash refuses to say it. */
function historyOf(said: readonly Said[]): History {
  const lines = said.flatMap(({ node, hash: one, revision = 9, compactRevision = -1 }, at) => [
    `${at} invoke hash - ${revision} @${node} ph=final`,
    one === undefined
      ? `${at} fail err=future-revision?`
      : `${at} ok hash - ${JSON.stringify({ hash: one, revision, compactRevision })}`,
  ]);
  return parseHistory(lines.join('\n'));
}

describe('what is compared', () => {
  test('nodes that say the same at one revision', async () => {
    const same = ['n1', 'n2', 'n3'].map((node) => ({ node, hash: 77 }));
    const result = await check(historyOf(same));
    expect(result).toMatchObject({ verdict: 'valid', anomalies: [] });
    expect(result.covered).toBe('3 of 3 nodes compared, up to revision 9');
    expect(result.details).toEqual({
      moments: [{ revision: 9, compactRevision: -1, nodes: { n1: 77, n2: 77, n3: 77 } }],
      alone: [],
    });
  });

  test('a node that never came so far is not covered, and is named', async () => {
    const result = await check(
      historyOf([{ node: 'n1', hash: 7 }, { node: 'n2', hash: 7 }, { node: 'n3' }]),
    );
    expect(result).toMatchObject({ verdict: 'valid', details: { alone: ['n3'] } });
    expect(result.covered).toBe('2 of 3 nodes compared, up to revision 9');
  });

  test('nobody, in a run that was interrupted before', async () => {
    const result = await check(parseHistory('0 invoke write x 1 @n1; 0 ok'));
    expect(result).toMatchObject({
      verdict: 'valid',
      covered: 'nothing was compared: no node was asked for its hash',
    });
  });

  test('one node has nobody to differ from', async () => {
    const result = await check(historyOf([{ node: 'n1', hash: 7 }, { node: 'n2' }]));
    expect(result).toMatchObject({
      verdict: 'valid',
      covered: 'nothing was compared: 1 of 2 nodes answered',
    });
  });

  test('not what was said of different revisions, or after different compactions', async () => {
    const revisions = historyOf([
      { node: 'n1', hash: 7, revision: 8 },
      { node: 'n2', hash: 9, revision: 9 },
    ]);
    const compactions = historyOf([
      { node: 'n1', hash: 7, compactRevision: 3 },
      { node: 'n2', hash: 9, compactRevision: 5 },
    ]);
    for (const history of [revisions, compactions]) {
      const result = await check(history);
      expect(result).toMatchObject({ verdict: 'unknown', anomalies: [] });
      expect(result.reason).toContain('2 nodes said a hash, but no two of the same revision');
    }
  });

  test('not what is no hash at all', async () => {
    const odd = [null, 5, [1], { hash: 'x', revision: 9, compactRevision: 0 }, { hash: 7 }];
    const lines = odd.map(
      (value, at) => `${at} invoke hash - 9 @n${at}\n${at} ok hash - ${JSON.stringify(value)}`,
    );
    const result = await check(parseHistory(lines.join('\n')));
    expect(result.covered).toBe('nothing was compared: 0 of 5 nodes answered');
  });
});

describe('what is found', () => {
  test('one copy that differs from the others', async () => {
    const history = historyOf([
      { node: 'n2', hash: 0xbad, compactRevision: 4 },
      { node: 'n1', hash: 7, compactRevision: 4 },
      { node: 'n3', hash: 7, compactRevision: 4 },
    ]);
    const result = await check(history);
    expect(result.verdict).toBe('invalid');
    expect(provenKinds(result, history)).toEqual(['replicas-diverge']);
    expect(folded(result.anomalies[0]?.explanation ?? '')).toBe(
      [
        'Asked for the hash of all they hold at revision 9 (compacted at 4), n1 and n3 said',
        '00000007 and n2 said 00000bad. n2 differs from the majority. The same changes in the',
        'same order leave one state on every node; here the copies of the store are no copies',
        'of each other any more.',
      ].join('\n'),
    );
  });

  test('copies of which no two agree', async () => {
    const history = historyOf(['n1', 'n2'].map((node, at) => ({ node, hash: at })));
    const result = await check(history);
    expect(provenKinds(result, history)).toEqual(['replicas-diverge']);
    expect(result.anomalies[0]?.explanation).toContain('held by more than half of them');
  });

  test('the lowest revision at which they differ, once', async () => {
    const history = historyOf([
      { node: 'n1', hash: 1, revision: 20 },
      { node: 'n2', hash: 2, revision: 20 },
      { node: 'n1', hash: 3, revision: 8 },
      { node: 'n2', hash: 4, revision: 8 },
    ]);
    const { anomalies } = await check(history);
    expect(anomalies.map(({ certificate }) => certificate['revision'])).toEqual([8]);
  });

  test('a node whose past changed', async () => {
    const history = historyOf([
      { node: 'n1', hash: 1 },
      { node: 'n1', hash: 2 },
    ]);
    const result = await check(history);
    expect(provenKinds(result, history)).toEqual(['past-changed']);
    expect(result.anomalies[0]?.explanation).toContain('n1 said 00000001 at 0.001 s and 00000002');
  });

  test('any one hash that is changed, of any number of nodes', async () => {
    for (let seed = 0; seed < 100; seed++) {
      const random = randomOf(seed);
      const nodes = Array.from({ length: random.int(2, 7) }, (_, at) => `n${at + 1}`);
      const revisions = [random.int(1, 5), random.int(6, 9)];
      const said = revisions.flatMap((revision) =>
        nodes.map((node) => ({ node, revision, hash: revision * 1000 })),
      );
      expect((await check(historyOf(said))).verdict).toBe('valid');
      const at = random.int(0, said.length - 1);
      const history = historyOf(said.map((one, n) => (n === at ? { ...one, hash: 1 } : one)));
      const result = await check(history);
      expect(provenKinds(result, history)).toEqual(['replicas-diverge']);
    }
  });
});

describe('a second opinion', () => {
  const history = historyOf([
    { node: 'n1', hash: 1 },
    { node: 'n2', hash: 2 },
    { node: 'n2', hash: 2 },
    { node: 'n3' },
    { node: 'n4', hash: 2, revision: 8 },
  ]);
  const opinion = (kind: string, answers: readonly number[], ops = answers): true | string =>
    recheckCertificate(
      {
        kind,
        ops,
        certificate: { revision: 9, compactRevision: -1, answers },
        explanation: '',
      },
      history,
    );

  test('agrees with what is so', () => {
    expect(printHistory(history)).toContain('2 invoke hash');
    expect(opinion('replicas-diverge', [0, 2])).toBe(true);
  });

  test.for<readonly [string, readonly number[], string]>([
    ['replicas-diverge', [2, 4], 'one node is named twice'],
    ['replicas-diverge', [2], 'all of them said the same'],
    ['replicas-diverge', [0, 6], 'entry 6 asked for no hash'],
    ['replicas-diverge', [0, 8], 'entry 8 is about another revision'],
    ['replicas-diverge', [0, 3], 'entry 3 is not the invocation'],
    ['past-changed', [0, 2], 'these are not two answers of one node'],
    ['past-changed', [2, 4], 'the node said the same twice'],
  ])('refuses %s by %j: %s', ([kind, answers, why]) => {
    expect(opinion(kind, answers)).toContain(why);
  });

  test('refuses answers that are not among the operations, and no answers', () => {
    expect(opinion('replicas-diverge', [0, 2], [0])).toContain('not among the operations');
    const bare = { kind: 'past-changed', ops: [], certificate: {}, explanation: '' };
    expect(recheckCertificate(bare, history)).toBe('it names no answers');
  });
});
