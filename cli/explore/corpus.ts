/** Plans that showed something new, and how often everything was shown: what is worth a change. */
import type { Random } from '../../harness/core/prng.ts';
import type { Plan } from './plan.ts';

interface Kept {
  readonly plan: Plan;
  /** What it was the first to show. */
  readonly features: readonly string[];
}

/** As it is stored. */
export interface CorpusFile {
  readonly schism: 1;
  readonly explore: typeof FORMAT;
  readonly runs: number;
  readonly hits: Readonly<Record<string, number>>;
  readonly plans: readonly Kept[];
}

export const FORMAT = 1;
export const PLANS_MAX = 400;
export const FEATURES_MAX = 60_000;

export class Corpus {
  readonly #hits: Map<string, number>;
  #plans: Kept[];
  /** Over all explorations. */
  runs: number;

  constructor(file?: CorpusFile) {
    this.#hits = new Map(Object.entries(file?.hits ?? {}));
    this.#plans = [...(file?.plans ?? [])];
    this.runs = file?.runs ?? 0;
  }

  /** What was ever shown. */
  get size(): number {
    return this.#hits.size;
  }

  get plans(): number {
    return this.#plans.length;
  }

  /** Returns how much of it is new. */
  add(plan: Plan, features: readonly string[]): number {
    this.runs++;
    const fresh = features.filter((feature) => !this.#hits.has(feature));
    for (const feature of features) {
      const before = this.#hits.get(feature) ?? 0;
      if (before > 0 || this.#hits.size < FEATURES_MAX) this.#hits.set(feature, before + 1);
    }
    if (fresh.length === 0) return 0;
    this.#plans.push({ plan, features: fresh });
    if (this.#plans.length > PLANS_MAX * 1.25) this.#forget();
    return fresh.length;
  }

  /** One whose discoveries are still rare, rather than another; undefined: there is none. */
  pick(random: Random): Plan | undefined {
    if (this.#plans.length === 0) return undefined;
    const weights = this.#plans.map((kept) => this.#weight(kept));
    return this.#plans[random.weighted(weights)]?.plan;
  }

  file(): CorpusFile {
    return {
      schism: 1,
      explore: FORMAT,
      runs: this.runs,
      hits: Object.fromEntries(this.#hits),
      plans: this.#plans,
    };
  }

  /** Of two that showed as much, the one that took fewer faults says more. */
  #weight({ plan, features }: Kept): number {
    const rarity = features.reduce((sum, one) => sum + 1 / (1 + (this.#hits.get(one) ?? 0)), 0);
    return Math.sqrt(rarity) / (1 + plan.steps.length);
  }

  /** The least rare go. */
  #forget(): void {
    const byWeight = this.#plans.toSorted((a, b) => this.#weight(b) - this.#weight(a));
    const stay = new Set(byWeight.slice(0, PLANS_MAX));
    this.#plans = this.#plans.filter((kept) => stay.has(kept));
  }
}
