import { expect, test } from 'vitest';
import { nanos } from '../harness/core/units.ts';
import type { History } from '../harness/history/history.ts';
import { parseHistory } from '../harness/history/notation.ts';
import type { CheckContext, CheckResult } from '../harness/protocols/checker.ts';
import type { ReadModeRow, ReadModesDetails } from '../harness/protocols/details.ts';
import { readModes } from './read-modes.ts';
import { checkContext, folded, provenKinds } from './testkit/context.ts';

const STRICT = { linearizable: 'linearizable', serializable: 'linearizable' } as const;

function check(history: History, ctx: Partial<CheckContext> = {}): Promise<CheckResult> {
  return readModes().check(history, checkContext(ctx));
}

function rowsOf(result: CheckResult): readonly ReadModeRow[] {
  return (result.details as unknown as ReadModesDetails).modes;
}

/** A local read at n2 that is two versions and 300 ms behind. */
const STALE = parseHistory(`
  0 invoke write x 1 @n1 t=0ms; 0 ok t=10ms rev=2
  0 invoke write x 2 @n1 t=100ms; 0 ok t=110ms rev=3
  0 invoke write x 3 @n1 t=200ms; 0 ok t=210ms rev=4
  1 invoke read x @n2 mode=linearizable t=300ms; 1 ok read x 3 t=310ms mod=4 rev=4
  2 invoke read x @n2 mode=serializable t=410ms; 2 ok read x 1 t=411ms mod=2 rev=2
  2 invoke read x @n2 mode=serializable t=500ms; 2 ok read x 3 t=501ms mod=4 rev=4`);

/** With a value that is written twice, about which nothing can be said without a search. */
const REPEATED = parseHistory(`
  0 invoke write x 1 @n1 t=0ms; 0 ok t=10ms rev=2
  0 invoke write x 3 @n1 t=100ms; 0 ok t=110ms rev=3
  0 invoke write x 3 @n1 t=200ms; 0 ok t=210ms rev=4
  1 invoke read x @n2 mode=linearizable t=300ms; 1 ok read x 3 t=310ms mod=4 rev=4
  2 invoke read x @n2 mode=serializable t=410ms; 2 ok read x 1 t=411ms mod=2 rev=2`);

test('what was asked beside registers stays, and so do the keys that it may be about', () => {
  const alone = parseHistory('0 invoke write x 1; 0 ok; 1 invoke write y 2; 1 ok');
  expect(readModes().removals?.(alone)).toMatchObject({ keys: true });
  const beside = parseHistory('0 invoke write x 1; 0 ok; 1 invoke txn; 1 ok');
  const removals = readModes().removals?.(beside);
  expect(removals).toMatchObject({ keys: false });
  expect([...(removals?.operations ?? [])]).toEqual([0]);
});

test('stale and allowed: valid, and it says how stale', async () => {
  const result = await check(STALE);
  expect(result).toMatchObject({ verdict: 'valid', anomalies: [] });
  expect(result.covered).toBe('1 linearizable read, 2 serializable reads');
  expect(rowsOf(result)).toEqual([
    {
      mode: 'linearizable',
      promise: 'linearizable',
      reads: 1,
      result: 'kept',
      stale: 0,
      staleMsMax: 0,
      staleMsP50: 0,
      staleVersionsMax: 0,
      backwardsPerNode: 0,
      backwardsAcrossNodes: 0,
      missedOwnWrite: 0,
      strongest: 'linearizable',
    },
    {
      mode: 'serializable',
      promise: 'serializable',
      reads: 2,
      result: 'kept',
      stale: 1,
      staleMsMax: 300,
      staleMsP50: 300,
      staleReads: [[8, 300, 2]],
      staleVersionsMax: 2,
      backwardsPerNode: 0,
      backwardsAcrossNodes: 0,
      missedOwnWrite: 0,
      strongest: 'serializable',
      stalestRead: 8,
    },
  ]);
});

test('the same read breaks a promise to be linearizable, in a sentence that holds', async () => {
  const result = await check(STALE, { promises: STRICT });
  expect(result.verdict).toBe('invalid');
  expect(provenKinds(result, STALE)).toEqual(['stale-read']);
  expect(rowsOf(result)[1]).toMatchObject({ result: 'broken', strongest: 'serializable' });
  expect(folded(result.anomalies[0]?.explanation ?? '')).toMatchInlineSnapshot(`
    "Client c2 read x = 1 at 0.410 s from n2. That value was out of date: c0 had been
    told that x = 2 was stored 300 ms before this read began, and 1 was stored 90 ms
    before that write was sent. No order of these three operations explains the read: 1
    was written only once. Reads that ask for serializable were promised to be
    linearizable."
  `);
});

test('an absent key has no revision: once it was deleted, its reads are no older for that', async () => {
  const deleted = parseHistory(`
    0 invoke write x 1 @n1 t=0ms; 0 ok t=10ms rev=2
    0 invoke write x _ @n1 t=100ms; 0 ok t=110ms rev=3
    1 invoke read x @n2 mode=linearizable t=300ms; 1 ok read x _ t=310ms mod=0 rev=3`);
  expect(await check(deleted, { promises: STRICT })).toMatchObject({ verdict: 'valid' });
  const stale = parseHistory(`
    0 invoke write x 1 @n1 t=0ms; 0 ok t=10ms rev=2
    1 invoke read x @n2 mode=linearizable t=300ms; 1 ok read x _ t=310ms mod=0 rev=2`);
  expect(await check(stale, { promises: STRICT })).toMatchObject({ verdict: 'invalid' });
});

test('values that repeat: the revisions still show what is stale', async () => {
  const history = parseHistory(`
    0 invoke write x 1 t=0ms; 0 ok t=1ms rev=2
    0 invoke write x 1 t=2ms; 0 ok t=3ms rev=3
    1 invoke read x t=10ms; 1 ok read x 1 t=11ms mod=2 rev=2`);
  const result = await check(history);
  expect(result.verdict).toBe('invalid');
  expect(provenKinds(result, history)).toEqual(['stale-read']);
  expect(folded(result.anomalies[0]?.explanation ?? '')).toMatchInlineSnapshot(`
    "Client c1 read x = 1 at 0.010 s, which is revision 2 of the key. That was out of
    date: c0 had been told that x = 1 was stored as revision 3 7.0 ms before this read
    began."
  `);
});

test('without revisions, values that were written once order the versions', async () => {
  const history = parseHistory(`
    0 invoke write x 1 t=0ms; 0 ok t=1ms
    0 invoke write x 2 t=2ms; 0 ok t=3ms
    0 invoke write x 3 t=4ms; 0 ok t=5ms
    1 invoke read x @n1 mode=serializable t=13ms; 1 ok read x 1 t=14ms
    0 invoke read x @n1 mode=serializable t=15ms; 0 ok read x 2 t=16ms
    1 invoke read x @n2 mode=serializable t=17ms; 1 ok t=18ms`);
  const [row] = rowsOf(await check(history));
  expect(row).toMatchObject({
    result: 'kept',
    stale: 3,
    staleMsMax: 16,
    staleMsP50: 10,
    staleVersionsMax: 3,
    backwardsAcrossNodes: 1,
    missedOwnWrite: 1,
    strongest: 'serializable',
  });
});

const BACKWARDS: readonly (readonly [name: string, text: string])[] = [
  [
    'a key goes back for one client at one node',
    `0 invoke write x 1; 0 ok rev=2; 0 invoke write x 2; 0 ok rev=3
     1 invoke read x @n1 mode=serializable; 1 ok read x 2 mod=3
     1 invoke read x @n1 mode=serializable; 1 ok read x 1 mod=2`,
  ],
  [
    'the store goes back for one client at one node, on another key',
    `0 invoke write x 1; 0 ok rev=2
     1 invoke read x @n1 mode=serializable; 1 ok read x 1 mod=2 rev=9
     1 invoke read y @n1 mode=serializable; 1 ok read y _ mod=0 rev=8`,
  ],
  [
    'a key goes back as its values show',
    `0 invoke write x 1; 0 ok; 0 invoke write x 2; 0 ok
     1 invoke read x @n1 mode=serializable; 1 ok read x 2
     1 invoke read x @n1 mode=serializable; 1 ok read x 1`,
  ],
  [
    'a key goes back to absent',
    `0 invoke write x 1; 0 ok
     1 invoke read x @n1 mode=serializable; 1 ok read x 1
     1 invoke read x @n1 mode=serializable; 1 ok read x _`,
  ],
];

test.for(BACKWARDS)('%s: broken, whatever was promised', async ([, text]) => {
  const history = parseHistory(text);
  const result = await check(history);
  expect(result.verdict).toBe('invalid');
  expect(provenKinds(result, history)).toEqual(['backwards-read']);
  expect(rowsOf(result)[0]).toMatchObject({
    result: 'broken',
    backwardsPerNode: 1,
    strongest: 'none',
  });
});

test('backwards across nodes, or in a new session, is only measured', async () => {
  const result = await check(
    parseHistory(`
      0 invoke write x 1; 0 ok rev=2; 0 invoke write x 2; 0 ok rev=3
      1 invoke read x @n1 mode=serializable; 1 ok read x 2 mod=3 rev=3
      1 invoke read x @n2 mode=serializable; 1 ok read x 1 mod=2 rev=2
      2 invoke read x @n1 mode=serializable; 2 ok read x 1 mod=2 rev=2
      0 invoke read x @n2 mode=serializable; 0 ok read x 1 mod=2 rev=2`),
  );
  expect(result.verdict).toBe('valid');
  expect(rowsOf(result)[0]).toMatchObject({
    backwardsPerNode: 0,
    backwardsAcrossNodes: 1,
    missedOwnWrite: 1,
  });
});

const IMPOSSIBLE: readonly (readonly [kind: string, text: string])[] = [
  ['phantom-read', '1 invoke read x mode=serializable; 1 ok read x 7 mod=2'],
  [
    'read-of-failed-write',
    `0 invoke write x 1; 0 fail err=rejected!
     1 invoke read x mode=serializable; 1 ok read x 1 mod=2`,
  ],
  [
    'future-read',
    `1 invoke read x mode=serializable; 1 ok read x 1 mod=2
     0 invoke write x 1; 0 ok rev=2`,
  ],
  [
    'two-values-at-one-revision',
    `0 invoke write x 1; 1 invoke write x 2; 0 ok rev=2; 1 info err=timeout?
     2 invoke read x @n1 mode=serializable; 2 ok read x 1 mod=2
     3 invoke read x @n2 mode=serializable; 3 ok read x 2 mod=2`,
  ],
  [
    'two-values-at-one-revision',
    `0 invoke write x 1; 1 invoke write x 2; 0 ok rev=2; 1 ok rev=2
     2 invoke read x @n1 mode=serializable; 2 ok read x 1 mod=2`,
  ],
  [
    'two-keys-at-one-revision',
    `0 invoke write x 1; 0 ok rev=2
     1 invoke write y 1; 1 info err=timeout?
     2 invoke read y @n2 mode=serializable; 2 ok read y 1 mod=2`,
  ],
];

test.for(IMPOSSIBLE)('%s breaks every promise', async ([kind, text]) => {
  const history = parseHistory(text);
  const result = await check(history);
  expect(result.verdict).toBe('invalid');
  expect(provenKinds(result, history)).toEqual([kind]);
  expect(rowsOf(result)[0]).toMatchObject({ result: 'broken', strongest: 'none' });
});

test('one revision on two keys is said in a sentence that holds', async () => {
  const history = parseHistory(`
    0 invoke write x 1 t=1ms; 0 ok rev=2
    1 invoke cas y _>5 t=2ms; 1 ok rev=2
    2 invoke read x mode=serializable; 2 ok read x 1 mod=2`);
  const { anomalies } = await check(history);
  expect(anomalies.map(({ explanation }) => explanation)).toEqual([
    'Revision 2 changed two keys, x and y: c0 was told that it had stored 1 (sent at 0.001 s), and ' +
      'c1 was told that it had stored 5 (sent at 0.002 s). Nothing that was asked changes more ' +
      'than one key, so a revision belongs to one change of one key.',
  ]);
});

test.for<readonly [what: string, text: string]>([
  [
    'a transaction, which may change both',
    `0 invoke txn - 1; 0 ok
     3 invoke write x 1; 3 info err=timeout?; 4 invoke write y 1; 4 info err=timeout?
     1 invoke read x mode=serializable; 1 ok read x 1 mod=2
     2 invoke read y mode=serializable; 2 ok read y 1 mod=2`,
  ],
  [
    'keys that are absent, or that were deleted when they were',
    `0 invoke write x 1; 0 ok rev=2; 0 invoke write y _; 0 ok rev=2
     1 invoke read z mode=serializable; 1 ok read z _ mod=0
     2 invoke read y mode=serializable; 2 ok read y _ mod=0`,
  ],
  [
    'the revision of the store, where the key has its own',
    `0 invoke write x 1; 0 ok rev=2; 0 invoke write y 1; 0 ok rev=3
     1 invoke read x mode=serializable; 1 ok read x 1 mod=2 rev=3
     2 invoke cas y 7>8; 2 fail err=cas-mismatch! seen=1 mod=3 rev=3`,
  ],
])('two keys at one revision is not: %s', async ([, text]) => {
  const { anomalies } = await check(parseHistory(text));
  expect(anomalies).toEqual([]);
});

test('a mode that promises linearizable is searched, beyond what revisions show', async () => {
  const history = parseHistory(`
    0 invoke write x 1; 0 ok; 0 invoke write x 1; 0 ok; 0 invoke write x 2; 0 ok
    1 invoke read x mode=serializable; 1 ok read x 1`);
  expect((await check(history)).verdict).toBe('valid');
  const strict = await check(history, { promises: STRICT });
  expect(strict.verdict).toBe('invalid');
  expect(provenKinds(strict, history)).toEqual(['stale-read']);
});

test('reads of one mode do not blame the other', async () => {
  const history = parseHistory(`
    0 invoke write x 1; 0 ok; 0 invoke write x 2; 0 ok
    1 invoke read x mode=serializable; 1 ok read x 2
    2 invoke read x mode=linearizable; 2 ok read x 1`);
  const result = await check(history);
  expect(rowsOf(result)).toMatchObject([
    { mode: 'linearizable', result: 'broken' },
    { mode: 'serializable', result: 'kept', strongest: 'linearizable' },
  ]);
});

test('unknown: nothing was read, no read was answered, or there was no time', async () => {
  const nothing = await check(parseHistory('0 invoke write x 1; 0 ok'));
  expect(nothing).toMatchObject({ verdict: 'unknown', reason: expect.stringContaining('nothing') });
  const unanswered = await check(
    parseHistory('0 invoke read x mode=serializable; 0 fail err=timeout?'),
  );
  expect(unanswered.verdict).toBe('unknown');
  expect(unanswered.reason).toContain('No serializable read was answered');
  const hurried = readModes({
    clock: {
      now: () => nanos(0),
      wallMs: () => 0,
      timer: () => ({ cancel: () => undefined }),
      turn: () => Promise.resolve(),
    },
  });
  const limits = { timeoutMs: 0, memoryBytes: 2 ** 26 };
  const late = await hurried.check(REPEATED, checkContext({ limits }));
  expect(late.verdict).toBe('unknown');
  expect(rowsOf(late)).toMatchObject([
    { result: 'unknown', strongest: 'unknown' },
    { result: 'kept', strongest: 'serializable' },
  ]);
});
