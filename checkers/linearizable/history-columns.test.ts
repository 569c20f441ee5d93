import { expect, test } from 'vitest';
import { type History, historyOf } from '../../harness/history/history.ts';
import { parseHistory } from '../../harness/history/notation.ts';
import { keyHistories } from '../key-history.ts';
import { register } from '../models/register.ts';
import { arbitraryHistory } from '../testkit/arbitrary-history.ts';
import { randomOf } from '../testkit/context.ts';
import { simulate } from '../testkit/simulate.ts';
import { anythingBut, columnsOf, NONE, type RegisterColumns } from './columns.ts';
import { historyColumns } from './history-columns.ts';

/** What the columns mean, with moments as ranks. */
function told(columns: RegisterColumns): unknown {
  const { length, keys, values, key, needs, puts, revision } = columns;
  const name = (id: number): unknown => {
    if (id < NONE) return `not ${JSON.stringify(values[anythingBut(id)])}`;
    return id === NONE ? 'none' : JSON.stringify(values[id]);
  };
  const moments = [...columns.call, ...columns.ret].toSorted((a, b) => a - b);
  const rank = new Map(moments.map((moment, at) => [moment, at]));
  return Array.from({ length }, (_, row) => ({
    key: keys[key[row] ?? 0],
    needs: name(needs[row] ?? NONE),
    puts: name(puts[row] ?? NONE),
    // Two values are one if they have one number.
    source: puts.indexOf(needs[row] ?? NONE),
    call: rank.get(columns.call[row] ?? 0),
    ret: rank.get(columns.ret[row] ?? 0),
    revision: revision[row],
  }));
}

function expectSame(history: History): void {
  const slow = columnsOf(keyHistories(history, register, ['linearizable']), 'call');
  expect(told(historyColumns(history))).toEqual(told(slow));
}

test('says the same as the columns of keys, of any history', () => {
  for (let seed = 0; seed < 300; seed++) {
    const random = randomOf(seed);
    expectSame(historyOf(arbitraryHistory(random, { operations: 20, processes: 4, values: 3 })));
    const options = { operations: 60, keys: 4, info: 0.1, fail: 0.1, serializable: 0.2 };
    expectSame(historyOf(simulate(random, options)));
  }
});

test('says the same of values of every sort', () => {
  expectSame(
    parseHistory(`
      0 invoke write x [1,2]; 0 ok; 1 invoke read x; 1 ok read x [1,2]; 0 invoke write x {"a":1}; 0 ok
      1 invoke cas x [{"a":1},[1,2]]; 1 ok; 0 invoke cas x [[1,2],"t"]; 0 ok; 2 invoke cas x t>u
      1 invoke cas x true>1.5; 1 fail err=cas-mismatch! seen=t; 2 info err=timeout?
      3 invoke cas x [1,2]; 3 fail err=cas-mismatch! seen=1; 3 invoke write x 0; 3 ok
      3 invoke read x; 3 ok read x -0; 3 invoke read x; 3 ok read x 0.0; 3 invoke write - 7; 3 ok
      4 invoke cas x 5>6; 4 fail err=cas-mismatch!
      4 invoke cas x 5; 4 ok; 4 invoke read x; 4 fail err=cas-mismatch! seen=3
      nemesis invoke partition x lane=a
      5 invoke delete x; 5 ok; 6 invoke write x 99999999999; 6 fail err=no!`),
  );
});

test('begins with another value, where one is given', () => {
  const history = parseHistory('0 invoke read x; 0 ok read x {"a":1}');
  const { needs, initial } = historyColumns(history, ['linearizable'], { a: 1 });
  expect(needs[0]).toBe(initial[0]);
});

test('holds more values than its first table', () => {
  expectSame(historyOf(simulate(randomOf(1), { operations: 6000, keys: 7, clients: 10 })));
});
