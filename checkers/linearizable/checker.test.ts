import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { nanos } from '../../harness/core/units.ts';
import { type History, historyOf } from '../../harness/history/history.ts';
import { parseHistory } from '../../harness/history/notation.ts';
import type { CheckContext, CheckResult } from '../../harness/protocols/checker.ts';
import { checkContext, folded, provenKinds, randomOf } from '../testkit/context.ts';
import { MUTATIONS } from '../testkit/mutate.ts';
import { simulate } from '../testkit/simulate.ts';
import { linearizable } from './checker.ts';

const DATA = new URL('../testdata/linearizable/', import.meta.url);

interface Example {
  readonly name: string;
  readonly text: string;
}

function examples(kind: 'valid' | 'invalid'): Example[] {
  const folder = new URL(`${kind}/`, DATA);
  return readdirSync(folder).map((name) => ({
    name,
    text: readFileSync(new URL(name, folder), 'utf8'),
  }));
}

function check(history: History, ctx: Partial<CheckContext> = {}): Promise<CheckResult> {
  return linearizable({}).check(history, checkContext(ctx));
}

test.for(examples('valid'))('$name is linearizable', async ({ text }) => {
  const result = await check(parseHistory(text));
  expect(result).toMatchObject({ verdict: 'valid', anomalies: [] });
});

test.for(examples('invalid'))('$name is not linearizable, and is named', async ({ text }) => {
  const history = parseHistory(text);
  const result = await check(history);
  expect(result.verdict).toBe('invalid');
  expect(provenKinds(result, history)[0]).toBe(/expect ([a-z-]+)/.exec(text)?.[1]);
});

test.for(Object.entries(MUTATIONS))(
  'finds %s in otherwise correct histories',
  async ([kind, mutate]) => {
    let broken = 0;
    for (let seed = 0; seed < 40; seed++) {
      const ops = simulate(randomOf(seed), { operations: 80, clients: 4 });
      expect((await check(historyOf(ops))).verdict).toBe('valid');
      const mutated = mutate(ops);
      if (mutated === undefined) continue;
      broken++;
      const history = historyOf(mutated);
      const result = await check(history);
      expect(result.verdict).toBe('invalid');
      expect(provenKinds(result, history)).toContain(kind);
    }
    expect(broken).toBeGreaterThan(30);
  },
);

test('says what was out of date, and by how much', async () => {
  const stale = examples('invalid').find(({ name }) => name === 'stale-read.txt');
  const { anomalies } = await check(parseHistory(stale?.text ?? ''));
  expect(anomalies[0]).toMatchObject({
    kind: 'stale-read',
    key: 'k17',
    ops: [0, 1, 2, 3, 4, 5],
    certificate: { older: 0, newer: 2, read: 4 },
  });
  expect(folded(anomalies[0]?.explanation ?? '')).toMatchInlineSnapshot(`
    "Client c3 read k17 = 41 at 72.908 s from n3. That value was out of date: c9 had been
    told that k17 = 42 was stored 506 ms before this read began, and 41 was stored 2.434
    s before that write was sent. No order of these three operations explains the read:
    41 was written only once."
  `);
});

test('explains the other certificates in words', async () => {
  const told: string[] = [];
  for (const { name, text } of examples('invalid')) {
    const { anomalies } = await check(parseHistory(text));
    told.push(`${name}: ${anomalies[0]?.explanation}`);
  }
  expect(folded(told.join('\n'))).toMatchInlineSnapshot(`
    "back-in-time-long-read.txt: Client c3 read x = 1 at 0.005 s. x went back in time:
    c2's read had already shown 2, which only c1 wrote, and had ended 1.0 ms before this
    read began, and 1 was stored 1.0 ms before that write was sent. No order of these
    four operations explains the read: 1 was written only once.

    back-in-time.txt: Client c3 read x = 1 at 0.006 s. x went back in time: c2's read
    had already shown 2, and had ended 1.0 ms before this read began, and 1 was stored
    3.0 ms before that read was sent. No order of these three operations explains the
    read: 1 was written only once.

    denied-before.txt: Client c2 read x = 1 at 0.008 s. x went back in time: c1's cas
    had not found 1, and had ended 1.0 ms before this read began, and both operations
    that had sent 1 by then had been answered before that cas was sent, the last one 3.0
    ms before. Nobody sent 1 again before this read had ended, so no order has 1 there
    for it.

    failed-write-read.txt: Client c0 read x = 2 at 0.004 s. That value was never stored:
    c1 sent it at 0.002 s and was told that it had failed and would never take effect.
    Nobody else wrote it.

    future.txt: Client c1 read x = 1 at 0.000 s. The value comes from the future: the
    first to send it was c0, 1.0 ms after this read had ended.

    lost-at-the-end.txt: Client c2 read x = 1 at 0.004 s from n1. That value was out of
    date: c1 had been told that x = 2 was stored 1.0 ms before this read began, and 1
    was stored 1.0 ms before that write was sent. No order of these three operations
    explains the read: 1 was written only once. The acknowledged write is gone: no final
    linearizable read that began after it shows it.

    lost-to-a-cas.txt: Client c2 sent a cas of x from 1 to 3 at 0.004 s, which
    succeeded. That value was out of date: c1 had been told that x = 2 was stored 1.0 ms
    before this cas began, and 1 was stored 1.0 ms before that write was sent. No order
    of these three operations explains the cas: 1 was written only once. The
    acknowledged write is gone: a cas from the value before it succeeded.

    one-unknown-seen-twice.txt: Whatever state key x was in at 0.006 s, nothing explains
    what followed. We tried every order of 5 operations; none works. One of them may
    have taken effect in that time or not, so an order may use or omit it. In whatever
    order the others come, c2 read 1, answered at 0.013 s, does not fit: after c3 write
    2, c1 write 1 (unknown outcome), c2 read 1, c3 write 2, the register held 2, not 1.
    That is one way to get so far, not necessarily what happened.

    phantom.txt: Client c1 read x = 7 at 0.002 s. Nobody ever wrote that value.

    refused-but-matching.txt: Client c1 sent a cas of x from 1 to 2 at 0.002 s, which
    was refused because it saw 1. That is just what it expected to see.

    repeated-value.txt: Client c2 read x = 1 at 0.010 s. That value was out of date: c1
    had been told that x = 9 was stored 5.0 ms before this read began, and both
    operations that had sent 1 by then had been answered before that write was sent, the
    last one 1.0 ms before. Nobody sent 1 again before this read had ended, so no order
    has 1 there for it.

    stale-absent.txt: Client c1 found x absent at 0.002 s. That value was out of date:
    c0 had been told that x = 1 was stored 1.0 ms before this read began, and x was
    absent only before the first write. No order of these two operations explains the
    read: nobody ever set x back to absent.

    stale-read.txt: Client c3 read k17 = 41 at 72.908 s from n3. That value was out of
    date: c9 had been told that k17 = 42 was stored 506 ms before this read began, and
    41 was stored 2.434 s before that write was sent. No order of these three operations
    explains the read: 41 was written only once.

    stale-refusal.txt: Client c1 sent a cas of x from 2 to 3 at 0.004 s, which was
    refused because it saw 1. That value was out of date: c0 had been told that x = 2
    was stored 1.0 ms before this cas began, and 1 was stored 1.0 ms before that write
    was sent. No order of these three operations explains the cas: 1 was written only
    once.

    two-values-at-once.txt: x had two values at the same time. It held 1 from 0.002 s
    (at the latest) to 0.004 s (at least), as c2's read shows, and 2 from 0.003 s (at
    the latest) to 0.005 s (at least), as c3's read shows. Each appeared only once, so
    no order explains these 4 operations.

    two-winners-from-absent.txt: Two clients were both told that they had changed x from
    absent: c1 to 2 (sent at 0.000 s) and c2 to 3 (sent at 0.001 s). Only one of them
    can have found it, since x was absent only at the start.

    two-winners.txt: Two clients were both told that they had changed x from 1: c1 to 2
    (sent at 0.002 s) and c2 to 3 (sent at 0.003 s). Only one of them can have found it,
    since that value was written only once, by c0."
  `);
});

test('shrinks a long history without a certificate to the operations that matter', async () => {
  const ops = simulate(randomOf(7), { operations: 300, clients: 6, values: 3 });
  const mutated = MUTATIONS['not-linearizable']?.(ops) ?? [];
  expect(mutated.length).toBe(ops.length + 14);
  const result = await check(historyOf(mutated));
  const [anomaly] = result.anomalies;
  expect(anomaly?.kind).toBe('not-linearizable');
  expect(anomaly?.ops.length).toBeLessThanOrEqual(10);
  expect(provenKinds(result, historyOf(mutated))).toEqual(['not-linearizable']);
});

/**
 * Many writes at once, many cas of unknown outcome, and a last read that nothing explains: who may
 * still write what it shows needs a value that is never there.
 */
function hard(): History {
  const lines = [
    '100 invoke write x 2; 100 ok; 100 invoke write x 2; 100 ok',
    '101 invoke cas x 1>2; 101 info err=timeout?',
  ];
  const clients = Array.from({ length: 40 }, (_, client) => client);
  for (let round = 0; round < 8; round++) {
    const valueOf = (client: number): number => round * clients.length + client + 10;
    for (const client of clients) lines.push(`${client} invoke write x ${valueOf(client)}`);
    for (const client of clients) lines.push(`${client} ok`);
    for (const client of clients)
      lines.push(`${client} invoke cas x ${valueOf(client)}>${(client % 3) + 3}`);
    for (const client of clients) lines.push(`${client} info err=timeout?`);
    lines.push(`99 invoke read x; 99 ok read x ${(round % 3) + 3}`);
  }
  lines.push('100 invoke write x 3; 100 ok; 99 invoke read x; 99 ok read x 2');
  return parseHistory(lines.join('\n'));
}

test('gives up at its time limit, says how far it got, and never passes', async () => {
  let now = 0;
  const clock = {
    now: () => nanos((now += 1e9)),
    wallMs: () => 0,
    timer: () => ({ cancel: () => undefined }),
    turn: () => Promise.resolve(),
  };
  const limits = { timeoutMs: 20_000, memoryBytes: 2 ** 28 };
  const result = await linearizable({ clock }).check(hard(), checkContext({ limits }));
  expect(result).toMatchObject({
    verdict: 'unknown',
    details: { keys: 1, valid: 0, unknown: [{ key: 'x', reason: 'time' }] },
  });
  expect(result.reason).toMatch(/stopped after 20 s on 1 key \(x\).*not evidence of a bug/);
  expect(result.reason).toMatch(/x was decided up to \d/);
});

test('gives up at its memory limit', async () => {
  const limits = { timeoutMs: 60_000, memoryBytes: 2 ** 16 };
  const result = await check(hard(), { limits });
  expect(result).toMatchObject({
    verdict: 'unknown',
    details: { unknown: [{ key: 'x', reason: 'memory' }] },
  });
});

test('a violation on one key decides, even when another is undecided', async () => {
  const limits = { timeoutMs: 0, memoryBytes: 2 ** 26 };
  const history = parseHistory(`
    0 invoke write a 1; 0 ok; 0 invoke write a 1; 0 ok; 0 invoke read a; 0 ok read a 1
    1 invoke read b; 1 ok read b 5`);
  const result = await check(history, { limits });
  expect(result).toMatchObject({
    verdict: 'invalid',
    details: { invalid: ['b'], unknown: [{ key: 'a' }] },
  });
});

test('nothing observed is not a pass', async () => {
  for (const text of ['', '0 invoke write x 1; 0 ok', '0 invoke read x; 0 info err=timeout?']) {
    const result = await check(parseHistory(text));
    expect(result.verdict).toBe('unknown');
    expect(result.reason).toContain('nothing to judge');
  }
});

test('judges just the reads that asked for it', async () => {
  const text = `
    0 invoke write x 1; 0 ok
    1 invoke read x mode=serializable; 1 ok read x _
    2 invoke read x mode=linearizable; 2 ok read x 1`;
  const history = parseHistory(text);
  expect((await check(history)).verdict).toBe('valid');
  const strict = linearizable({ modes: ['linearizable', 'serializable'] });
  expect((await strict.check(history, checkContext())).verdict).toBe('invalid');
});

test('says what it covered', async () => {
  const text = `
    0 invoke write x 1; 0 ok
    0 invoke cas x 7>8; 0 fail err=cas-mismatch! seen=1
    1 invoke write y 1; 1 info err=timeout?
    2 invoke read y; 2 ok read y 1`;
  const { covered, verdict } = await check(parseHistory(text));
  expect(verdict).toBe('valid');
  expect(covered).toBe('2 of 2 keys: 1 write, 1 cas, 1 read, 1 of unknown outcome');
});
