/** Takes soundings of every model, with every `step`-th seed, in a thread of its own. */
import { parentPort, workerData } from 'node:worker_threads';
import { MODEL_CASES } from '../checkers/testkit/model-cases.ts';
import { type Sounding, soundLarge, soundSmall } from '../checkers/testkit/soundness.ts';

export interface SoundnessShare {
  readonly first: number;
  readonly step: number;
  /** How many histories of each model are to be compared here. */
  readonly small: number;
  readonly large: number;
}

/** What one thread has to say of one model. */
export interface SoundnessPart {
  readonly model: string;
  readonly size: 'small' | 'large';
  readonly valid: number;
  readonly invalid: number;
  readonly undecided: number;
  /** With their seeds. */
  readonly problems: readonly string[];
}

/** So many times as many are drawn at most: some are too hard to be compared. */
const DRAWS = 4;

const { first, step, small, large } = workerData as SoundnessShare;

for (const one of MODEL_CASES) {
  const sound = (
    size: SoundnessPart['size'],
    wanted: number,
    take: (seed: number) => Sounding,
  ): SoundnessPart => {
    const counts = { valid: 0, invalid: 0, undecided: 0 };
    const problems: string[] = [];
    for (let at = 0; at < DRAWS * wanted && counts.valid + counts.invalid < wanted; at++) {
      const seed = first + at * step;
      const { expected, problem } = take(seed);
      counts[expected]++;
      if (problem !== undefined) problems.push(`seed ${seed}: ${problem}`);
    }
    return { model: one.model.name, size, ...counts, problems };
  };
  parentPort?.postMessage(sound('small', small, (seed) => soundSmall(one, seed)));
  parentPort?.postMessage(sound('large', large, (seed) => soundLarge(one, seed)));
}
