/** Random histories, on which the engine must agree with an oracle that knows none of its rules. */
import { InvariantError } from '../../harness/core/invariant.ts';
import type { Random } from '../../harness/core/prng.ts';
import { nanos } from '../../harness/core/units.ts';
import {
  isPossible,
  isReachable,
  orderFault,
  parseProblem,
  problemText,
  registerProblem,
} from '../testkit/register-problems.ts';
import { ALL_RULES, Engine, type Rules, type SearchOptions } from './engine.ts';
import { orderOf } from './engine-order.ts';
import { NEVER, type Problem } from './problem.ts';
import { Refinement } from './refinement.ts';
import { isImpossibleBy, type StretchBudget } from './stretch.ts';

const NO_RULES: Rules = {
  keepers: false,
  absorption: false,
  credit: false,
  symmetry: false,
  usefulness: false,
};

const MEMORY_BYTES = 2 ** 26;
const STEPS = 1_000_000;
/** It does not matter how often a search is interrupted. */
const FEW_STEPS = 3;
const STRETCHES: StretchBudget = {
  clock: { now: () => nanos(0) },
  deadline: nanos(1),
  memoryBytes: MEMORY_BYTES,
  steps: STEPS,
  sizes: [2, 5, 9],
};

/** The searches that must all agree. */
export const VARIANTS: Readonly<Record<string, Omit<SearchOptions, 'memoryBytes'>>> = {
  all: {},
  'all, depth-first': { waveWidth: 1 },
  'all, waves of 3': { waveWidth: 3 },
  none: { rules: NO_RULES },
  keepers: { rules: { ...NO_RULES, keepers: true } },
  absorption: { rules: { ...NO_RULES, absorption: true } },
  symmetry: { rules: { ...NO_RULES, symmetry: true } },
  'keepers, symmetry': { rules: { ...NO_RULES, keepers: true, symmetry: true } },
  'no keepers': { rules: { ...ALL_RULES, keepers: false } },
  'no credit': { rules: { ...ALL_RULES, credit: false } },
  'no symmetry': { rules: { ...ALL_RULES, symmetry: false } },
  'no usefulness': { rules: { ...ALL_RULES, usefulness: false } },
};

/** Small enough for the oracle; most have operations that overlap much, and few values. */
export function randomProblem(random: Random): Problem {
  const isHard = random.chance(0.7);
  return registerProblem(random, {
    operations: random.int(isHard ? 8 : 2, isHard ? 18 : 10),
    processes: random.int(isHard ? 4 : 1, 9),
    values: random.int(isHard ? 2 : 1, 4),
    unfinished: random.pick([0, 0, 0.1, 0.3]),
    lies: random.pick([0.05, 0.1, 0.2, 0.5]),
    weights: [random.int(1, 4), random.int(0, 4), random.int(0, 4), random.pick([0, 0, 1, 3])],
  });
}

/** What the engine says otherwise than the oracle, under any set of rules; undefined: nothing. */
export function disagreement(problem: Problem, engine: Engine): string | undefined {
  const expected = isPossible(problem) ? 'valid' : 'invalid';
  for (const [name, options] of Object.entries(VARIANTS)) {
    engine.start(problem, { ...options, memoryBytes: MEMORY_BYTES });
    const found = engine.run(STEPS);
    if (found !== expected) return `${name}: ${found}, not ${expected}: ${problemText(problem)}`;
    const fault = witnessFault(problem, engine);
    if (fault !== undefined) return `${name}: ${fault}: ${problemText(problem)}`;
  }
  return refinementFault(problem, engine, expected) ?? dashFault(problem, engine, expected);
}

/** On so small a problem a dash comes everywhere, and so it gives up only where there is no order. */
function dashFault(problem: Problem, engine: Engine, expected: string): string | undefined {
  if (problem.returns.includes(NEVER)) return undefined;
  const text = problemText(problem);
  const options = { memoryBytes: MEMORY_BYTES };
  engine.start(problem, options);
  engine.run(STEPS);
  const blocked = engine.blocked();
  for (const [name, rules] of Object.entries({ all: ALL_RULES, none: NO_RULES })) {
    let progress = engine.start(problem, { ...options, rules, isDash: true });
    while (progress === 'running') progress = engine.run(FEW_STEPS);
    const mayTire = rules === NO_RULES && progress === 'gave-up';
    if (progress !== (expected === 'valid' ? 'valid' : 'gave-up') && !mayTire)
      return `dash, ${name}: ${progress}, not ${expected}: ${text}`;
    if (!mayTire && engine.blocked() !== blocked)
      return `dash, ${name}: ends at ${engine.blocked()}, not ${blocked}: ${text}`;
    const fault = witnessFault(problem, engine);
    if (fault !== undefined) return `dash, ${name}: ${fault}: ${text}`;
  }
  return undefined;
}

/** Counting supplies no more exactly than it takes comes to the same, and to the same completion. */
function refinementFault(problem: Problem, engine: Engine, expected: string): string | undefined {
  const exact = refined(problem, engine, true);
  const blocked = exact.blocked();
  const text = problemText(problem);
  if (expected === 'invalid' && exact.deadEnds(1).length === 0)
    return `no way ends at the completion that none gets past: ${text}`;
  const vague = refined(problem, engine, false);
  if (vague.progress !== expected) return `refined: ${vague.progress}, not ${expected}: ${text}`;
  if (vague.blocked() !== blocked)
    return `refined: ends at ${vague.blocked()}, not ${blocked}: ${text}`;
  const fault = witnessFault(problem, engine) ?? deadEndFault(problem, vague, blocked);
  if (fault !== undefined) return `refined: ${fault}: ${text}`;
  return stretchFault(problem, engine, blocked);
}

/** No stretch may speak against the last completion that an order gets past. */
function stretchFault(
  problem: Problem,
  engine: Engine,
  blocked: number | undefined,
): string | undefined {
  const { returns } = problem;
  const end = blocked === undefined ? NEVER : (returns[blocked] as number);
  const last = returns.reduce(
    (latest, moment) => (moment < end ? Math.max(latest, moment) : latest),
    -1,
  );
  if (last < 0) return undefined;
  const fault = faultOr(() => {
    const { isImpossible } = isImpossibleBy(problem, returns.indexOf(last), engine, STRETCHES);
    return isImpossible ? 'a stretch forbids what is possible' : undefined;
  });
  return fault && `${fault}: ${problemText(problem)}`;
}

function refined(problem: Problem, engine: Engine, exactly: boolean): Refinement {
  const search = new Refinement(engine, problem, { memoryBytes: MEMORY_BYTES }, exactly);
  while (search.progress === 'running') search.run(exactly ? STEPS : FEW_STEPS);
  return search;
}

/** What is wrong with what is told of the ends of all ways. */
function deadEndFault(
  problem: Problem,
  search: Refinement,
  blocked: number | undefined,
): string | undefined {
  if (blocked === undefined) return undefined;
  for (const { state, done, optional } of search.deadEnds(8))
    for (const placed of [done, [...done, ...optional]])
      if (!isReachable(problem, blocked, placed, state))
        return `no way leads to ${state} with ${placed.join(' ')} done`;
  return undefined;
}

/** What is wrong with the order that got furthest. */
function witnessFault(problem: Problem, engine: Engine): string | undefined {
  const blocked = engine.blocked();
  const upTo = blocked === undefined ? NEVER : (problem.returns[blocked] as number);
  return faultOr(() => {
    const order = orderOf(problem, engine.trail() ?? new Int32Array(), upTo);
    const fault = orderFault(problem, order, upTo);
    return fault === undefined ? undefined : `${fault} in ${order.join(' ')}`;
  });
}

/** An invariant that does not hold is a fault as well. */
function faultOr(find: () => string | undefined): string | undefined {
  try {
    return find();
  } catch (error) {
    if (error instanceof InvariantError) return error.message;
    throw error;
  }
}

/** Chance meets these once in some 100,000 problems; each shows that a condition of a rule is needed. */
const RARE: readonly string[] = [
  // The first move counts as done, since at 3 it changes nothing; the second is the one that moved 0.
  'w3[0,1] up[2,8] w0[3,4] up[5,9] r1[6,7] r1[10,11]',
  // With 1 in the register, the second write of 1 hides the write of 2 and its read.
  'w2[0,9] w1[1,4] r1[2,3] r2[5,11] w1[6,12] c10[7,8] r0[10,15] w1[13,14]',
];

/** The first disagreement on the rare problems and then on `count` random ones. */
export function firstDisagreement(
  random: Random,
  count: number,
  engine: Engine,
): string | undefined {
  for (const text of RARE) {
    const found = disagreement(parseProblem(text), engine);
    if (found !== undefined) return found;
  }
  for (let at = 0; at < count; at++) {
    const found = disagreement(randomProblem(random), engine);
    if (found !== undefined) return `problem ${at}: ${found}`;
  }
  return undefined;
}
