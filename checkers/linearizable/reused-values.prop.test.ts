import { expect, test } from 'vitest';
import { historyOf } from '../../harness/history/history.ts';
import { recheckCertificate } from '../certificates/recheck.ts';
import { type KeyHistory, keyHistories } from '../key-history.ts';
import { producedBy, register, requiredBy, valueKey } from '../models/register.ts';
import { arbitraryHistory } from '../testkit/arbitrary-history.ts';
import { bruteForceLinearizable } from '../testkit/brute-force.ts';
import { randomOf } from '../testkit/context.ts';
import { type Mutation, mutantOf } from '../testkit/mutant.ts';
import { anomalyOf } from './explain.ts';
import * as real from './reused-values.ts';
import { valueUses } from './value-index.ts';

type Rule = typeof import('./reused-values.ts');

interface Case {
  readonly seed: number;
  readonly history: ReturnType<typeof historyOf>;
  readonly key: KeyHistory;
}

/** Small histories in which values repeat; half of them are wrong. */
function caseOf(seed: number): Case {
  const random = randomOf(seed);
  const options = {
    operations: random.int(3, 7),
    processes: random.int(1, 4),
    values: random.int(1, 3),
  };
  const history = historyOf(arbitraryHistory(random, options));
  const [key = { key: 'k0', ops: [], failed: [] }] = keyHistories(history, register, [
    'linearizable',
  ]);
  return { seed, history, key };
}

/** What the rule says, pair by pair: the reads of it. */
function expectedReads({ ops }: KeyHistory): number[] {
  const isOf = (value: string, of: unknown): boolean => JSON.stringify(of) === value;
  const found: number[] = [];
  const put = ops.map(({ call }) => producedBy(call));
  for (const read of ops) {
    const required = requiredBy(read.call);
    if (required === undefined || read.end === Infinity) continue;
    const value = valueKey(required);
    const all = ops.filter((_, at) => put[at] !== undefined && isOf(value, put[at]));
    const isUnique = all.length + (required === null ? 1 : 0) === 1;
    const sources = all.filter(
      ({ call, start }) => requiredBy(call) !== producedBy(call) && start < read.end,
    );
    if (isUnique || (sources.length === 0 && required !== null)) continue;
    const outdates = ops.some(({ call, start, end }) => {
      const left = producedBy(call) ?? requiredBy(call);
      const [from] = Array.isArray(call.input) ? call.input : [];
      const denies = call.outcome === 'refused' && call.seen === undefined && isOf(value, from);
      const differs = denies || (left !== undefined && !isOf(value, left));
      return differs && end < read.start && sources.every((source) => source.end < start);
    });
    if (outdates) found.push(read.start);
  }
  return found;
}

/** The first thing that is wrong with what the rule says of so many histories. */
function problemOf(rule: Rule, seeds: number): string | undefined {
  for (let seed = 0; seed < seeds; seed++) {
    const { history, key } = caseOf(seed);
    const findings = [...rule.reusedValueReads(key, valueUses(key))];
    const reads = findings.map(({ read }) => read.start).toSorted((a, b) => a - b);
    if (JSON.stringify(reads) !== JSON.stringify(expectedReads(key)))
      return `seed ${seed}: it finds the reads ${reads.join()}`;
    for (const finding of findings) {
      const opinion = recheckCertificate(anomalyOf('k0', finding), history);
      if (opinion !== true) return `seed ${seed}: ${opinion}`;
    }
    if (findings.length > 0 && bruteForceLinearizable(history, 'k0'))
      return `seed ${seed}: some order works`;
  }
  return undefined;
}

test('whatever it finds has no order, holds in a second opinion, and is all there is', () => {
  expect(problemOf(real, 10_000)).toBeUndefined();
});

test('its histories are worth asking about', () => {
  let found = 0;
  for (let seed = 0; seed < 3000; seed++) {
    const { key } = caseOf(seed);
    if ([...real.reusedValueReads(key, valueUses(key))].length > 0) found++;
  }
  expect(found).toBeGreaterThan(100);
});

const MUTATIONS: readonly Mutation[] = [
  {
    without: 'that the newer one ended before the read began',
    replace: 'op !== undefined && op.end < read.start',
    by: 'op !== undefined && op.end < read.end',
  },
  {
    without: 'those who wrote it last',
    replace: 'last === undefined || op.end > last.end ? op : last',
    by: 'last ?? op',
  },
  {
    without: 'those who wrote it while the read was under way',
    replace: 'lastOf(read.end)',
    by: 'lastOf(read.start)',
  },
  {
    without: 'that a cas to itself is no source',
    replace: 'producers.filter(({ call }) => !keepsValue(call))',
    by: 'producers',
  },
  {
    without: 'refusals that do not say what they saw',
    replace: 'const found = [firstWithAnother(after, value), firstDenial(after, value)];',
    by: 'const found = [firstWithAnother(after, value)];',
  },
  {
    without: 'what such a refusal expected',
    replace: '(denials.get(value) ?? []).map(',
    by: '[...denials.values()].flat().map(',
  },
  {
    without: 'the value that is there at first',
    replace: 'if (writers === 0 && !initial) continue;',
    by: 'if (writers === 0) continue;',
  },
  {
    without: 'that somebody must have written it',
    replace: 'if (writers === 0 && !initial) continue;',
    by: '',
  },
];

test.for(MUTATIONS)('is told from one without $without', async (mutation) => {
  const mutant = await mutantOf(new URL('reused-values.ts', import.meta.url), mutation);
  expect(problemOf(mutant as Rule, 30_000)).toBeDefined();
});
