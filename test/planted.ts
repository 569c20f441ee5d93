/** The regressions of raftkv, each of which lets the store be wrong in one planted way. */

import { loadRegressions, OWN_REGRESSIONS } from '../cli/regressions/load.ts';
import type { Regression } from '../cli/regressions/regression.ts';
import { wordsOf } from '../cli/regressions/words.ts';
import type { Bug } from '../cluster/raftkv/bugs.ts';

export interface Planted {
  readonly bug: Bug;
  readonly regression: Regression;
  /** Kinds of anomaly; in the simulator each of them is seen. */
  readonly expected: readonly string[];
  /** Runs within which it must be seen. */
  readonly tries: number;
  /** Played at every commit: quick, and seen by nearly every run. */
  readonly isQuick: boolean;
}

export const REGRESSIONS: readonly Regression[] = await loadRegressions(OWN_REGRESSIONS);

/** In the simulator, where one run is enough. */
export const SIMULATED: readonly Planted[] = plantedOn('sim');
/** On real processes. */
export const ON_PROCESSES: readonly Planted[] = plantedOn('process');

function plantedOn(backend: 'sim' | 'process'): readonly Planted[] {
  return REGRESSIONS.flatMap((regression) => {
    const { options, expect, within, system } = regression;
    if (system !== 'raftkv' || regression.backend !== backend || expect.verdict !== 'fail')
      return [];
    const isQuick = options.tags?.includes('@quick') === true;
    const { anomalies: expected } = expect;
    return [{ bug: options.bug as Bug, regression, expected, tries: within, isQuick }];
  });
}

/** The words of the command line without the bug, with a seed in place of the recorded one. */
export function cleanWords({ regression }: Planted, seed?: number): readonly string[] {
  const { bug: _, ...options } = regression.options;
  return wordsOf({ options: seed === undefined ? options : { ...options, seed } });
}
