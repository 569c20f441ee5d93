import { expect, test } from 'vitest';
import { keyHistories } from '../../checkers/key-history.ts';
import { linearizable } from '../../checkers/linearizable/checker.ts';
import type { Model } from '../../checkers/models/model.ts';
import { prefixConsistent } from '../../checkers/sequential/prefix-consistent.ts';
import { sequential } from '../../checkers/sequential/sequential.ts';
import { bruteForceOrder } from '../../checkers/testkit/brute-force.ts';
import { checkContext, randomOf } from '../../checkers/testkit/context.ts';
import { historyOfIntervals } from '../../checkers/testkit/interval-history.ts';
import { MODEL_CASES, type ModelCase } from '../../checkers/testkit/model-cases.ts';
import { smallHistory } from '../../checkers/testkit/model-histories.ts';
import { VirtualClock } from '../../harness/core/clock.ts';
import { nanos } from '../../harness/core/units.ts';
import type { History } from '../../harness/history/history.ts';
import type { Anomaly, Checker, Removals } from '../../harness/protocols/checker.ts';
import { excerptOf, type SmallHistory, shrinkHistory } from './small-history.ts';

/** Random histories of one key (or of a store), most of which are wrong somewhere. */
function drawn({ model, draw }: ModelCase, seed: number, wrong: number): History {
  const random = randomOf(seed);
  const options = { operations: 7, processes: random.int(2, 4), wrong };
  return historyOfIntervals(smallHistory(random, model, draw, options), 'x');
}

/** The oracle: by trial of all orders. */
function isPossible(history: History, model: Model): boolean {
  return keyHistories(history, model, ['linearizable']).every(({ ops }) =>
    bruteForceOrder(ops, model),
  );
}

/** Every history that is one removal away, the removal of one operation or of the last entry. */
function* oneAway(history: History, { operations, ends }: Removals): Generator<History> {
  const all = Array.from({ length: history.length }, (_, at) => at);
  for (const start of operations) {
    const pair = history.pairOf(start);
    yield excerptOf(
      history,
      all.filter((at) => at !== start && at !== pair),
    );
  }
  if (ends && all.length > 1) yield excerptOf(history, all.slice(0, -1));
}

function removalsOf(checker: Checker, history: History): Removals {
  if (checker.removals === undefined) throw new Error(`${checker.name} allows no removals`);
  return checker.removals(history);
}

async function shrunk(
  history: History,
  checker: Checker,
): Promise<{ readonly target: Anomaly; readonly small: SmallHistory } | undefined> {
  const find = async (one: History): Promise<readonly Anomaly[]> =>
    (await checker.check(one, checkContext())).anomalies;
  const [target] = await find(history);
  if (target === undefined) return undefined;
  const small = await shrinkHistory(history, {
    find: async (one) => (await find(one)).find(({ kind }) => kind === target.kind),
    removals: (one) => removalsOf(checker, one),
    clock: { now: () => nanos(0) },
    deadline: nanos(1),
  });
  if (small === undefined) throw new Error('what was found once is found again');
  return { target, small };
}

test.for(MODEL_CASES)(
  '$model.name: what may be missing makes no possible history impossible',
  (one) => {
    const { model } = one;
    const checker = linearizable({ model });
    let tried = 0;
    for (let seed = 0; seed < 150; seed++) {
      const history = drawn(one, seed, seed % 2);
      if (!isPossible(history, model)) continue;
      const removals = removalsOf(checker, history);
      const random = randomOf(seed);
      const out = new Set([...removals.operations].filter(() => random.chance(0.5)));
      const all = Array.from({ length: history.length }, (_, at) => at);
      const some = all.filter((at) => !out.has(at) && !out.has(history.pairOf(at)));
      for (const smaller of [excerptOf(history, some), ...oneAway(history, removals)]) {
        expect(isPossible(smaller, model)).toBe(true);
        tried++;
      }
    }
    expect(tried).toBeGreaterThan(200);
  },
);

test.for(MODEL_CASES)(
  '$model.name: what remains is a part, still impossible, and nothing of it can go',
  async (one) => {
    const { model } = one;
    // A clock of its own: threads would take longer than the search.
    const checker = linearizable({ model, clock: new VirtualClock() });
    let found = 0;
    for (let seed = 0; seed < 60; seed++) {
      const history = drawn(one, seed, 2);
      const result = await shrunk(history, checker);
      expect(result !== undefined).toBe(!isPossible(history, model));
      if (result === undefined) continue;
      found++;
      const { target, small } = result;
      expect(small.isMinimal).toBe(true);
      expect(small.anomaly.kind).toBe(target.kind);
      expect(small.kept).toEqual([...new Set(small.kept)].toSorted((a, b) => a - b));
      for (const [at, from] of small.kept.entries())
        expect({ ...small.history.op(at), index: from }).toEqual(history.op(from));
      expect(isPossible(small.history, model)).toBe(false);
      for (const smaller of oneAway(small.history, removalsOf(checker, small.history))) {
        const { anomalies } = await checker.check(smaller, checkContext());
        expect(anomalies.map(({ kind }) => kind)).not.toContain(target.kind);
      }
    }
    expect(found).toBeGreaterThan(8);
  },
);

test.for([sequential({}), prefixConsistent({})])(
  '$name: the same violation is found in what remains, and nothing of that can go',
  async (checker) => {
    const [register] = MODEL_CASES;
    let found = 0;
    for (let seed = 0; seed < 120; seed++) {
      const history = drawn(register as ModelCase, seed, 2);
      const result = await shrunk(history, checker);
      if (result === undefined) continue;
      found++;
      const { target, small } = result;
      expect(small.anomaly.kind).toBe(target.kind);
      for (const smaller of oneAway(small.history, removalsOf(checker, small.history))) {
        const { anomalies } = await checker.check(smaller, checkContext());
        expect(anomalies.map(({ kind }) => kind)).not.toContain(target.kind);
      }
    }
    expect(found).toBeGreaterThan(20);
  },
);

test('without time it keeps more, and says so', async () => {
  const [register] = MODEL_CASES;
  const { model } = register as ModelCase;
  const checker = linearizable({ model, clock: new VirtualClock() });
  const histories = Array.from({ length: 20 }, (_, seed) => drawn(register as ModelCase, seed, 2));
  const wrong = histories.find((history) => !isPossible(history, model));
  const small = await shrinkHistory(wrong as History, {
    find: async (one) => (await checker.check(one, checkContext())).anomalies[0],
    removals: (one) => removalsOf(checker, one),
    clock: { now: () => nanos(2) },
    deadline: nanos(1),
  });
  expect(small?.isMinimal).toBe(false);
  expect(isPossible((small as SmallHistory).history, model)).toBe(false);
});
