import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { Random, seedFrom } from '../harness/core/prng.ts';
import { nanos } from '../harness/core/units.ts';
import { checkHistory } from './check-history.ts';
import { fifoQueue } from './models/fifo-queue.ts';
import { kv } from './models/kv.ts';
import { multiRegister } from './models/multi-register.ts';
import { knownHistory } from './testkit/known-history.ts';
import { knownOps } from './testkit/known-history-forms.ts';

const STALE = `
  {"client":0,"op":"write","key":"x","arg":1,"call":0,"ret":1}
  {"client":0,"op":"write","key":"x","arg":2,"call":2,"ret":3}
  {"client":1,"op":"read","key":"x","out":1,"call":4,"ret":5}
`;

test('a text is read, judged and explained in one call', () => {
  const result = checkHistory(STALE);
  expect(result).toMatchObject({
    verdict: 'invalid',
    format: 'ops',
    model: 'register',
    notes: ['moments taken as milliseconds'],
  });
  expect(result.anomalies[0]).toMatchObject({ kind: 'stale-read' });
});

test('by a weaker criterion a stale read is allowed, and one that goes back is not', () => {
  const back = `${STALE}
    {"client":1,"op":"read","key":"x","out":null,"call":6,"ret":7}
  `;
  for (const criterion of ['sequential', 'prefix'] as const) {
    expect(checkHistory(STALE, { criterion })).toMatchObject({ verdict: 'valid', format: 'ops' });
    expect(checkHistory(back, { criterion }).verdict).toBe('invalid');
  }
});

test('operations that touch at one moment are concurrent', () => {
  const touching = STALE.replace('"call":4', '"call":3');
  expect(checkHistory(touching).verdict).toBe('valid');
});

test('what an object begins with can be said', () => {
  const text = '{"op":"read","out":7,"call":0,"ret":1}';
  expect(checkHistory(text).verdict).toBe('invalid');
  expect(checkHistory(text, { init: 7 }).verdict).toBe('valid');
  const nil = '{:process 0, :type :invoke, :f :read}{:process 0, :type :ok, :f :read, :value nil}';
  expect(checkHistory(nil, { init: 7 }).verdict).toBe('invalid');
  expect(checkHistory(nil, { init: 7, nilReads: 'any' }).verdict).toBe('unknown');
});

test('a refused cas that does not say what it saw is an observation all the same', () => {
  const refused = `
    {"op":"write","arg":1,"call":0,"ret":1}
    {"op":"cas","arg":[1,2],"out":false,"call":2,"ret":3}
  `;
  const { verdict, anomalies } = checkHistory(refused);
  expect(verdict).toBe('invalid');
  expect(anomalies[0]?.explanation).not.toContain('saw absent');
  const other = '{"op":"write","arg":3,"call":0,"ret":-1}';
  expect(checkHistory(`${refused}\n${other}`).verdict).toBe('valid');
});

test('operations that the model does not know are never passed over in silence', () => {
  const queue = `
    {"op":"enqueue","arg":1,"call":0,"ret":1}
    {"op":"dequeue","out":2,"call":2,"ret":3}
  `;
  expect(() => checkHistory(queue, { name: 'q' })).toThrow(
    'q: its operations are enqueue, dequeue, which are not those of a register; say which model',
  );
  expect(() => checkHistory(STALE, { model: fifoQueue, name: 'q' })).toThrow(
    'q: it has write, read, which the model fifo-queue does not know (it knows enqueue, dequeue)',
  );
  expect(checkHistory(queue, { model: fifoQueue }).verdict).toBe('invalid');
});

test('transactions in another form are refused, not mistaken', () => {
  const text = '{"op":"txn","arg":[["append",1,2],["r",1,null]],"call":0,"ret":1}';
  for (const model of [multiRegister, kv])
    expect(() => checkHistory(text, { model, name: 't' })).toThrow(
      `t: a transaction is [["append",1,2],["r",1,null]]; the model ${model.name} knows only`,
    );
  const known = '{"op":"txn","arg":[["w","x",2]],"out":[["w","x",2]],"call":0,"ret":1}';
  expect(checkHistory(known, { model: multiRegister }).verdict).not.toBe('invalid');
});

test('with a clock it gives up in time, and says so', () => {
  const options = { operations: 300, clients: 40, indefinite: 0.2, cas: 0.9, values: 2 } as const;
  const text = [...knownOps(knownHistory(Random.stream(seedFrom(1), 'late'), options))].join('\n');
  let time = 0;
  const clock = { now: () => nanos(time++ * 1e9) };
  const { verdict, reason } = checkHistory(text, { clock, timeoutMs: 1 });
  expect(verdict).toBe('unknown');
  expect(reason).toContain('stopped after 0.001 s');
});

// Types are gone before a browser sees them.
const IMPORT = /^(?:import|export)\s(?!type\b)(?:[^'";]*\sfrom\s)?'([^']+)';/gm;

test('nothing that it needs is of Node.js, so that it runs in a browser', () => {
  const root = join(import.meta.dirname, '..');
  const seen = new Set<string>();
  const foreign: string[] = [];
  const walk = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    const text = readFileSync(path, 'utf8');
    for (const [, target = ''] of text.matchAll(IMPORT))
      if (target.startsWith('.')) walk(join(dirname(path), target));
      else foreign.push(`${relative(root, path)} imports ${target}`);
  };
  walk(join(root, 'checkers', 'check-history.ts'));
  expect(foreign).toEqual([]);
  expect([...seen].map((path) => relative(root, path))).toContain('checkers/linearizable/judge.ts');
});
