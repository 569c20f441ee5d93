import { linearizable } from '../checkers/linearizable/checker.ts';
import type { Model } from '../checkers/models/model.ts';
import { prefixConsistent } from '../checkers/sequential/prefix-consistent.ts';
import { sequential } from '../checkers/sequential/sequential.ts';
import { HarnessError } from '../harness/core/errors.ts';
import { suggest } from '../harness/core/suggest.ts';
import type { Checker } from '../harness/protocols/checker.ts';

export type CriterionName = 'linearizable' | 'sequential' | 'prefix';

/** What `--criterion` may say. */
export const CRITERION_NAMES: readonly CriterionName[] = ['linearizable', 'sequential', 'prefix'];

interface Criterion {
  readonly name: CriterionName;
  /** What is asked, after 'judged as <model>'. */
  readonly question: string;
  readonly checker: (model: Model) => Checker;
}

const CRITERIA: Readonly<Record<CriterionName, Criterion>> = {
  linearizable: {
    name: 'linearizable',
    question: 'for linearizability of each key',
    checker: (model) => linearizable({ model }),
  },
  sequential: {
    name: 'sequential',
    question: 'for sequential consistency of all keys together',
    checker: (model) => sequential({ model }),
  },
  prefix: {
    name: 'prefix',
    question: 'for prefix-consistent reads of all keys together',
    checker: (model) => prefixConsistent({ model }),
  },
};

/** Throws `bad-option` with the nearest name for an unknown one. */
export function findCriterion(text: string): Criterion {
  const name = CRITERION_NAMES.find((one) => one === text);
  if (name !== undefined) return CRITERIA[name];
  throw new HarnessError(
    'bad-option',
    `--criterion: '${text}'${suggest(text, CRITERION_NAMES)}; it is ${CRITERION_NAMES.join(', ')}`,
  );
}
