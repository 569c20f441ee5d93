/** The search itself: draws, plays, learns, and keeps what was found, until its budget is spent. */
import type { Clock } from '../../harness/core/clock.ts';
import { HarnessError } from '../../harness/core/errors.ts';
import type { Random } from '../../harness/core/prng.ts';
import { msFromNanos } from '../../harness/core/units.ts';
import type { RunConfig } from '../../harness/protocols/run.ts';
import type { Corpus } from './corpus.ts';
import { drawn, plans } from './draw-plan.ts';
import { mutated } from './mutate.ts';
import { keyOf, type Outcome, type Violation } from './outcome.ts';
import { configOf, type Plan, within } from './plan.ts';
import type { Player } from './sim-player.ts';
import type { Space } from './space.ts';

export interface Search {
  readonly space: Space;
  /** Each plays one run at a time. */
  readonly players: readonly Player[];
  readonly corpus: Corpus;
  readonly random: Random;
  /** Never learns from what was seen. */
  readonly uniform: boolean;
  readonly clock: Clock;
  /** Whichever of these comes first. */
  readonly runsMax: number;
  readonly budgetMs: number;
  /** Different ones; 0: as many as come. */
  readonly findingsMax: number;
  readonly signal: AbortSignal;
  onRun(tally: Tally): void;
  /** Of each finding, once; the search of this player goes on when it is stored. */
  onFinding(finding: Finding, outcome: Outcome): Promise<void>;
}

/** What was seen for the first time in this exploration. */
export interface Finding {
  readonly key: string;
  readonly violation: Violation;
  readonly plan: Plan;
  readonly config: RunConfig;
  /** Runs made until then, with this one, and how long they took. */
  readonly runs: number;
  readonly ms: number;
}

export interface Tally {
  runs: number;
  /** That showed any violation. */
  failed: number;
  /** That no checker could decide, beside those. */
  undecided: number;
  operations: number;
  virtualMs: number;
  /** Why runs did not come to their end, and how often. */
  readonly broken: Map<string, number>;
  /** Faults that took effect, as `partition leader`. */
  readonly hits: Map<string, number>;
  /** New in each of the latest runs. */
  readonly fresh: number[];
  readonly findings: Finding[];
  ms: number;
}

/** A corpus of fewer plans is no guide. */
const CORPUS_MIN = 10;
/** No more: patterns whose times hang together do not outlive a change. */
const FROM_CORPUS = 0.5;
const FRESH_WINDOW = 100;
/** So many in a row that come to nothing are no chance. */
const BROKEN_MAX = 12;
const REFUSED_MAX = 50;

/** Throws what keeps runs from being made at all; once something was found, that is what counts. */
export async function explore(search: Search): Promise<Tally> {
  const tally: Tally = {
    runs: 0,
    failed: 0,
    undecided: 0,
    operations: 0,
    virtualMs: 0,
    broken: new Map(),
    hits: new Map(),
    fresh: [],
    findings: [],
    ms: 0,
  };
  const start = search.clock.now();
  const elapsed = (): number => msFromNanos(search.clock.now() - start);
  let begun = 0;
  let failure: { readonly error: unknown } | undefined;
  const isOver = (): boolean =>
    search.signal.aborted ||
    failure !== undefined ||
    begun >= search.runsMax ||
    elapsed() >= search.budgetMs ||
    (search.findingsMax > 0 && tally.findings.length >= search.findingsMax);
  const work = async (player: Player): Promise<void> => {
    while (!isOver()) {
      begun++;
      const { plan, config } = await nextOf(search);
      const outcome = await player.play(config);
      if (search.signal.aborted && outcome.broken !== undefined) return;
      tally.ms = elapsed();
      await absorb(search, tally, { plan, config }, outcome);
    }
  };
  // What breaks one player's work ends that of all, and is told when nothing of theirs goes on.
  const guarded = async (player: Player): Promise<void> => {
    try {
      await work(player);
    } catch (error) {
      failure ??= { error };
    }
  };
  await Promise.all(search.players.map(guarded));
  if (failure !== undefined) noteFailure(tally, failure.error);
  tally.ms = elapsed();
  return tally;
}

/** Throws it, unless it would hide a violation. */
function noteFailure(tally: Tally, error: unknown): void {
  if (!(error instanceof HarnessError) || tally.findings.length === 0) throw error;
  tally.runs++;
  tally.broken.set(error.message, (tally.broken.get(error.message) ?? 0) + 1);
}

interface Next {
  readonly plan: Plan;
  readonly config: RunConfig;
}

/** Drawn anew, or a change of what showed something: until one can be asked for. */
async function nextOf(search: Search): Promise<Next> {
  const { space } = search;
  for (let refused = 0; ; refused++) {
    const plan = drawnPlan(search);
    try {
      return { plan, config: await configOf(plan, space) };
    } catch (error) {
      if (!(error instanceof HarnessError) || refused >= REFUSED_MAX) throw error;
    }
  }
}

function drawnPlan({ space, corpus, random, uniform }: Search): Plan {
  const isFresh = uniform || corpus.plans < CORPUS_MIN || !random.chance(FROM_CORPUS);
  if (isFresh) return within(drawn(plans(space), random), space);
  const [one, other] = [corpus.pick(random), corpus.pick(random)];
  return one === undefined || other === undefined
    ? within(drawn(plans(space), random), space)
    : mutated(one, other, space, random);
}

async function absorb(search: Search, tally: Tally, next: Next, outcome: Outcome): Promise<void> {
  const { violations, broken, features, hits } = outcome;
  tally.runs++;
  tally.operations += outcome.operations;
  tally.virtualMs += outcome.virtualMs ?? 0;
  for (const [hit, count] of Object.entries(hits))
    tally.hits.set(hit, (tally.hits.get(hit) ?? 0) + count);
  if (violations.length > 0) tally.failed++;
  else if (broken !== undefined) tally.broken.set(broken, (tally.broken.get(broken) ?? 0) + 1);
  else if (outcome.undecided.length > 0) tally.undecided++;
  requireSome(tally);
  tally.fresh.push(search.corpus.add(next.plan, features));
  if (tally.fresh.length > FRESH_WINDOW) tally.fresh.shift();
  const [violation] = violations;
  if (violation !== undefined && !tally.findings.some(({ key }) => key === keyOf(violation))) {
    const { runs, ms } = tally;
    const finding: Finding = { ...next, key: keyOf(violation), violation, runs, ms };
    tally.findings.push(finding);
    await search.onFinding(finding, outcome);
  }
  search.onRun(tally);
}

/** Throws `process-failed` when no run at all comes to its end. */
function requireSome({ runs, broken }: Tally): void {
  const lost = [...broken.values()].reduce((sum, count) => sum + count, 0);
  if (runs !== lost || runs < BROKEN_MAX) return;
  throw new HarnessError('process-failed', `no run comes to its end: ${[...broken.keys()][0]}`);
}
