/** What a night explores when its regressions were played, as tests of its suite. */
import { relative } from 'node:path';
import { realClock } from '../../harness/core/clock.ts';
import { EXIT, exitCodeOf, HarnessError } from '../../harness/core/errors.ts';
import type { Explored, SuiteRun, SuiteTest } from '../../harness/protocols/suite.ts';
import { suiteRunOf } from '../../reports/suite/suite-run.ts';
import { EXPLORING } from '../../reports/trend/nights.ts';
import type { ExploreFlags } from '../commands/explore.ts';
import type { Tally } from '../explore/explore.ts';
import { exploring } from '../explore/explore-command.ts';
import { settingsOf } from '../explore/settings.ts';
import type { StoredFinding } from '../explore/store-finding.ts';
import { lostRuns } from '../explore/text.ts';
import type { Shell } from '../program.ts';
import { loadRun } from '../stored.ts';
import type { Asked } from '../suite/choose-tests.ts';
import type { AroundMore, More } from '../suite/run-suite.ts';
import { parseShard } from '../suite/select.ts';

interface Night extends AroundMore {
  /** Until the budget is over; a run that was begun comes to its end. */
  readonly leftMs: number;
}

/**
 * Checks what is to be explored, and returns what explores it. Throws `bad-option` and `bad-input`, so
 * that a mistake is told before the first regression.
 */
export async function exploreForNight(
  shell: Shell,
  { flags, isGiven, loaded }: Asked,
  seed: string,
): Promise<(night: Night) => Promise<More>> {
  // What these say, they say of the suite.
  const { workers, maxFailures: _m, failFast: _f, json: _j, budget: _b, ...rest } = flags;
  const asked: ExploreFlags = {
    ...rest,
    ...(isGiven('workers') && workers !== undefined && { workers }),
    ...(loaded.path !== undefined && { config: relative('', loaded.path) }),
    seed,
  };
  const settings = await settingsOf(shell, asked, isGiven);
  const shard = flags.shard === undefined ? '' : `/shard-${parseShard(flags.shard).index}`;
  return async (night) => {
    const { interrupt, say } = night;
    if (interrupt.signal.aborted) return { tests: [] };
    const clock = realClock();
    const bounded = { ...settings, budgetMs: night.leftMs, budget: 'what is left of the night' };
    try {
      const { tally, stored, situations, fresh } = await exploring({
        shell,
        flags: asked,
        settings: bounded,
        clock,
        interrupt,
        say,
      });
      const explored = { ...exploredOf(tally), situations, fresh };
      const findings: SuiteTest[] = [];
      for (const [at, [finding, kept]] of stored.entries()) {
        const { checker, kind, sentence } = finding.violation;
        const run =
          kept === undefined ? undefined : await runOf(settings.keeping.output, kept, night);
        const name = `${kind || checker}-${run?.fingerprint ?? String(at + 1)}`;
        findings.push({
          test: {
            id: `${EXPLORING}${shard}/${at + 1}-${name}`,
            title: `${EXPLORING}: ${finding.key}`,
          },
          runs: run === undefined ? [] : [run],
          outcome: 'fail',
          exitCode: EXIT.violation,
          reason: sentence,
        });
      }
      return { tests: [whole(`${EXPLORING}${shard}`, tally), ...findings], explored };
    } catch (error) {
      if (!(error instanceof HarnessError)) throw error;
      const test = { id: `${EXPLORING}${shard}`, title: EXPLORING };
      const exitCode = exitCodeOf(error.code);
      return { tests: [{ test, runs: [], outcome: 'error', exitCode, reason: error.message }] };
    }
  };
}

function exploredOf({
  runs,
  ms,
  operations,
  undecided,
  findings,
}: Tally): Omit<Explored, 'situations' | 'fresh'> {
  return { runs, ms, operations, undecided, findings: findings.length };
}

/** The search itself: it passes if it could look; what it found fails by itself. */
export function whole(
  id: string,
  { runs, undecided, broken }: Pick<Tally, 'runs' | 'undecided' | 'broken'>,
): SuiteTest {
  const base = { test: { id, title: EXPLORING }, runs: [] };
  const lost = lostRuns(broken);
  if (runs > lost + undecided) return { ...base, outcome: 'pass', exitCode: EXIT.pass, reason: '' };
  const reason = whyNothing(runs, lost, [...broken.keys()][0] ?? '');
  return { ...base, outcome: 'unknown', exitCode: EXIT.unknown, reason };
}

function whyNothing(runs: number, lost: number, why: string): string {
  if (runs === 0) return 'there was no time left to explore: give a longer --budget';
  return lost === runs ? `no run came to its end: ${why}` : 'no check could decide anything';
}

/** Undefined where it cannot be read any more: that it was found counts all the same. */
export async function runOf(
  output: string,
  { dir }: Pick<StoredFinding, 'dir'>,
  { folder }: Pick<Night, 'folder'>,
): Promise<SuiteRun | undefined> {
  try {
    await using run = await loadRun(output, dir);
    const { result, history } = run;
    const where = { dir: relative(folder.dir, dir), runPath: relative('', dir) };
    return suiteRunOf(result, history, where);
  } catch (error) {
    if (error instanceof HarnessError) return undefined;
    throw error;
  }
}
