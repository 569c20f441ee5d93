import { expect, test } from 'vitest';
import type { Anomaly } from '../../harness/protocols/checker.ts';
import { keyHistories } from '../key-history.ts';
import { bruteForceOrder } from '../testkit/brute-force.ts';
import { randomOf } from '../testkit/context.ts';
import { historyOfIntervals } from '../testkit/interval-history.ts';
import { MODEL_CASES } from '../testkit/model-cases.ts';
import { smallHistory } from '../testkit/model-histories.ts';
import { recheckByModel } from './by-model.ts';

test.for(MODEL_CASES)(
  '$model.name: a claim that holds is about a history without an order',
  ({ model, draw }) => {
    let held = 0;
    for (let seed = 0; seed < 150; seed++) {
      const random = randomOf(seed);
      const wrong = random.pick([0, 1, 2]);
      const ops = smallHistory(random, model, draw, { operations: 6, processes: 3, wrong });
      const history = historyOfIntervals(ops, 'x');
      const [key] = keyHistories(history, model, ['linearizable']);
      const moment = (): number => random.int(-1, history.length);
      for (let claim = 0; claim < 12; claim++) {
        const isWhole = random.chance(0.3);
        const operations = ops
          .map(({ start }) => start)
          .filter(() => isWhole || random.chance(0.8));
        const [from, upTo] = isWhole ? [-1, history.length] : [moment(), moment()];
        const anomaly: Anomaly = {
          kind: 'not-linearizable',
          key: 'x',
          ops: [],
          certificate: { model: model.name, init: model.init, operations, from, upTo },
          explanation: '',
        };
        if (recheckByModel(anomaly, history, model) !== true) continue;
        held++;
        expect({ seed, works: bruteForceOrder(key?.ops ?? [], model) }).toEqual({
          seed,
          works: false,
        });
      }
    }
    expect(held).toBeGreaterThan(5);
  },
);
