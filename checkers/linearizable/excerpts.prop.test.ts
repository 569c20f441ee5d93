import { expect, test } from 'vitest';
import { nanos } from '../../harness/core/units.ts';
import { type History, historyOf } from '../../harness/history/history.ts';
import { recheckCertificate } from '../certificates/recheck.ts';
import { register } from '../models/register.ts';
import { arbitraryHistory } from '../testkit/arbitrary-history.ts';
import { randomOf } from '../testkit/context.ts';
import { type Mutation, mutantOf } from '../testkit/mutant.ts';
import { MUTATIONS as VIOLATIONS } from '../testkit/mutate.ts';
import { simulate } from '../testkit/simulate.ts';
import * as real from './excerpts.ts';
import { anomalyOf } from './explain.ts';
import { noOrderAnomaly } from './explain-search.ts';
import { historyColumns } from './history-columns.ts';
import { findingsOf } from './refute.ts';
import { shrinkExcerpt } from './shrink.ts';

type Module = typeof import('./excerpts.ts');

const READS = ['linearizable'] as const;
const BUDGET = { clock: { now: () => nanos(0) }, deadline: nanos(1), memoryBytes: 2 ** 24 };

/** Of one key: one that no store ever had, or one of a store with something wrong. */
function historyFrom(seed: number): History {
  const random = randomOf(seed);
  const operations = random.int(10, 60);
  const values = random.pick([2, 5, 20, 60]);
  if (random.chance(0.5))
    return historyOf(arbitraryHistory(random, { operations, values, processes: random.int(1, 4) }));
  const ops = simulate(random, {
    operations,
    clients: random.int(2, 4),
    values: 'unique',
    revisions: false,
  });
  const broken = random.pick(Object.values(VIOLATIONS))(ops);
  return historyOf(broken ?? ops);
}

interface Told {
  readonly kinds: Map<string, number>;
  readonly problem?: string;
}

/** What excerpts of so many histories tell, up to the first thing that the whole does not bear out. */
function told({ Excerpts }: Module, seeds: number): Told {
  const kinds = new Map<string, number>();
  for (let seed = 0; seed < seeds; seed++) {
    const history = historyFrom(seed);
    const columns = historyColumns(history, READS, register.init);
    if (columns.length === 0) continue;
    const excerpts = new Excerpts(history, register, READS, columns, [0]);
    const random = randomOf(seed);
    const upTo = random.chance(0.5) ? history.length : random.int(0, history.length);
    for (const key of excerpts.near(0, upTo, [2, 4, 8])) {
      const anomalies = findingsOf(key).map((finding) => anomalyOf(key.key, finding));
      const { excerpt } = key;
      const core =
        excerpt && shrinkExcerpt(key.ops, excerpt, register, { ...BUDGET, steps: 100_000 });
      if (core !== undefined) anomalies.push(noOrderAnomaly(key, core, register));
      for (const anomaly of anomalies) {
        const opinion = recheckCertificate(anomaly, history);
        const problem = `seed ${seed}, ${anomaly.kind}: ${String(opinion)}`;
        if (opinion !== true) return { kinds, problem };
        kinds.set(anomaly.kind, (kinds.get(anomaly.kind) ?? 0) + 1);
      }
    }
  }
  return { kinds };
}

test('the whole history bears out whatever an excerpt tells, which is of every kind', () => {
  const { kinds, problem } = told(real, 2000);
  expect(problem).toBeUndefined();
  expect([...kinds.keys()].toSorted()).toEqual([
    'future-read',
    'lost-write',
    'non-monotonic-read',
    'not-linearizable',
    'phantom-read',
    'read-of-failed-write',
    'refused-matching-cas',
    'split-brain-cas',
    'split-brain-read',
    'stale-read',
  ]);
});

const MUTATIONS: readonly Mutation[] = [
  {
    without: 'the first that put a value',
    replace: '[one, other, last, seen, winner]',
    by: '[other, last, seen, winner]',
  },
  {
    without: 'another that put it',
    replace: '[one, other, last, seen, winner]',
    by: '[one, last, seen, winner]',
  },
  {
    without: 'the last to end of those that put it',
    replace: '[one, other, last, seen, winner]',
    by: '[one, other, seen, winner]',
  },
  {
    without: 'what was in flight when it begins',
    replace: 'inside = rows.subarray(0, end).filter((row) => (ret[row] as number) >= from)',
    by: 'inside = rows.subarray(0, end).filter((row) => (call[row] as number) >= from)',
  },
  {
    without: 'those that put back what they found',
    replace: '!isWinner && facts.other === NONE',
    by: '!isWinner && facts.other === row',
  },
  {
    without: 'that a refusal may need a value of its own',
    replace: "asked.outcome === 'refused' &&",
    by: "asked.f === 'nothing' &&",
  },
  {
    without: 'those that failed',
    replace: 'isStrange ? this.#failed(name) : []',
    by: '[]',
  },
];

test.for(MUTATIONS)('is told from one without $without', async (mutation) => {
  const mutant = await mutantOf(new URL('excerpts.ts', import.meta.url), mutation);
  expect(told(mutant as Module, 30_000).problem).toBeDefined();
});
