/**
 * Whether a candidate still shows the violation. Simulated, one run says it. On real clusters it is a
 * matter of counts: nothing is concluded that they do not bear out, and where two intervals overlap,
 * neither is called more or less.
 */
import type { Clock } from '../../harness/core/clock.ts';
import { unreachable } from '../../harness/core/invariant.ts';
import type { Nanos } from '../../harness/core/units.ts';
import type { RunConfig } from '../../harness/protocols/run.ts';
import { type Rate, wilson } from '../../reports/rate.ts';
import type { Change } from './changes.ts';

/** `broken`: the harness or the machine failed, so it says nothing. */
export type Played = 'found' | 'not-found' | 'broken';

/**
 * - `original`, `result`: nothing was decided by it.
 * - `enough`: it is found as often as before, as far as the counts can tell.
 * - `rarer`: it is found, and the interval lies below that of the original.
 * - `needed`: it was not found, and the interval lies below that of the original.
 * - `unseen`: it was not found, in too few runs to say more.
 * - `unfinished`: the budget or somebody ended it.
 */
export type Conclusion =
  | 'original'
  | 'result'
  | 'enough'
  | 'rarer'
  | 'needed'
  | 'unseen'
  | 'unfinished';

/** A line of the table. */
export interface Row {
  readonly what: string;
  readonly kind: Change['kind'] | 'whole';
  readonly rate: Rate;
  readonly conclusion: Conclusion;
}

export interface TrialOptions {
  /** Simulated: a candidate is played once with each seed, until one shows it. */
  readonly isExact: boolean;
  /** At most so many runs of one candidate. */
  readonly repeats: number;
  readonly clock: Pick<Clock, 'now'>;
  readonly deadline: Nanos;
  readonly interrupted: () => boolean;
  readonly play: (config: RunConfig) => Promise<Played>;
  readonly onRow: (row: Row) => void;
}

/** As many as it takes for the interval of the original to say something. */
const FOUND_ENOUGH = 3;
/** A candidate that was found so often is not looked at longer. */
const FOUND_AGAIN = 2;
/** Times as many seeds for what is worth more: with one fault fewer a run goes otherwise, and needs luck. */
const MORE_SEEDS = 30;
/** What breaks so often in a row breaks by what is asked of it, and is not tried longer. */
const BROKEN_MAX = 3;
/** Of what is left of the budget: one candidate that is hard to refuse leaves room for others. */
const CANDIDATE_SHARE = 1 / 4;
/** Of the budget, for the original. */
const ORIGINAL_SHARE = 1 / 3;

export class Trials {
  readonly #options: TrialOptions;
  readonly #from: Nanos;
  readonly #rows: Row[] = [];
  #original: Rate = wilson(0, 0);
  /** Runs of a candidate until none of them means something. */
  #enough = 1;

  constructor(options: TrialOptions) {
    this.#options = options;
    this.#from = options.clock.now();
    this.#enough = options.repeats;
  }

  get rows(): readonly Row[] {
    return this.#rows;
  }

  isOver(): boolean {
    const { interrupted, clock, deadline } = this.#options;
    return interrupted() || clock.now() >= deadline;
  }

  /** Whether, and how often, the run shows it as it is. Undefined: never. */
  async original(config: RunConfig, what: string): Promise<RunConfig | undefined> {
    const { isExact, repeats, clock, deadline } = this.#options;
    if (isExact) return this.#exact({ kind: 'instead', what, config }, 'original');
    const share = this.#from + (deadline - this.#from) * ORIGINAL_SHARE;
    const rate = await this.#count(config, (found, of) => {
      return found >= FOUND_ENOUGH || of >= repeats || (found > 0 && clock.now() >= share);
    });
    this.#original = rate;
    this.#enough = runsUntilNone(rate, repeats);
    this.#add({ what, kind: 'whole', rate, conclusion: 'original' });
    return rate.found > 0 ? config : undefined;
  }

  async accepts(change: Change): Promise<RunConfig | undefined> {
    const { isExact } = this.#options;
    if (isExact) return this.#exact(change, undefined);
    const { kind, what, config } = change;
    const { clock } = this.#options;
    const share = this.#shareEnds();
    const isDone = (found: number, of: number): boolean =>
      found >= FOUND_AGAIN || of >= this.#enough || (of >= FOUND_AGAIN && clock.now() >= share);
    const rate = await this.#count(config, isDone);
    const conclusion = isDone(rate.found, rate.of)
      ? conclusionOf(rate, this.#original)
      : 'unfinished';
    this.#add({ what, kind, rate, conclusion });
    return conclusion === 'enough' ? config : undefined;
  }

  /** The result once more, until it is found; undefined: it was not. */
  async result(
    config: RunConfig,
    what: string,
    play: TrialOptions['play'] = this.#options.play,
  ): Promise<Rate> {
    const { repeats, isExact } = this.#options;
    const most = isExact ? 1 : repeats;
    // It is owed, whatever the budget says.
    const rate = await this.#count(config, (found, of) => found > 0 || of >= most, play);
    if (rate.of > 0) this.#add({ what, kind: 'whole', rate, conclusion: 'result' });
    return rate;
  }

  /** When a candidate that begins now has had its share. */
  #shareEnds(): number {
    const { clock, deadline } = this.#options;
    const now = clock.now();
    return now + (deadline - now) * CANDIDATE_SHARE;
  }

  /** With its own seed, and with the roundest there are: other choices may show it as well. */
  async #exact(
    { kind, what, config, isWorthMore = false }: Change,
    original: 'original' | undefined,
  ): Promise<RunConfig | undefined> {
    const count = this.#options.repeats * (isWorthMore ? MORE_SEEDS : 1);
    const others = Array.from({ length: count }, (_, at) => at + 1);
    const { clock, repeats } = this.#options;
    const share = this.#shareEnds();
    let [of, broken] = [0, 0];
    for (const seed of [...new Set([config.seed, ...others])].slice(0, count)) {
      // What is owed to every candidate is played whatever it takes.
      if (this.isOver() || (of >= repeats && clock.now() >= share)) break;
      const played = await this.#options.play({ ...config, seed });
      if (played !== 'found' && this.isOver()) break;
      of++;
      broken = played === 'broken' ? broken + 1 : 0;
      if (broken >= Math.max(BROKEN_MAX, repeats)) break;
      if (played !== 'found') continue;
      this.#add({
        what,
        kind: original === undefined ? kind : 'whole',
        rate: wilson(1, of),
        conclusion: original ?? 'enough',
      });
      return { ...config, seed };
    }
    const conclusion = this.isOver() ? 'unfinished' : (original ?? 'unseen');
    this.#add({
      what,
      kind: original === undefined ? kind : 'whole',
      rate: wilson(0, of),
      conclusion,
    });
    return undefined;
  }

  /** Runs that were broken do not count, nor does one that was ended before it showed anything. */
  async #count(
    config: RunConfig,
    isDone: (found: number, of: number) => boolean,
    owed?: TrialOptions['play'],
  ): Promise<Rate> {
    let [found, of, broken] = [0, 0, 0];
    while (!isDone(found, of)) {
      if (owed === undefined ? this.isOver() : this.#options.interrupted()) break;
      const played = await (owed ?? this.#options.play)(config);
      const isCut = played === 'not-found' && this.#options.interrupted();
      if (played === 'broken' && ++broken >= BROKEN_MAX) break;
      if (played === 'broken' || isCut) continue;
      broken = 0;
      of++;
      if (played === 'found') found++;
    }
    return wilson(found, of);
  }

  #add(row: Row): void {
    this.#rows.push(row);
    this.#options.onRow(row);
  }
}

/** How many runs without it lie below what the original's interval allows. */
export function runsUntilNone(original: Rate, most: number): number {
  for (let of = 1; of < most; of++) if (wilson(0, of).high < original.low) return of;
  return most;
}

export function conclusionOf(rate: Rate, original: Rate): 'enough' | 'rarer' | 'needed' | 'unseen' {
  const isBelow = rate.high < original.low;
  if (rate.found > 0) return isBelow ? 'rarer' : 'enough';
  return isBelow ? 'needed' : 'unseen';
}

/** What the table says beside the counts. */
export function conclusionText({ kind, conclusion }: Row): string {
  switch (conclusion) {
    case 'original':
    case 'result':
      return '';
    case 'enough':
      return kind === 'without' ? 'not needed, dropped' : 'still found, taken';
    case 'rarer':
      return kind === 'without' ? 'found less often, kept' : 'found less often, not taken';
    case 'needed':
      return kind === 'without' ? 'needed, kept' : 'too small, not taken';
    case 'unseen':
      return kind === 'without' ? 'not seen without it, kept' : 'not seen, not taken';
    case 'unfinished':
      return 'not finished';
    default:
      return unreachable(conclusion);
  }
}
