import { expect, test } from 'vitest';
import type { JsonValue } from '../../harness/core/json.ts';
import { Random, seedFrom } from '../../harness/core/prng.ts';
import { nanos } from '../../harness/core/units.ts';
import type { Interval } from '../key-history.ts';
import type { Call, Model } from '../models/model.ts';
import { MODEL_CASES, type ModelCase } from '../testkit/model-cases.ts';
import { smallHistory } from '../testkit/model-histories.ts';
import { decide } from './portfolio.ts';
import type { Search, SearchBudget } from './wgl.ts';

const budget: SearchBudget = {
  clock: { now: () => nanos(0) },
  deadline: nanos(1),
  memoryBytes: 2 ** 26,
  steps: 1e7,
};

interface Judged {
  readonly random: Random;
  readonly ops: readonly Interval[];
  readonly search: Search;
}

/** Histories of all sorts, with what the engine says of them. */
function* histories({ model, draw }: ModelCase, count: number): Generator<Judged> {
  const random = Random.stream(seedFrom(31), model.name);
  for (let at = 0; at < count; at++) {
    const operations = random.int(2, 16);
    const options = { operations, processes: random.int(1, 6), wrong: random.int(0, 2) };
    const ops = smallHistory(random, model, draw, options);
    yield { random, ops, search: decide(ops, model, budget) };
  }
}

/** What had completed before this moment, with what was under way and may have changed something. */
function beginning(ops: readonly Interval[], moment: number, model: Model): Interval[] {
  return ops
    .filter(({ start, end, call }) => start < moment && (end < moment || !model.readOnly(call)))
    .map((op) => (op.end < moment ? op : { ...op, end: Infinity }));
}

function unfinished({ call, start }: Interval): Interval {
  const { f, input, key } = call;
  const open: Call = { f, input, output: null, outcome: 'indefinite' };
  return { start, end: Infinity, call: key === undefined ? open : { ...open, key } };
}

test.for(MODEL_CASES)('$model.name: what is possible was so at every moment', (one) => {
  let tried = 0;
  for (const { random, ops, search } of histories(one, 300)) {
    if (search.result !== 'valid') continue;
    tried++;
    const moment = random.int(0, 2 * ops.length);
    const { result } = decide(beginning(ops, moment, one.model), one.model, budget);
    expect({ ops, moment, result }).toEqual({ ops, moment, result: 'valid' });
  }
  expect(tried).toBeGreaterThan(30);
});

test.for(MODEL_CASES)('$model.name: what none gets past is impossible by itself', (one) => {
  let tried = 0;
  for (const { ops, search } of histories(one, 300)) {
    if (search.result !== 'invalid') continue;
    tried++;
    const { upTo } = search;
    const after = decide(beginning(ops, upTo + 0.5, one.model), one.model, budget);
    expect({ ops, ...after }).toMatchObject({ ops, result: 'invalid', upTo });
    const before = decide(beginning(ops, upTo, one.model), one.model, budget);
    expect({ ops, ...before }).toMatchObject({ ops, result: 'valid' });
  }
  expect(tried).toBeGreaterThan(30);
});

test.for(MODEL_CASES)('$model.name: one more that never ends forbids nothing', (one) => {
  for (const { random, ops, search } of histories(one, 300)) {
    if (search.result !== 'valid') continue;
    const start = random.int(0, 2 * ops.length) + 0.5;
    const more = unfinished({ start, end: Infinity, call: one.draw(random) });
    const longer = [...ops, more].toSorted((a, b) => a.start - b.start);
    const { result } = decide(longer, one.model, budget);
    expect({ longer, result }).toEqual({ longer, result: 'valid' });
  }
});

test.for(MODEL_CASES)('$model.name: only the order of moments matters', (one) => {
  for (const { ops, search } of histories(one, 150)) {
    const later = ops.map((op) => ({ ...op, start: 7 + 3 * op.start, end: 7 + 3 * op.end }));
    const { result } = decide(later, one.model, budget);
    expect({ ops, result }).toEqual({ ops, result: search.result });
  }
});

type Renaming = (value: JsonValue) => JsonValue;

/** Numbers become names; where they are values, and nothing is counted. */
const named: Renaming = (value) => (typeof value === 'number' ? `v${value}` : value);

/** Of two letters each becomes the other. */
function swapped(one: string, other: string): Renaming {
  return (value) =>
    typeof value === 'string'
      ? value.replaceAll(new RegExp(`[${one}${other}]`, 'g'), (c) => (c === one ? other : one))
      : value;
}

const RENAMINGS: Readonly<Record<string, Renaming>> = {
  register: named,
  'cas-register': named,
  'multi-register': named,
  'versioned-register': named,
  set: named,
  'unordered-queue': named,
  'fifo-queue': named,
  stack: named,
  'append-register': swapped('a', 'b'),
  kv: swapped('1', '2'),
  mutex: swapped('1', '2'),
  'fenced-mutex': swapped('1', '2'),
  'reentrant-lock': swapped('1', '3'),
  'semaphore-2': swapped('1', '3'),
};

function everywhere(value: JsonValue, rename: Renaming): JsonValue {
  if (Array.isArray(value))
    return (value as readonly JsonValue[]).map((part) => everywhere(part, rename));
  if (typeof value !== 'object' || value === null) return rename(value);
  const parts = Object.entries(value as Readonly<Record<string, JsonValue>>);
  return Object.fromEntries(parts.map(([name, part]) => [name, everywhere(part, rename)]));
}

// A counter adds its values up: they are no names.
test.for(MODEL_CASES.filter(({ model }) => model.name !== 'counter'))(
  '$model.name: names do not matter',
  (one) => {
    const rename = RENAMINGS[one.model.name];
    if (rename === undefined) return expect.fail(`no renaming for ${one.model.name}`);
    for (const { ops, search } of histories(one, 200)) {
      const other = ops.map(({ call, ...moments }) => ({
        ...moments,
        call: {
          ...call,
          input: everywhere(call.input, rename),
          output: everywhere(call.output, rename),
          ...(call.seen !== undefined && { seen: everywhere(call.seen, rename) }),
        },
      }));
      const { result } = decide(other, one.model, budget);
      expect({ ops, result }).toEqual({ ops, result: search.result });
    }
  },
);
