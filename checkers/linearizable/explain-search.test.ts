/** What people are told where only the search knows that there is no order, model by model. */
import { expect, test } from 'vitest';
import type { JsonValue } from '../../harness/core/json.ts';
import { importHistory } from '../../harness/history/formats/import.ts';
import type { History } from '../../harness/history/history.ts';
import { recheckCertificate } from '../certificates/recheck.ts';
import { checkHistory } from '../check-history.ts';
import { casRegister } from '../models/cas-register.ts';
import { fifoQueue } from '../models/fifo-queue.ts';
import { kv } from '../models/kv.ts';
import type { Model } from '../models/model.ts';
import { mutex } from '../models/mutex.ts';
import { register } from '../models/register.ts';
import { folded, randomOf } from '../testkit/context.ts';
import { knownHistory } from '../testkit/known-history.ts';
import { historyOfKnown } from '../testkit/known-history-forms.ts';

/** `client f key input output call ret`, one operation a row; without `ret` it never returned. */
type Row = readonly [number, string, string, JsonValue, JsonValue, number, number?];

function historyOf(rows: readonly Row[]): History {
  const lines = rows.map(([client, op, key, arg, out, call, ret = -1]) =>
    JSON.stringify({ client, op, key, arg, out, call, ret }),
  );
  return importHistory(lines.join('\n'), 'ops').history;
}

/** The only anomaly, whose certificate holds. */
function told(history: History, model: Model): string {
  const { anomalies } = checkHistory(history, { model });
  expect(anomalies.map(({ kind }) => kind)).toEqual(['not-linearizable']);
  const [anomaly] = anomalies;
  if (anomaly === undefined) return '';
  expect(recheckCertificate(anomaly, history, model)).toBe(true);
  return folded(anomaly.explanation);
}

test('register: a value that was there twice, and is seen once more', () => {
  const rows: Row[] = [
    [0, 'write', 'x', 1, null, 0, 1],
    [0, 'write', 'x', 2, null, 2, 3],
    [1, 'write', 'x', 1, null, 4, 9],
    [2, 'read', 'x', null, 1, 5, 6],
    [0, 'write', 'x', 2, null, 7, 8],
    [2, 'read', 'x', null, 1, 10, 11],
  ];
  expect(told(historyOf(rows), register)).toMatchInlineSnapshot(`
    "Whatever state key x was in at 0.002 s, nothing explains what followed. We tried
    every order of 5 operations; none works. In whatever order the others come, c2 read
    1, answered at 0.011 s, does not fit: after c0 write 2, c1 write 1, c2 read 1, c0
    write 2, the register held 2, not 1. That is one way to get so far, not necessarily
    what happened."
  `);
});

test('cas-register: two who won, and one value for only one of them', () => {
  const rows: Row[] = [
    [0, 'write', 'x', 1, null, 0, 1],
    [1, 'cas', 'x', [1, 2], true, 2, 7],
    [2, 'cas', 'x', [1, 2], true, 3, 8],
    [0, 'write', 'x', 1, null, 9, 10],
  ];
  expect(told(historyOf(rows), casRegister)).toMatchInlineSnapshot(`
    "Whatever state key x was in at 0.002 s, nothing explains what followed. We tried
    every order of 2 operations; none works. In whatever order the others come, c2 cas 1
    to 2, answered at 0.008 s, does not fit: after c1 cas 1 to 2, the register held 2,
    not 1. That is one way to get so far, not necessarily what happened."
  `);
});

test('kv: two reads that saw two appends in two orders', () => {
  const rows: Row[] = [
    [0, 'put', 'a', '1', null, 0, 1],
    [0, 'append', 'a', '2', null, 2, 6],
    [1, 'append', 'a', '3', null, 3, 5],
    [2, 'get', 'a', null, '123', 7, 8],
    [3, 'get', 'a', null, '132', 9, 10],
  ];
  expect(told(historyOf(rows), kv)).toMatchInlineSnapshot(`
    "We tried every order of 5 operations on the store; none works. In whatever order the
    others come, c3 get a → "132", answered at 0.010 s, does not fit: after c0 put a
    "1", c0 append a "2", c1 append a "3", c2 get a → "123", it would answer "123", not
    "132". That is one way to get so far, not necessarily what happened."
  `);
});

test('mutex: two holders, and a third who may have been one', () => {
  const rows: Row[] = [
    [0, 'acquire', 'l', 'c0', 'c0', 0, 1],
    [1, 'acquire', 'l', 'c1', null, 2],
    [2, 'acquire', 'l', 'c2', 'c2', 3, 5],
    [0, 'release', 'l', 'c0', 'c0', 6, 8],
  ];
  expect(told(historyOf(rows), mutex)).toMatchInlineSnapshot(`
    "We tried every order of these 3 operations on key l; none works: c0 acquire "c0", c1
    acquire "c1" (unknown outcome), c2 acquire "c2". One of them may have taken effect
    in that time or not, so an order may use or omit it. c2 acquire "c2", answered at
    0.005 s, does not fit: after c0 acquire "c0", the lock was held by "c0". Nor does c1
    acquire "c1" (unknown outcome) fit there."
  `);
});

test('fifo-queue: one that was taken before those in front of it', () => {
  const rows: Row[] = [
    [0, 'enqueue', 'q', 1, null, 0, 3],
    [1, 'enqueue', 'q', 2, null, 1, 2],
    [2, 'enqueue', 'q', 3, null, 4, 5],
    [1, 'dequeue', 'q', null, 3, 6, 9],
    [0, 'dequeue', 'q', null, 2, 7, 8],
  ];
  expect(told(historyOf(rows), fifoQueue)).toMatchInlineSnapshot(`
    "We tried every order of 5 operations on key q; none works. In whatever order the
    others come, c1 dequeue → 3, answered at 0.009 s, does not fit: after c1 enqueue 2,
    c0 enqueue 1, c2 enqueue 3, c0 dequeue → 2, next came 1, not 3. That is one way to
    get so far, not necessarily what happened."
  `);
});

test('where the ways are too many to be tried again, it tells where the search found them end', () => {
  const violation = { kind: 'too-few-writes', at: 0.5 } as const;
  const known = knownHistory(randomOf(3), { operations: 100, clients: 18, violation });
  const { anomalies } = checkHistory(historyOfKnown(known));
  const [anomaly] = anomalies;
  expect(anomaly?.kind).toBe('not-linearizable');
  expect(anomaly?.certificate['ends']).toEqual(
    expect.arrayContaining([
      [expect.stringMatching(/the register held \d, not \d/), expect.any(Number)],
    ]),
  );
  expect(anomaly?.explanation).toMatch(
    /is left over\. Where such ways end, it does not fit: the register held \d, not \d/,
  );
});
