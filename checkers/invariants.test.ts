import { expect, test } from 'vitest';
import type { JsonValue } from '../harness/core/json.ts';
import { nanos } from '../harness/core/units.ts';
import { type History, historyOf } from '../harness/history/history.ts';
import type { CheckResult } from '../harness/protocols/checker.ts';
import type { BrokenInvariant } from '../harness/protocols/invariants.ts';
import { recheckCertificate } from './certificates/recheck.ts';
import { invariants } from './invariants.ts';
import { checkContext, provenKinds } from './testkit/context.ts';

function observed(...entries: readonly (readonly [f: string, value: JsonValue])[]): History {
  return historyOf(
    entries.map(([f, value], index) => ({
      index,
      time: nanos(index * 1e9),
      process: 'observer',
      type: 'info',
      f,
      value,
      phase: 'main',
    })),
  );
}

function check(history: History): Promise<CheckResult> {
  return invariants().check(history, checkContext());
}

const COPY = { node: 'n1', term: 3, previousTerm: 2, content: 'command 0000000a' } as const;

/** One of each, and what is said of it. */
const BROKEN: readonly (readonly [BrokenInvariant, string])[] = [
  [
    {
      property: 'election-safety',
      term: 7,
      first: { node: 'n1', life: 1 },
      second: { node: 'n3', life: 2 },
    },
    "n1 and n3 were both elected leader in term 7. This breaks Raft's Election Safety;",
  ],
  [
    {
      property: 'election-safety',
      term: 7,
      first: { node: 'n1', life: 1 },
      second: { node: 'n1', life: 2 },
    },
    'n1 was elected leader twice in term 7, in its lives 1 and 2.',
  ],
  [
    {
      property: 'leader-append-only',
      node: 'n2',
      term: 5,
      index: 17,
      had: { term: 4, content: 'none 1' },
      has: { term: 5, content: 'none 1' },
    },
    'n2, leader of term 5, replaced entry 17 of its own log, of term 4 by one of term 5.',
  ],
  [
    {
      property: 'leader-append-only',
      node: 'n2',
      term: 5,
      index: 17,
      had: { term: 4, content: 'none 1' },
      has: null,
    },
    'n2, leader of term 5, dropped entry 17 of its own log, of term 4.',
  ],
  [
    {
      property: 'log-matching',
      index: 17,
      term: 3,
      first: COPY,
      second: { ...COPY, node: 'n2', content: 'none 00000001' },
    },
    'The logs of n1 and n2 have had an entry 17 of term 3, but not the same one: command 0000000a and none 00000001.',
  ],
  [
    {
      property: 'log-matching',
      index: 17,
      term: 3,
      first: COPY,
      second: { ...COPY, previousTerm: null },
    },
    'Two logs of n1 have had an entry 17 of term 3, after entries of different terms: 2 on n1, none on n1.',
  ],
  [
    {
      property: 'leader-completeness',
      node: 'n3',
      term: 6,
      index: 17,
      committed: { node: 'n1', term: 4, by: 5 },
      has: null,
    },
    'n3 leads term 6 without entry 17 of term 4, which n1 knew to be committed in term 5: its log ends before it.',
  ],
  [
    {
      property: 'state-machine-safety',
      index: 17,
      first: COPY,
      second: { ...COPY, node: 'n2', term: 4, content: 'a snapshot' },
    },
    'Different entries 17 were applied: one of term 3 (command 0000000a) by n1, one of term 4 (a snapshot) by n2.',
  ],
];

const COUNTS = ['raft-invariants', { steps: 1200, elections: 1, applied: 30 }] as const;

test('where nobody looks into the nodes nothing is claimed', async () => {
  expect(await check(historyOf([]))).toMatchObject({
    verdict: 'valid',
    anomalies: [],
    covered: 'nothing: nobody looks into the nodes of this system',
  });
});

test('a pass says how much was looked at', async () => {
  expect(await check(observed(COUNTS))).toMatchObject({
    verdict: 'valid',
    covered:
      "Raft's five properties after each of 1200 steps, 1 term with a leader, 30 applied entries",
  });
});

test.each(BROKEN)('$property: what was seen is told', async (broken, said) => {
  const history = observed(['roles', []], ['raft-invariant', { ...broken } as JsonValue], COUNTS);
  const result = await check(history);
  expect(result.verdict).toBe('invalid');
  expect(provenKinds(result, history)).toEqual([broken.property]);
  expect(result.anomalies[0]?.explanation).toContain(said);
  expect(result.anomalies[0]?.explanation).toContain('by 1.000 s');
});

test.each(BROKEN)('$property: a second opinion asks for a contradiction', async (broken) => {
  const value = { ...broken } as Record<string, JsonValue>;
  const history = observed(['raft-invariant', value]);
  const [anomaly] = (await check(history)).anomalies;
  expect.assert(anomaly !== undefined);
  const another = observed(['raft-invariant', { ...value, index: 99, term: 99 }]);
  expect(recheckCertificate(anomaly, another)).toBe('entry 0 says something else');
  expect(recheckCertificate(anomaly, observed(['roles', value]))).toBe(
    'entry 0 is nothing that was seen inside a node',
  );
  const same: Record<string, JsonValue> = {
    ...value,
    ...(value['first'] !== undefined && { second: value['first'] }),
    ...(broken.property === 'leader-append-only' && { has: value['had'] as JsonValue }),
    ...(broken.property === 'leader-completeness' && { has: 4 }),
  };
  const harmless = observed(['raft-invariant', same]);
  const claim = { ...anomaly, certificate: { entry: 0, ...same } };
  expect(recheckCertificate(claim, harmless)).toBe('what was seen is no contradiction');
});

test('a property that nobody knows here accuses nobody', async () => {
  const history = observed(['raft-invariant', { property: 'liveness' }], ['raft-invariant', null]);
  expect(await check(history)).toMatchObject({ verdict: 'valid', anomalies: [] });
});
