import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type History, historyOf } from '../../harness/history/history.ts';
import { parseHistory } from '../../harness/history/notation.ts';
import type { CheckResult } from '../../harness/protocols/checker.ts';
import { recheckCertificate } from '../certificates/recheck.ts';
import { startingAt } from '../check-history.ts';
import { multiRegister } from '../models/multi-register.ts';
import { register } from '../models/register.ts';
import { someOrder } from '../testkit/all-orders.ts';
import { checkContext, folded, provenKinds, randomOf } from '../testkit/context.ts';
import { opsOf, SEARCH } from '../testkit/order-laws.ts';
import { simulate } from '../testkit/simulate.ts';
import { SEQUENTIAL } from './criteria.ts';
import { prefixConsistent } from './prefix-consistent.ts';
import { problemOf } from './problem.ts';
import { searchOrder } from './search.ts';
import { sequential } from './sequential.ts';

const CHECKERS = { sequential, 'prefix-consistent': prefixConsistent } as const;
type Name = keyof typeof CHECKERS;
const NAMES = ['sequential', 'prefix-consistent'] as const;
const DATA = new URL('../testdata/', import.meta.url);

const examples = NAMES.flatMap((name) =>
  (['valid', 'invalid'] as const).flatMap((expected) => {
    const folder = new URL(`${name}/${expected}/`, DATA);
    return readdirSync(folder).map((file) => ({
      name,
      expected,
      file,
      history: parseHistory(readFileSync(new URL(file, folder), 'utf8')),
    }));
  }),
);

function check(name: Name, history: History): Promise<CheckResult> {
  return CHECKERS[name]().check(history, checkContext());
}

test.for(examples)('$name, $expected: $file', async ({ name, expected, file, history }) => {
  const result = await check(name, history);
  expect(result.verdict).toBe(expected);
  expect(result.checker).toBe(name);
  const kinds = provenKinds(result, history);
  expect(kinds.length > 0).toBe(expected === 'invalid');
  // Revisions are more than an order of values; the trial of all orders knows nothing of them.
  const isOfRevisions = kinds.includes('wrong-at-revision');
  expect(someOrder(opsOf(history), name)).toBe(expected === 'valid' || isOfRevisions);
  expect(file).toMatch(/^[a-z-]+\.txt$/);
});

test('a history without its cause is no longer wrong: what is told is as small as can be', async () => {
  for (const { name, history } of examples.filter(({ expected }) => expected === 'invalid')) {
    const { anomalies } = await check(name, history);
    const told = anomalies.filter(({ kind }) => kind === `not-${name}`);
    for (const { ops } of told) {
      const core = opsOf(history).filter(({ start }) => ops.includes(start));
      const reads = core.filter(({ call }) => call.f === 'read' || call.outcome === 'refused');
      for (const read of reads)
        expect(
          someOrder(
            core.filter((op) => op !== read),
            name,
          ),
        ).toBe(true);
    }
  }
});

function explained(name: Name, file: string): Promise<string> {
  const found = examples.find((one) => one.name === name && one.file === `${file}.txt`);
  if (found === undefined) throw new Error(`there is no ${file}`);
  return check(name, found.history).then(({ anomalies }) =>
    folded(anomalies.map(({ explanation }) => explanation).join('\n')),
  );
}

test('says which operation would come before itself, and why', async () => {
  expect(await explained('sequential', 'each-misses-the-other')).toMatchInlineSnapshot(`
    "No order that keeps the order of each client explains these 4 operations: c0's write
    of x = 1, c1's write of y = 1, c0's read of y (absent), c1's read of x (absent).
    Each of these would have to come before the next one: c0's write of x = 1; c0's read
    of y (absent), which c0 sent later; c1's write of y = 1, which changes y, and that
    found it as it was at the start; c1's read of x (absent), which c1 sent later; and
    c0's write of x = 1 again, which changes x, and that found it as it was at the
    start."
  `);
  expect(await explained('sequential', 'own-overwritten')).toMatchInlineSnapshot(`
    "No order that keeps the order of each client explains these 3 operations: c0's write
    of x = 1, c0's write of x = 2, c0's read of x = 1. Each of these would have to come
    before the next one: c0's write of x = 1; c0's write of x = 2, which c0 sent later;
    and c0's write of x = 1 again, which alone put what c0's read of x = 1 found after
    that."
  `);
  expect(await explained('sequential', 'back-in-time')).toMatchInlineSnapshot(`
    "No order that keeps the order of each client explains these 4 operations: c0's write
    of x = 1, c0's write of x = 2, c1's read of x = 2, c1's read of x = 1. Each of these
    would have to come before the next one: c0's write of x = 1; c0's write of x = 2,
    which c0 sent later; and c0's write of x = 1 again, which alone put what c1's read
    of x = 1 found after that."
  `);
  expect(await explained('prefix-consistent', 'later-without-earlier')).toMatchInlineSnapshot(`
    "No order of all changes explains what was read, if every read shows what the first
    so many of them lead to, and the reads of one client at one node never fewer than
    before. These 4 operations are enough to see it: c0's write of x = 1, c0's write of
    y = 1, c1's read of y = 1, c1's read of x (absent). Each of these would have to come
    before the next one: c0's write of x = 1; c0's write of y = 1, which c0 sent later;
    c1's read of y = 1, which found what only that put; c1's read of x (absent), which
    c1 sent later; and c0's write of x = 1 again, which changes x, and that found it as
    it was at the start."
  `);
});

test('says that all orders were tried where values come again', async () => {
  expect(await explained('sequential', 'values-come-again')).toMatchInlineSnapshot(`
    "No order that keeps the order of each client explains these 5 operations: c0's write
    of x = 1, c0's write of x = 1, c0's write of x = 2, c1's read of x = 2, c1's read of
    x = 1. Every order of them was tried, and none works."
  `);
});

test('says which change a revision hides', async () => {
  expect(
    await explained('prefix-consistent', 'change-missing-at-its-revision'),
  ).toMatchInlineSnapshot(`
    "Client c1 found y absent at 0.004 s from n1. The answer was given at revision 3 of
    the store and shows no change of the key, but c0, who sent a write at 0.002 s, was
    told that it changed the key at revision 3. That change is missing in a state of the
    store that has it."
  `);
  expect(
    await explained('prefix-consistent', 'change-seen-by-another-missing'),
  ).toMatchInlineSnapshot(`
    "Client c2 found x absent at 0.004 s from n2. The answer was given at revision 2 of
    the store and shows no change of the key, but a read by c1 at 0.002 s shows a change
    at revision 2. That change is missing in a state of the store that has it."
  `);
  expect(await explained('prefix-consistent', 'shows-more-than-there-is')).toMatchInlineSnapshot(`
    "Client c1 read x = 2 at 0.004 s from n1. The answer was given at revision 2 of the
    store and shows the key as of revision 3, which that state of the store does not
    know yet."
  `);
});

/** Two writers of two registers, and two readers who do not agree which came first. */
const TXNS = parseHistory(`
  0 invoke txn - [["w","x",1]]; 0 ok; 1 invoke txn - [["w","y",1]]; 1 ok
  2 invoke txn - [["r","x",null],["r","y",null]]; 2 ok txn - [["r","x",1],["r","y",null]]
  3 invoke txn - [["r","x",null],["r","y",null]]; 3 ok txn - [["r","x",null],["r","y",1]]`);

test('judges a model of the whole store, and its certificate by the steps of that model', async () => {
  const result = await sequential({ model: multiRegister }).check(TXNS, checkContext());
  expect(result.verdict).toBe('invalid');
  const [anomaly] = result.anomalies;
  if (anomaly === undefined) throw new Error('nothing was told');
  expect(recheckCertificate(anomaly, TXNS, multiRegister)).toBe(true);
  expect(recheckCertificate(anomaly, TXNS)).toBe('it takes another model to check this again');
  const half = historyOf([...TXNS.ops()].slice(0, 6));
  const right = await sequential({ model: multiRegister }).check(half, checkContext());
  expect(right.verdict).toBe('valid');
});

test('a register may begin with anything', async () => {
  const model = startingAt(register, 7);
  const history = parseHistory(`
    0 invoke read x; 0 ok read x 7; 0 invoke write x 1; 0 ok; 0 invoke read x; 0 ok read x 7`);
  const { anomalies } = await sequential({ model }).check(history, checkContext());
  expect(anomalies.map((one) => recheckCertificate(one, history, model))).toEqual([true]);
  const right = historyOf([...history.ops()].slice(0, 4));
  expect(await sequential({ model }).check(right, checkContext())).toMatchObject({
    verdict: 'valid',
  });
});

test('a certificate holds only for what its history says', async () => {
  const text = `0 invoke write x 1; 1 invoke write y 1; 0 ok; 1 ok
    0 invoke read y; 0 ok read y _; 1 invoke read x; 1 ok read x`;
  const history = parseHistory(`${text} _`);
  const [anomaly] = (await sequential().check(history, checkContext())).anomalies;
  if (anomaly === undefined) throw new Error('nothing was told');
  const { certificate } = anomaly;
  const claim = (operations: readonly number[]): true | string =>
    recheckCertificate({ ...anomaly, certificate: { ...certificate, operations } }, history);
  expect(claim([0, 1, 4, 6])).toBe(true);
  expect(recheckCertificate(anomaly, parseHistory(`${text} 1`))).toContain('some order');
  expect(claim([0, 1, 4])).toContain('some order');
  expect(claim([1, 4, 6])).toContain('some order');
  expect(claim([4, 6, 2])).toContain('no operation');
  expect(claim([])).toContain('no operations');
  const unseen = parseHistory('0 invoke write x 1; 0 ok; 1 invoke read x; 1 ok read x 1');
  const short = { ...anomaly, ops: [2], certificate: { ...certificate, operations: [2] } };
  expect(recheckCertificate(short, unseen)).toBe('it leaves out operations of x that matter');
});

/** Values come again, reads are stale, and nothing is unique: only the search could tell. */
const HARD = historyOf(
  simulate(randomOf(3), {
    operations: 400,
    clients: 8,
    keys: 3,
    values: 2,
    serializable: 0.7,
    lag: 8,
    revisions: false,
  }),
);

test.for(NAMES)('%s: without time it is unknown, with the numbers', async (name) => {
  const limits = { timeoutMs: 0, memoryBytes: 2 ** 20 };
  const result = await CHECKERS[name]().check(HARD, checkContext({ limits }));
  expect(result.verdict).toBe('unknown');
  expect(result.reason).toMatch(/^The checker stopped after 0 s .* of 400 operations of/);
});

test('unknown: nothing was observed', async () => {
  const history = parseHistory('0 invoke write x 1; 0 ok; 1 invoke read x; 1 info err=timeout?');
  const result = await sequential().check(history, checkContext());
  expect(result).toMatchObject({ verdict: 'unknown', anomalies: [] });
  expect(result.reason).toContain('nothing to judge');
});

test('the memory of a search is bounded', () => {
  const problem = problemOf(opsOf(HARD), register, SEQUENTIAL);
  const found = searchOrder(problem, { ...SEARCH, memoryBytes: 2 ** 16, steps: 1e8 });
  expect(found).toMatchObject({ result: 'unknown', reason: 'memory' });
  const few = searchOrder(problem, { ...SEARCH, steps: 100 });
  expect(few).toMatchObject({ result: 'unknown', reason: 'steps' });
  expect(few.steps).toBeLessThan(5000);
});
