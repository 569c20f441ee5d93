/** A chaos test inside somebody else's test runner, which only learns whether it passed. */
import { relative } from 'node:path';
import { Command } from 'commander';
import { type Clock, realClock } from '../harness/core/clock.ts';
import { withDeadline } from '../harness/core/deadline.ts';
import { EXIT } from '../harness/core/errors.ts';
import type { RunConfig } from '../harness/protocols/run.ts';
import type { Expectation, SuiteRun, SuiteTest } from '../harness/protocols/suite.ts';
import type { Reporter } from '../harness/runner/run.ts';
import { suiteRunOf } from '../reports/suite/suite-run.ts';
import { findConfig } from './config/load.ts';
import { addRunFlags, type Flags } from './flags.ts';
import { type Interrupt, interruptible, onProcessSignal } from './interrupt.ts';
import { makeRun } from './make-run.ts';
import type { Shell } from './program.ts';
import type { DeclaredTest } from './suite/chaos-test.ts';
import { executePlan } from './suite/execute.ts';
import type { PlannedTest } from './suite/plan.ts';
import { planRun } from './suite/plan-suite.ts';

/** What a test says, checked, and where the rest of it stands. */
export interface EmbeddedTest extends Pick<DeclaredTest, 'title' | 'options' | 'expects'> {
  /** A config file; absent: the one of the working folder, if there is one. */
  readonly config?: string;
  /** Ends the test early: its faults are healed, and it does not pass. */
  readonly signal?: AbortSignal;
}

/** Starting, healing, recovering and reporting have deadlines of their own, which are shorter. */
const BESIDE_MS_MAX = 300_000;

/**
 * Makes the runs that the test asks for, and keeps them where `schism` finds them. Resolves to a text
 * that says why it did not pass; undefined when it did. Throws what keeps it from starting.
 */
export async function playEmbedded(test: EmbeddedTest): Promise<string | undefined> {
  const clock = realClock();
  using interrupt = interruptedBy(test.signal, clock);
  const made = await planOf(test);
  const { planned } = made;
  const { quietMs, durationMs, checkLimits } = planned.config;
  const runMs = quietMs + durationMs + checkLimits.timeoutMs + BESIDE_MS_MAX;
  const plan = { tests: [planned], workers: 1, maxFailures: 0, infraRetries: 0 };
  const played = executePlan(plan, {
    clock,
    interrupt: interrupt.signal,
    interruptedBy: () => interrupt.by,
    onTestStart: () => undefined,
    onTestEnd: () => undefined,
    run: (_, config) => runOnce({ ...made, interrupt }, config),
  });
  const runs = planned.expects?.runs ?? 1;
  const [result] = await withDeadline(clock, runs * runMs, `chaos test '${test.title}'`, played);
  return result === undefined ? 'nothing ran' : whyNot(result);
}

interface Plan {
  readonly planned: PlannedTest;
  readonly modules: readonly string[];
  /** Where runs are kept. */
  readonly output: string;
  /** The command line that would look for its runs in the same place. */
  readonly argv: readonly string[];
}

async function planOf({ title, options, expects, config }: EmbeddedTest): Promise<Plan> {
  const loaded = await findConfig(config);
  const {
    config: resolved,
    modules,
    flags,
    attach,
  } = await planRun({
    flags: defaultFlags(),
    isGiven: () => false,
    filters: [],
    loaded: { ...loaded, config: { ...loaded.config, ...options } },
    env: process.env,
  });
  const ref = { id: title.replaceAll(/[^A-Za-z0-9._-]+/g, '-'), title };
  const planned: PlannedTest = {
    ref,
    config: { ...resolved, test: ref },
    checks: [],
    ...(expects !== undefined && { expects: expectationOf(expects) }),
    ...(attach !== undefined && { attach }),
  };
  const { output } = flags;
  const argv = ['run', '--output', relative('', output) || '.'];
  if (config !== undefined) argv.push('--config', config);
  return { planned, modules, output, argv };
}

interface RunningPlan extends Plan {
  readonly interrupt: Interrupt;
}

function expectationOf({ within, ...what }: NonNullable<DeclaredTest['expects']>): Expectation {
  return { ...what, runs: Number.parseInt(within, 10) };
}

/** Those of a command line that says nothing. */
function defaultFlags(): Flags {
  return addRunFlags(new Command('run')).parse([], { from: 'user' }).opts();
}

async function runOnce(
  { modules, output, argv, interrupt, planned: { attach } }: RunningPlan,
  config: RunConfig,
): Promise<SuiteRun> {
  let kept: SuiteRun | undefined;
  const keep = (dir: string): Reporter => ({
    name: 'embedded',
    write: (result, history) => {
      const shown = relative('', dir);
      kept = suiteRunOf(result, history, { dir: shown, runPath: shown });
      return Promise.resolve();
    },
  });
  const { result, dir } = await makeRun({
    shell: { env: process.env, argv },
    output,
    config,
    ...(attach !== undefined && { attach }),
    modules,
    interrupt,
    begin: ({ folder }) => ({ reporters: [keep(folder.dir)] }),
    warn: () => undefined,
  });
  const { verdict, exitCode, reasons, counts, wallMs } = result;
  const bare = {
    verdict,
    exitCode,
    reasons,
    counts,
    wallMs,
    faults: [],
    anomalies: [],
    checks: [],
  };
  return kept ?? { run: result.manifest.run, dir: relative('', dir), ...bare };
}

/** The text that ends the run, as a terminal would show it, with the commands that show it again. */
function whyNot({ outcome, exitCode, reason, runs }: SuiteTest): string | undefined {
  if (outcome === 'pass' || (outcome === 'unknown' && exitCode === EXIT.pass)) return undefined;
  const text = runs.at(-1)?.text ?? '';
  return [`chaos test: ${outcome}: ${reason}`, text.trimEnd()]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** By the caller's signal, or by one that this process gets; a second one leaves all to the watchdog. */
function interruptedBy(signal: AbortSignal | undefined, clock: Clock): Interrupt {
  const own = interruptible(PROCESS, clock, () => undefined);
  return {
    signal: signal === undefined ? own.signal : AbortSignal.any([signal, own.signal]),
    get by() {
      return own.by ?? (signal?.aborted === true ? 'SIGINT' : undefined);
    },
    [Symbol.dispose]: () => {
      own[Symbol.dispose]();
    },
  };
}

const PROCESS: Pick<Shell, 'onSignal' | 'die'> = {
  onSignal: onProcessSignal,
  die: () => {
    process.kill(process.pid, 'SIGKILL');
    throw new Error('interrupted twice');
  },
};
