import { HarnessError } from '../../harness/core/errors.ts';
import type { TestOutcome } from '../../harness/protocols/suite.ts';
import { lastSuite, openSuite } from '../../harness/store/suites.ts';
import type { LastFailed } from './select.ts';

/** What had no turn has not passed either: without it an interrupted suite would come out green. */
const FAILED: readonly TestOutcome[] = ['fail', 'unknown', 'error', 'not-run'];

/**
 * What did not pass in the latest suite, or in the one that `given` names: by its id, its folder or
 * its `suite.json`. Throws `bad-input` where there is none.
 */
export async function lastFailedOf(root: string, given: string | true): Promise<LastFailed> {
  const suite = given === true ? await lastSuite(root) : await openSuite(root, given);
  if (suite === undefined)
    throw new HarnessError('bad-input', `--last-failed: no suite has ended below ${root} yet`);
  const tests = suite.result.tests.flatMap(({ outcome, test }) =>
    FAILED.includes(outcome) ? [test] : [],
  );
  return { suite: suite.id, tests };
}
