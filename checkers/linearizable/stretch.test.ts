import { expect, test } from 'vitest';
import { Random, seedFrom } from '../../harness/core/prng.ts';
import { nanos } from '../../harness/core/units.ts';
import { register } from '../models/register.ts';
import { type KnownOptions, knownHistory } from '../testkit/known-history.ts';
import { historyOfKnown } from '../testkit/known-history-forms.ts';
import { MODEL_CASES } from '../testkit/model-cases.ts';
import { smallHistory } from '../testkit/model-histories.ts';
import {
  registerProblem as drawnProblem,
  hardProblem,
  parseProblem,
} from '../testkit/register-problems.ts';
import { Engine } from './engine.ts';
import { randomProblem } from './engine-fuzz.ts';
import { historyColumns } from './history-columns.ts';
import { columnsOfPart, partitionOf } from './partition.ts';
import { type Raced, race } from './portfolio.ts';
import { NEVER, type Problem, problemOf } from './problem.ts';
import { Refinement } from './refinement.ts';
import { registerProblem } from './register-problem.ts';
import { isImpossibleBy } from './stretch.ts';

const MEMORY = { memoryBytes: 2 ** 26 };
const BUDGET = {
  ...MEMORY,
  steps: Infinity,
  clock: { now: () => nanos(0) },
  deadline: nanos(1),
};

/** A long history of one register. */
function known(options: Partial<KnownOptions>): Problem {
  const random = Random.stream(seedFrom(11), 'stretch');
  const shape = { operations: 20_000, keys: 1, values: 5, spread: 'in-turn', ...options } as const;
  const history = historyOfKnown(knownHistory(random, shape));
  const columns = historyColumns(history, ['linearizable'], register.init);
  const parts = partitionOf(columns, new Uint8Array(1).fill(1));
  return registerProblem(columnsOfPart(parts, 0), parts.values[0] as number);
}

/** By the wide search alone. */
function blockedOf(problem: Problem): number | undefined {
  const search = new Refinement(new Engine(), problem, MEMORY, true);
  while (search.progress === 'running') search.run(1e6);
  return search.blocked();
}

const LOOKS = 30;

function raced(problem: Problem): Raced {
  return race(problem, BUDGET, 'verdict');
}

test('a value that was there long ago is impossible whatever came before', () => {
  const problem = parseProblem('w1[0,1] w2[2,3] w3[4,5] r3[6,7] w0[8,9] r0[10,11] r2[12,13]');
  const found = isImpossibleBy(problem, 6, new Engine(), { ...BUDGET, sizes: [3] });
  expect(found.isImpossible).toBe(true);
});

test.for([
  ['may take effect in it', 'w2[0,11] w3[1,2] w1[3,4] r1[5,6] r2[7,8] r2[9,10]'],
  ['may have done so before', 'w2[0,9] w1[1,2] r1[3,4] r1[5,6] r1[7,8] r1[10,11]'],
] as const)('what is in flight when a stretch begins %s', ([, text]) => {
  const found = isImpossibleBy(parseProblem(text), 5, new Engine(), { ...BUDGET, sizes: [3] });
  expect(found.isImpossible).toBe(false);
});

interface Asked {
  /** How many completions no order gets past, and of how many of them a stretch showed it. */
  invalid: number;
  shown: number;
  /** How many some order gets past. */
  passable: number;
}

/** Asks about every completion that an order gets past, and about the first that none does. */
function askAll(problem: Problem, engine: Engine, asked: Asked): void {
  const blocked = blockedOf(problem);
  const end = blocked === undefined ? NEVER : (problem.returns[blocked] as number);
  const ask = (op: number): boolean =>
    isImpossibleBy(problem, op, engine, { ...BUDGET, sizes: [2, 4] }).isImpossible;
  for (const [op, moment] of problem.returns.entries()) {
    if (moment >= end) continue;
    asked.passable++;
    expect(ask(op)).toBe(false);
  }
  if (blocked === undefined) return;
  asked.invalid++;
  if (ask(blocked)) asked.shown++;
}

test('stretches of small histories show many violations, and never one that is none', () => {
  const random = Random.stream(seedFrom(12), 'stretch');
  const engine = new Engine();
  const asked: Asked = { invalid: 0, shown: 0, passable: 0 };
  for (let at = 0; at < 800; at++) askAll(randomProblem(random), engine, asked);
  expect(asked.passable).toBeGreaterThan(3000);
  expect(asked.invalid).toBeGreaterThan(150);
  expect(asked.shown / asked.invalid).toBeGreaterThan(0.1);
});

const WITH_STARTS = MODEL_CASES.filter(({ model }) => model.starts !== undefined);

test.for(WITH_STARTS)('so do those of $model.name', ({ model, draw }) => {
  const random = Random.stream(seedFrom(14), model.name);
  const engine = new Engine();
  const asked: Asked = { invalid: 0, shown: 0, passable: 0 };
  for (let at = 0; at < 600; at++) {
    const shape = { operations: random.int(6, 12), processes: random.int(1, 5) };
    const ops = smallHistory(random, model, draw, { ...shape, wrong: random.int(0, 2) });
    askAll(problemOf(ops, model), engine, asked);
  }
  expect(asked.passable).toBeGreaterThan(1000);
  expect(asked.shown).toBeGreaterThan(20);
});

test.for([10, 20, 30])(
  'with %i clients a stale read is found in fewer steps than an order',
  (clients) => {
    const valid = raced(known({ clients }));
    const problem = known({ clients, violation: { kind: 'stale-read', at: 0.5 } });
    const invalid = raced(problem);
    expect(valid.result).toBe('valid');
    expect(invalid).toMatchObject({ result: 'invalid', blocked: blockedOf(problem) });
    expect(invalid.steps).toBeLessThan(valid.steps);
  },
);

test('without stretches the whole is searched, and ends where they do', () => {
  const problem = known({ clients: 20, violation: { kind: 'too-few-writes', at: 0.5 } });
  const { states: _, ...unknown } = problem;
  const whole = raced(unknown);
  const found = raced(problem);
  expect(whole).toMatchObject({ result: 'invalid', blocked: blockedOf(problem) });
  expect(found).toMatchObject({ result: 'invalid', blocked: whole.blocked });
  expect(whole.steps).toBeGreaterThan(2 * found.steps);
});

test('what was used up before any stretch begins is found in the whole', () => {
  const reads = Array.from({ length: 2200 }, (_, at) => `r1[${2 * at + 7},${2 * at + 8}]`);
  const text = `w3[0,9999] w1[1,2] r3[3,4] w1[5,6] ${reads.join(' ')} r3[5000,5001]`;
  const problem = parseProblem(text);
  const last = problem.kinds.length - 1;
  expect(isImpossibleBy(problem, last, new Engine(), BUDGET).isImpossible).toBe(false);
  expect(raced(problem)).toMatchObject({ result: 'invalid', blocked: last });
});

test('a stretch ends at the deadline, and looks at the clock within a few steps', () => {
  const problem = hardProblem(Random.stream(seedFrom(5), 'portfolio'));
  const deep = new Engine();
  deep.start(problem, { ...MEMORY, waveWidth: 1 });
  deep.run(20_000);
  const blocked = deep.blocked() as number;
  for (const [nanosALook, stepsALook] of [
    [1, 2000],
    // Where every slice seems to take a second.
    [1e9, 8],
  ] as const) {
    let looks = 0;
    const clock = { now: () => nanos(nanosALook * looks++) };
    const budget = { ...BUDGET, clock, deadline: nanos(nanosALook * LOOKS) };
    const found = isImpossibleBy(problem, blocked, new Engine(), budget);
    expect(found.isImpossible).toBe(false);
    expect(found.steps).toBeGreaterThan(LOOKS);
    expect(found.steps).toBeLessThan(stepsALook * LOOKS);
    expect(looks).toBeLessThanOrEqual(LOOKS + 2);
  }
});

test('a stretch takes no more memory or steps than it may', () => {
  const problem = hardProblem(Random.stream(seedFrom(5), 'stretch'));
  const engine = new Engine();
  const steps = (limits: Partial<typeof BUDGET>): number =>
    isImpossibleBy(problem, 1500, engine, { ...BUDGET, ...limits }).steps;
  expect(steps({})).toBeGreaterThan(3000);
  expect(steps({ steps: 3000 })).toBe(3000);
  const { bytes } = engine;
  expect(steps({ memoryBytes: bytes >> 1 })).toBeLessThan(steps({}));
});

test('with too many states no stretch is tried', () => {
  const options = { processes: 4, values: 600, unfinished: 0, lies: 0.1, weights: [1, 1, 0, 0] };
  const problem = drawnProblem(Random.stream(seedFrom(13), 'stretch'), {
    operations: 100,
    ...options,
  });
  const found = isImpossibleBy(problem, 90, new Engine(), BUDGET);
  expect(found).toEqual({ isImpossible: false, steps: 0 });
});
