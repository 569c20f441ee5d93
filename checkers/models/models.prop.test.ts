import { expect, test } from 'vitest';
import { bruteForceOrder } from '../testkit/brute-force.ts';
import { MODEL_CASES, type ModelCase } from '../testkit/model-cases.ts';
import * as laws from '../testkit/model-laws.ts';
import type { Model } from './model.ts';

/** The first thing that breaks a law, among so many seeds. */
function broken(law: laws.Law, one: ModelCase, seeds: number): string | undefined {
  for (let seed = 0; seed < seeds; seed++) {
    const found = law(seed, one);
    if (found !== undefined) return `seed ${seed}: ${found}`;
  }
  return undefined;
}

test.for(MODEL_CASES)('$model.name: steps are pure and states are plain', (one) => {
  expect(broken(laws.stepsArePure, one, 60)).toBeUndefined();
});

test.for(MODEL_CASES)('$model.name: what is read-only changes nothing', (one) => {
  expect(broken(laws.readsChangeNothing, one, 200)).toBeUndefined();
});

test.for(MODEL_CASES)('$model.name: what overwrites is blind', (one) => {
  expect(broken(laws.overwritesAreBlind, one, 200)).toBeUndefined();
});

test.for(MODEL_CASES)('$model.name: what is removable can be left out', (one) => {
  expect(broken(laws.removalsKeepOrders, one, 1500)).toBeUndefined();
});

test.for(MODEL_CASES.filter(({ model }) => model.starts !== undefined))(
  '$model.name: the states to start from stand for all',
  (one) => {
    expect(broken(laws.startsStandForAll, one, 1500)).toBeUndefined();
  },
);

test.for(MODEL_CASES)('$model.name: the search agrees with the trial of all orders', (one) => {
  expect(broken(laws.searchAgrees, one, 1500)).toBeUndefined();
  const { model, draw } = one;
  let valid = 0;
  for (let seed = 0; seed < 200; seed++)
    if (bruteForceOrder(laws.arbitrary(seed, model, draw), model)) valid++;
  // Were nearly all of one sort, agreement would say little.
  expect(valid).toBeGreaterThan(40);
  expect(valid).toBeLessThan(190);
});

const always = (): boolean => true;

/** Each model with one promise too many; the law must see that it does not hold. */
const LIES: readonly {
  readonly lie: string;
  readonly law: laws.Law;
  readonly tell: (model: Model) => Partial<Model> | undefined;
}[] = [
  {
    lie: 'everything were read-only',
    law: laws.readsChangeNothing,
    tell: () => ({ readOnly: always }),
  },
  {
    lie: 'everything overwrote',
    law: laws.overwritesAreBlind,
    tell: () => ({ overwrites: always }),
  },
  {
    lie: 'everything were removable',
    law: laws.removalsKeepOrders,
    tell: () => ({ removable: (calls) => calls.map(always) }),
  },
  {
    lie: 'all that overwrites were removable',
    law: laws.removalsKeepOrders,
    tell: (model) =>
      model.overwrites && {
        removable: (calls) => calls.map((call) => model.overwrites?.(call) === true),
      },
  },
  {
    lie: 'only the first state were to start from',
    law: laws.startsStandForAll,
    tell: (model) => model.starts && { starts: () => [model.init] },
  },
  {
    lie: 'every indefinite operation could be dropped',
    law: laws.searchAgrees,
    tell: () => ({ removable: (calls) => calls.map(always) }),
  },
  {
    lie: 'a step may change what it is given',
    law: laws.stepsArePure,
    tell: (model) => ({
      step: (state, call) => model.step(state, Object.assign(call, { f: call.f })),
    }),
  },
];

test.for(
  LIES.flatMap(({ lie, law, tell }) =>
    MODEL_CASES.flatMap(({ model, draw }) => {
      const told = tell(model);
      return told === undefined ? [] : [{ lie, law, one: { draw, model: { ...model, ...told } } }];
    }),
  ),
)('it would be seen of $one.model.name if $lie', ({ law, one }) => {
  expect(() => {
    expect(broken(law, one, 3000)).toBeUndefined();
  }).toThrow(Error);
});
