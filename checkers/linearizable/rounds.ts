/**
 * Shares the effort among keys that are searched one by one: all get a little, the cheapest first;
 * those that need more get four times as much in the next round. So an easy violation is found
 * however hard the other keys are. Rounds say what is to be done, and whoever drives them decides
 * where: in this thread or in several. What comes out is the same.
 */
import type { Parts } from './partition.ts';
import type { Raced } from './portfolio.ts';
import type { SearchBudget } from './wgl.ts';

/** What came of one key. */
export type Outcome = Omit<Raced, 'order'>;

/** What the search of any key may take, but for its steps. */
export interface RoundBudget extends Omit<SearchBudget, 'steps' | 'goesOn'> {
  /**
   * Default: true. The order of a valid key is written out and tried once more, which takes about
   * as long as an easy search.
   */
  readonly recheck?: boolean;
}

/** How a key is decided. */
export interface Searches {
  decide(key: number, budget: RoundBudget & SearchBudget): Outcome;
  /** The keys as columns, where they are: other threads can decide them. */
  readonly parts?: Parts;
}

export interface Round extends Searches {
  /** The cheapest first. None: there will be such rounds soon, so that whoever helps can get ready. */
  readonly keys: readonly number[];
  /** Of each of these. */
  readonly steps: readonly number[];
  readonly operations: number;
}

/** Is driven with one outcome for each key of a round. */
export type Rounds<T> = Generator<Round, T, readonly Outcome[]>;

/** Of a key: how many operations, and how many of those have an unknown outcome. */
export interface Size {
  readonly operations: number;
  readonly indefinite: number;
}

const FIRST_STEPS = 20_000;
const FIRST_STEPS_PER_OPERATION = 20;
const STEPS_FACTOR = 4;

/**
 * One outcome for each key. `refuted` is asked once: which of those that the first round did not
 * decide have a violation that can be seen without a search. A round that ends with a violation is
 * the last: keys that need more are `unknown`, for want of `steps`. A key that is alone shares with
 * nobody: it is searched without a limit, and if it was from the beginning goes on where it was.
 */
export function* roundsOf(
  sizes: readonly Size[],
  searches: Searches,
  refuted: (keys: readonly number[]) => readonly number[],
): Rounds<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const size = (key: number): Size => sizes[key] as Size;
  const firstSteps = sizes.map(({ operations }) =>
    Math.max(FIRST_STEPS, FIRST_STEPS_PER_OPERATION * operations),
  );
  let answer: boolean | undefined;
  const isRefuted = (asked: readonly number[]): boolean => (answer ??= refuted(asked).length > 0);
  const decideAlone: Searches['decide'] = (key, budget) =>
    searches.decide(key, { ...budget, goesOn: () => !isRefuted([key]) });
  let keys = [...sizes.keys()].toSorted((a, b) => cost(size(a)) - cost(size(b)));
  for (let factor = 1; keys.length > 0; factor *= STEPS_FACTOR) {
    const isAlone = keys.length === 1;
    const steps = keys.map((key) =>
      isAlone && factor > 1 ? Infinity : factor * (firstSteps[key] as number),
    );
    const operations = keys.reduce((sum, key) => sum + size(key).operations, 0);
    const own = isAlone && factor === 1 ? { ...searches, decide: decideAlone } : searches;
    const found = yield { ...own, keys, steps, operations };
    for (const [at, key] of keys.entries())
      outcomes[key] = furthest(found[at] as Outcome, outcomes[key]);
    const undecided = keys.filter((key) => outcomes[key]?.result === 'unknown');
    if (factor === 1 && undecided.length > 0 && isRefuted(undecided)) break;
    if (found.some(({ result }) => result === 'invalid')) break;
    keys = undecided.filter((key) => outcomes[key]?.reason === 'steps');
  }
  return outcomes;
}

/** A search that is cut off soon after its begin knows less than the one of the round before. */
function furthest(last: Outcome, before: Outcome | undefined): Outcome {
  if (last.result !== 'unknown' || before === undefined || last.steps > before.steps) return last;
  return { ...before, ...(last.reason !== undefined && { reason: last.reason }) };
}

/** Doubt costs far more than length. */
function cost({ operations, indefinite }: Size): number {
  return operations + 50 * indefinite;
}

/** Drives rounds in this thread. */
export function runHere<T>(rounds: Rounds<T>, budget: RoundBudget): T {
  let next = rounds.next();
  while (next.done !== true) {
    const { value: round } = next;
    const outcomes = round.keys.map((key, at) =>
      round.decide(key, { ...budget, steps: round.steps[at] as number }),
    );
    next = rounds.next(outcomes);
  }
  return next.value;
}
