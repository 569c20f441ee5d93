/** Regressions as tests of a suite: `schism run --regressions`. */
import { dirname, relative, resolve } from 'node:path';
import { HarnessError } from '../../harness/core/errors.ts';
import { counted } from '../../reports/words.ts';
import type { Flags } from '../flags.ts';
import { type Catalogue, catalogueOf } from '../registry.ts';
import { candidatesOf, type SuiteCandidate } from '../suite/candidates.ts';
import type { DeclaredTest } from '../suite/chaos-test.ts';
import type { Asked } from '../suite/choose-tests.ts';
import { Here } from './here.ts';
import { loadRegressions, regressionsDir } from './load.ts';
import type { Regression } from './regression.ts';
import { playedText } from './words.ts';

/** What they say of themselves: a flag that is given chooses among them, and changes none. */
export const CHOOSING: readonly string[] = ['system', 'backend', 'bug', 'workload'];

export interface RegressionTests {
  /** As it is shown to people. */
  readonly where: string;
  readonly tests: readonly SuiteCandidate[];
}

/**
 * One test for each regression that the flags let through; what cannot be played here is skipped.
 * Throws as `loadRegressions` does, and `nothing-selected` where the flags leave none.
 */
export async function regressionTests(
  asked: Asked,
  given: string | true,
): Promise<RegressionTests> {
  const { flags, isGiven, loaded } = asked;
  if (flags.project !== undefined)
    throw new HarnessError('bad-option', '--project: regressions know of no projects');
  const dir = regressionsDir(given, loaded.path);
  const where = relative('', dir) || '.';
  const all = await loadRegressions(dir);
  if (all.length === 0)
    throw new HarnessError('nothing-selected', `there are no regressions (*.json) in ${where}`);
  const filters = CHOOSING.filter(isGiven);
  const chosen = all.filter((regression) =>
    filters.every((flag) => valueOf(regression, flag) === wanted(flags, flag)),
  );
  if (chosen.length === 0 && all.length > 0) {
    const words = filters.map((flag) => `--${flag} ${wanted(flags, flag) ?? ''}`).join(' ');
    const there = counted(all.length, 'regression');
    throw new HarnessError('nothing-selected', `none of ${there} in ${where} has ${words}`);
  }
  const declared = await declaredTests(chosen, catalogueOf(loaded.config));
  const files = declared.map(({ regression, test }) => ({
    path: dir,
    file: relative('', regression.path).replaceAll('\\', '/'),
    tests: [test],
  }));
  return { where, tests: candidatesOf(files, [], dirname(resolve(dir)), '') };
}

function wanted(flags: Flags, flag: string): string | undefined {
  const { system, backend, bug, workload } = flags;
  return { system, backend, bug, workload }[flag];
}

function valueOf({ options }: Regression, flag: string): string | undefined {
  const { system, backend, bug, workload } = options;
  return { system, backend, bug, workload: workloadText(workload) }[flag];
}

function workloadText(workload: string | readonly string[] | undefined): string | undefined {
  return typeof workload === 'object' ? workload.join(',') : workload;
}

interface Declared {
  readonly regression: Regression;
  readonly test: DeclaredTest;
}

async function declaredTests(
  regressions: readonly Regression[],
  catalogue: Catalogue,
): Promise<readonly Declared[]> {
  const here = new Here(catalogue);
  const declared: Declared[] = [];
  for (const regression of regressions) {
    const whyNot = await here.whyNot(regression);
    declared.push({ regression, test: testOf(regression, whyNot) });
  }
  return declared;
}

function testOf(regression: Regression, whyNot: string | undefined): DeclaredTest {
  const { name, options, expect, within } = regression;
  return {
    title: name,
    options,
    isWhole: true,
    ...(expect.verdict === 'fail' && {
      expects: {
        ...(expect.anomalies.length > 0 && { anomalies: expect.anomalies, every: expect.every }),
        within: `${within} run${within === 1 ? '' : 's'}`,
        known: playedText(regression),
      },
    }),
    ...(whyNot !== undefined && { mark: 'skip', why: whyNot }),
  };
}
