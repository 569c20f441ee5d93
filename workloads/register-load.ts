/** Load on registers, as the workloads that judge them key by key have it. */
import type { Random } from '../harness/core/prng.ts';
import type { Generator } from '../harness/generator/generator.ts';
import { stagger } from '../harness/generator/rate.ts';
import type { Workload, WorkloadOptions } from '../harness/protocols/workload.ts';
import { type MixEntry, registerMix } from './register-generator.ts';
import { valuesOption, wholeNumber } from './register-options.ts';

/** With a line of help each. */
export const LOAD_OPTIONS: Workload['options'] = {
  keys: 'keys in use at the same time (default 8)',
  'ops-per-key': 'operations until a key is replaced by a fresh one (default 200)',
  values: 'unique, or the number of different values (default unique)',
  deletes: 'percent of the writes that delete the key (default 0)',
};

/** Every client does the same. Throws `bad-option` for a value that is none. */
export function registerLoad(
  { own, rate }: Pick<WorkloadOptions, 'own' | 'rate'>,
  mix: readonly MixEntry[],
  random: Random,
): Generator {
  const load = registerMix(
    {
      keys: wholeNumber(own, 'keys', 8, 1, 10_000),
      opsPerKey: wholeNumber(own, 'ops-per-key', 200, 1, 1_000_000),
      values: valuesOption(own),
      deletes: wholeNumber(own, 'deletes', 0, 0, 100) / 100,
      mix: () => mix,
    },
    random.fork('mix'),
  );
  return rate === 0 ? load : stagger(1000 / rate, load, random.fork('rate'));
}
