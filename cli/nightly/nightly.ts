/** `schism run --budget 2h`: known bugs first, and then a search for others, as one suite. */
import { realClock } from '../../harness/core/clock.ts';
import { HarnessError } from '../../harness/core/errors.ts';
import {
  freshSeed,
  parseSeed,
  Random,
  type Seed,
  seedFrom,
  seedText,
} from '../../harness/core/prng.ts';
import { parseDurationMs } from '../../harness/core/units.ts';
import { lengthText } from '../../reports/words.ts';
import { defaultFlags, type Flags } from '../flags.ts';
import type { Shell } from '../program.ts';
import { type Asked, outputOf } from '../suite/choose-tests.ts';
import type { SuitePlan } from '../suite/plan.ts';
import { planSuite } from '../suite/plan-suite.ts';
import { runSuite, type SuiteOptions } from '../suite/run-suite.ts';
import { parseShard } from '../suite/select.ts';
import { exploreForNight } from './explore-night.ts';

/** Of the whole time, for regressions. */
const REGRESSIONS_SHARE = 0.2;

/** Flags that would make another thing of a night. */
const REFUSED: readonly (readonly [flag: keyof Flags, name: string])[] = [
  ['repeatEach', '--repeat-each'],
  ['repeatFor', '--repeat-for'],
  ['lastFailed', '--last-failed'],
  ['leaveRunning', '--leave-running'],
  ['schedule', '--schedule'],
  ['project', '--project'],
];

/** Flags that say what is explored, and would make other runs of regressions. */
const OF_EXPLORING: readonly (keyof Flags)[] = [
  'nodes',
  'latency',
  'clients',
  'clientTimeout',
  'rate',
  'readMode',
  'promise',
  'fault',
  'faults',
  'faultInterval',
  'faultDuration',
  'duration',
  'quietStart',
  'workloadOption',
  'seed',
];

/**
 * The tests of a night are regressions, whatever test files there are; those of the store that the
 * config names. Throws `bad-option` for flags that do not go with `--budget`.
 */
export function askedForNight(asked: Asked): Asked {
  const { flags, isGiven, loaded } = asked;
  const wrong = REFUSED.find(([flag]) => isGiven(flag));
  if (wrong !== undefined)
    throw new HarnessError('bad-option', `--budget: a night goes without ${wrong[1]}`);
  const { system } = loaded.config;
  const ofConfig = system !== undefined && !isGiven('system');
  return {
    ...asked,
    flags: {
      ...flags,
      regressions: flags.regressions ?? true,
      ...(ofConfig && { system }),
    },
    isGiven: (flag) => isGiven(flag) || (ofConfig && flag === 'system'),
  };
}

/** Returns the exit code of the suite. `asked`: by `askedForNight`. */
export async function runNight(shell: Shell, asked: Asked, options: SuiteOptions): Promise<number> {
  const clock = realClock();
  const startMs = clock.wallMs();
  const budgetMs = parseDurationMs(asked.flags.budget ?? '', '--budget');
  const plan = await planNight(asked, budgetMs);
  const explore = await exploreForNight(shell, asked, seedOfShard(plan));
  const { result } = await runSuite(shell, plan, {
    ...options,
    more: (around) => explore({ ...around, leftMs: budgetMs - (clock.wallMs() - startMs) }),
  });
  return result.exitCode;
}

/** In another order every night, so that each regression has its turn in some. */
export async function planNight(asked: Asked, budgetMs: number): Promise<SuitePlan> {
  const plan = (await planned(asked)) ?? emptyPlan(asked);
  const random = Random.stream(plan.seed as Seed, 'night/order');
  const afterMs = budgetMs * REGRESSIONS_SHARE;
  return {
    ...plan,
    tests: random.shuffle(plan.tests),
    deadline: {
      afterMs,
      why: `the time for regressions, a fifth of the budget (${lengthText(afterMs)}), was over`,
    },
  };
}

/** Undefined where there are no regressions, and nobody asked for any. */
async function planned(asked: Asked): Promise<SuitePlan | undefined> {
  try {
    return await planSuite(ofRegressions(asked));
  } catch (error) {
    const isNone = error instanceof HarnessError && error.code === 'nothing-selected';
    if (!isNone || asked.isGiven('regressions')) throw error;
    return undefined;
  }
}

/** A known bug is looked for as its file says; a seed that is given is that of the night. */
function ofRegressions(asked: Asked): Asked {
  const { flags, isGiven, loaded } = asked;
  const { seed } = flags;
  const config = isGiven('seed') && seed !== undefined ? { ...loaded.config, seed } : loaded.config;
  const isOurs = (flag: string): boolean => !OF_EXPLORING.some((other) => other === flag);
  const ours = Object.entries(flags).filter(([flag]) => isOurs(flag));
  return {
    ...asked,
    flags: { ...defaultFlags(), ...(Object.fromEntries(ours) as Partial<Flags>) },
    isGiven: (flag) => isGiven(flag) && isOurs(flag),
    loaded: { ...loaded, config },
  };
}

function emptyPlan({ flags, isGiven, loaded: { config } }: Asked): SuitePlan {
  const seed = isGiven('seed') ? flags.seed : config.seed;
  return {
    tests: [],
    selected: 0,
    found: 0,
    ...(flags.shard !== undefined && { shard: parseShard(flags.shard) }),
    seed: seed === undefined ? freshSeed() : parseSeed(String(seed)),
    workers: 1,
    maxFailures: 0,
    infraRetries: 0,
    passWithNoTests: true,
    modules: [],
    output: outputOf(flags, isGiven, config),
  };
}

/** Each shard draws runs of its own. */
export function seedOfShard({ seed, shard }: Pick<SuitePlan, 'seed' | 'shard'>): string {
  if (shard === undefined) return seedText(seed as Seed);
  const random = Random.stream(seed as Seed, `night/${shard.index}/${shard.total}`);
  return seedText(seedFrom(random.int(0, 2 ** 32 - 1)));
}
