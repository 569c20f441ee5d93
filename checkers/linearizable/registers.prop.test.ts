import { expect, test } from 'vitest';
import { realClock } from '../../harness/core/clock.ts';
import { nanos } from '../../harness/core/units.ts';
import { type History, historyOf } from '../../harness/history/history.ts';
import { keyHistories } from '../key-history.ts';
import { register } from '../models/register.ts';
import { arbitraryHistory } from '../testkit/arbitrary-history.ts';
import { randomOf } from '../testkit/context.ts';
import { knownHistory } from '../testkit/known-history.ts';
import { historyOfKnown } from '../testkit/known-history-forms.ts';
import { columnsOf } from './columns.ts';
import { historyRounds, judgeKeys } from './judge.ts';
import type { JudgeOptions } from './judgement.ts';
import { partitionOf } from './partition.ts';
import { decide } from './portfolio.ts';
import { runHere } from './rounds.ts';
import { searchPart } from './search-part.ts';
import { runOnThreads } from './threads.ts';
import { findOrder } from './wgl.ts';

const READS = ['linearizable'] as const;
const OPTIONS: JudgeOptions = {
  model: register,
  clock: { now: () => nanos(0) },
  deadline: nanos(1),
  memoryBytes: 2 ** 28,
};
const BUDGET = { ...OPTIONS, steps: 1e7 };

/** Small keys of any kind, about half of them wrong. */
function anyHistory(seed: number): History {
  const random = randomOf(seed);
  const [operations, processes] = [random.int(2, 14), random.int(1, 5)];
  return historyOf(arbitraryHistory(random, { operations, processes, values: random.int(1, 6) }));
}

test('a part of the columns is decided as the operations of its key are', () => {
  const found = new Map<string, number>();
  for (let seed = 0; seed < 4000; seed++) {
    const keys = keyHistories(anyHistory(seed), register, READS);
    const columns = columnsOf(keys, seed % 2 === 0 ? 'key' : 'call');
    const parts = partitionOf(columns, new Uint8Array(keys.length).fill(1));
    for (const [at, { ops }] of keys.entries()) {
      const outcome = searchPart(parts, at, BUDGET);
      const search = findOrder(ops, register, BUDGET);
      expect(outcome.result, `seed ${seed}`).toBe(search.result);
      found.set(outcome.result, (found.get(outcome.result) ?? 0) + 1);
    }
  }
  expect(Math.min(found.get('valid') ?? 0, found.get('invalid') ?? 0)).toBeGreaterThan(500);
});

test('so it is where there are many values', () => {
  const found = new Map<string, number>();
  for (let seed = 0; seed < 150; seed++) {
    const random = randomOf(seed);
    const values = random.pick([40, 90]);
    const violation = { kind: 'phantom-read', at: random.float() } as const;
    const known = knownHistory(random, {
      operations: 300,
      clients: 4,
      values,
      indefinite: random.pick([0, 0.05]),
      ...(seed % 2 === 1 && { violation }),
    });
    const [part] = keyHistories(historyOfKnown(known), register, READS);
    const parts = partitionOf(columnsOf(part === undefined ? [] : [part]), Uint8Array.of(1));
    const { result, blocked } = searchPart(parts, 0, BUDGET);
    const search = decide(part?.ops ?? [], register, BUDGET);
    expect(result, `seed ${seed}`).toBe(known.expected);
    expect(search.result).toBe(result);
    if (search.result === 'invalid' && blocked !== undefined)
      expect(part?.ops[parts.rows()[blocked] ?? -1]?.end, `seed ${seed}`).toBe(search.upTo);
    found.set(result, (found.get(result) ?? 0) + 1);
  }
  expect([...found.values()]).toEqual([75, 75]);
});

test('all ways together say of each key what the plain search says of it alone', () => {
  const kinds = new Set<string>();
  for (let seed = 0; seed < 2000; seed++) {
    const history = anyHistory(seed);
    const { judgements } = runHere(historyRounds(history, READS, OPTIONS), OPTIONS);
    const keys = keyHistories(history, register, READS).filter(({ ops }) => ops.length > 0);
    const plain = keys.map(({ key, ops }) => ({
      key,
      result: findOrder(ops, register, BUDGET).result,
    }));
    expect(judgements, `seed ${seed}`).toMatchObject(plain);
    expect(judgeKeys(keys, OPTIONS), `seed ${seed}`).toMatchObject(plain);
    for (const { anomalies } of judgements) for (const { kind } of anomalies) kinds.add(kind);
  }
  expect(kinds.size).toBeGreaterThan(3);
});

test('several threads find what one does, in the same order', async () => {
  const clock = realClock();
  const options: JudgeOptions = { ...OPTIONS, clock, deadline: nanos(600e9) };
  for (const at of [undefined, 0.2, 0.9]) {
    const violation = at === undefined ? {} : { violation: { kind: 'stale-read', at } as const };
    const many = { operations: 6000, clients: 6, keys: 40, indefinite: 0.01, ...violation };
    const history = historyOfKnown(knownHistory(randomOf(7), many));
    const alone = runHere(historyRounds(history, READS, options), options);
    const rounds = historyRounds(history, READS, options);
    const together = await runOnThreads(rounds, options, { threads: 3, patienceMs: 0 });
    const results = alone.judgements.map(({ key, result, anomalies }) => ({
      key,
      result,
      anomalies,
    }));
    expect(together.judgements).toMatchObject(results);
    expect(together.asked).toEqual(alone.asked);
    expect(results.some(({ result }) => result === 'invalid')).toBe(at !== undefined);
  }
});

test('300,000 operations on one key overflow nothing', () => {
  const known = knownHistory(randomOf(1), { operations: 300_000, clients: 3, values: 50 });
  const history = historyOfKnown(known);
  const { judgements } = runHere(historyRounds(history, READS, OPTIONS), OPTIONS);
  expect(judgements).toMatchObject([{ result: 'valid', operations: known.length }]);
  const [key] = keyHistories(history, register, READS);
  expect(decide(key?.ops ?? [], register, { ...BUDGET, steps: Infinity }).result).toBe('valid');
});
