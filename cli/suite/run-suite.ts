/** Runs a planned suite: its folder, its runs, its reports, and what it amounts to. */
import { copyFile, mkdir } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { type Clock, realClock } from '../../harness/core/clock.ts';
import { messageOf } from '../../harness/core/errors.ts';
import { Random, type Seed, seedText } from '../../harness/core/prng.ts';
import type { RunConfig } from '../../harness/protocols/run.ts';
import type {
  SuiteManifest,
  SuiteResult,
  SuiteRun,
  SuiteTest,
} from '../../harness/protocols/suite.ts';
import type { Reporter } from '../../harness/runner/run.ts';
import { worstExit } from '../../harness/runner/verdict.ts';
import { wordsWithoutSecrets } from '../../harness/store/secrets.ts';
import { createSuite, lastSuite, type SuiteFolder } from '../../harness/store/suites.ts';
import { suiteRunOf } from '../../reports/suite/suite-run.ts';
import { changesOf } from '../../reports/trend/changes.ts';
import { type Interrupt, interruptible, STOPPING } from '../interrupt.ts';
import { leftText, requireLeavable } from '../leave-running.ts';
import { makeRun, type Ran, type RunOrder } from '../make-run.ts';
import type { Shell } from '../program.ts';
import type { ReporterChoice } from '../reporter-choice.ts';
import { reportersFor, type SuiteReporters } from '../reporters.ts';
import { ofEachRun } from '../reporting.ts';
import { pruned, type Retain, retainOf } from '../retain.ts';
import { VERSION } from '../version.ts';
import { writeBlob } from './blob.ts';
import { executePlan, type SuiteHost } from './execute.ts';
import { notRun } from './outcome.ts';
import type { PlannedTest, SuitePlan } from './plan.ts';

export interface SuiteOptions {
  readonly reporters: ReporterChoice;
  readonly json?: boolean;
  readonly color: boolean;
  readonly leaveRunning?: boolean;
  readonly retain?: Retain;
  /** What else belongs to the suite, made when its tests are over. */
  readonly more?: (around: AroundMore) => Promise<More>;
  /** With which its findings are compared. */
  readonly against?: readonly SuiteResult[];
}

export interface AroundMore {
  readonly folder: SuiteFolder;
  readonly interrupt: Interrupt;
  readonly say: (text: string) => void;
}

export interface More extends Pick<SuiteResult, 'explored'> {
  readonly tests: readonly SuiteTest[];
}

/** A suite that came to its end, and is stored. */
export interface RanSuite {
  readonly result: SuiteResult;
  readonly dir: string;
}

/** Runs the tests of a plan, stores the suite, and says what came of it. */
export async function runSuite(
  shell: Shell,
  plan: SuitePlan,
  options: SuiteOptions,
): Promise<RanSuite> {
  if (options.leaveRunning === true) for (const { config } of plan.tests) requireLeavable(config);
  const clock = realClock();
  const startedAtMs = clock.wallMs();
  const previous = await previousSuite(plan.output);
  const folder = await createSuite(plan.output, {
    startedAtMs,
    random: Random.stream(plan.seed as Seed, `suite/${startedAtMs}`),
  });
  const manifest = manifestOf(shell, plan, folder.id, startedAtMs);
  const { reporters: choice, json = false, color, retain = retainOf() } = options;
  using reporters = reportersFor(shell, { choice, clock, json, color });
  using interrupt = interruptible(shell, clock, () => {
    reporters.say(STOPPING);
  });
  reporters.onSuiteStart({
    manifest,
    tests: plan.tests.map(({ ref }) => ref),
    workers: plan.workers,
    folder: relative('', folder.dir),
  });
  const host = hostOf({ shell, plan, options, folder, reporters, interrupt, clock });
  const planned = await executePlan(plan, host);
  const say = (text: string): void => {
    reporters.say(text);
  };
  const more = await options.more?.({ folder, interrupt, say });
  for (const test of more?.tests ?? []) reporters.onTestEnd(test);
  const tests = [...planned, ...(more?.tests ?? [])];
  const skipped = (plan.skipped ?? []).map(({ ref, why }) => notRun({ ref }, why));
  const bare: SuiteResult = {
    manifest,
    tests: [...tests, ...skipped],
    exitCode: exitOf(tests, interrupt.by),
    wallMs: clock.wallMs() - startedAtMs,
    ...(interrupt.by !== undefined && { interrupted: interrupt.by }),
    ...(more?.explored !== undefined && { explored: more.explored }),
  };
  const result = withChanges(bare, options.against);
  const made = tests.flatMap(({ runs }) => runs.map(({ run }) => run));
  const gone = await pruned(plan.output, retain, made, clock.wallMs());
  if (gone !== undefined) reporters.say(`schism: ${gone}\n`);
  await conclude({ reporters, folder, choice, ...(previous && { previous }) }, result);
  return { result, dir: folder.dir };
}

/** With what became of its findings since earlier nights, if there is something to compare with. */
export function withChanges(result: SuiteResult, against?: readonly SuiteResult[]): SuiteResult {
  return against === undefined ? result : { ...result, changes: changesOf(result, against) };
}

/** To compare with; one that cannot be read is none. */
export async function previousSuite(root: string): Promise<SuiteResult | undefined> {
  return (await lastSuite(root).catch(() => undefined))?.result;
}

function manifestOf(
  shell: Shell,
  plan: SuitePlan,
  suite: string,
  startedAtMs: number,
): SuiteManifest {
  return {
    schism: 1,
    suite,
    version: VERSION,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    argv: wordsWithoutSecrets(shell.argv),
    startedAt: new Date(startedAtMs).toISOString(),
    seed: seedText(plan.seed as Seed),
    ...(plan.configFile !== undefined && { config: plan.configFile }),
    ...(plan.shard !== undefined && { shard: plan.shard }),
    selected: plan.selected,
  };
}

function exitOf(
  tests: readonly { readonly exitCode: number }[],
  by: 'SIGINT' | 'SIGTERM' | undefined,
): number {
  const signal = by === undefined ? [] : [by === 'SIGINT' ? 130 : 143];
  return worstExit([...tests.map(({ exitCode }) => exitCode), ...signal]);
}

interface Parts {
  readonly shell: Shell;
  readonly plan: SuitePlan;
  readonly options: SuiteOptions;
  readonly folder: SuiteFolder;
  readonly reporters: SuiteReporters;
  readonly interrupt: Interrupt;
  readonly clock: Clock;
}

function hostOf(parts: Parts): SuiteHost {
  const { reporters, interrupt, clock } = parts;
  return {
    clock,
    interrupt: interrupt.signal,
    interruptedBy: () => interrupt.by,
    onTestStart: ({ ref }) => {
      reporters.onTestStart(ref);
    },
    onTestEnd: (test) => {
      reporters.onTestEnd(test);
    },
    run: (test, config) => runOne(parts, test, config),
  };
}

async function runOne(parts: Parts, test: PlannedTest, config: RunConfig): Promise<SuiteRun> {
  const { plan, folder, reporters, shell, interrupt, options } = parts;
  let kept: SuiteRun | undefined;
  const keep = (runDir: string): Reporter => ({
    name: 'suite',
    write: (result, history) => {
      const dir = relative(folder.dir, runDir);
      kept = suiteRunOf(result, history, { dir, runPath: relative('', runDir) });
      return Promise.resolve();
    },
  });
  const order: RunOrder = {
    shell,
    output: plan.output,
    config,
    ...(test.attach !== undefined && { attach: test.attach }),
    modules: plan.modules,
    interrupt,
    // What was expected to go wrong needs no look.
    ...(options.leaveRunning === true && test.expects === undefined && { leaveRunning: true }),
    ...(options.retain !== undefined && { keep: options.retain.keep }),
    begin: ({ manifest, folder: own, clock }) => ({
      progress: reporters.progress({ test: test.ref, manifest, clock, folder: own }),
      reporters: [...ofEachRun(options.reporters, own), keep(own.dir)],
    }),
    warn: (text) => {
      reporters.say(text);
    },
  };
  const { result, dir } = await makeRun(order);
  if (result.leftRunning === true) reporters.say(leftText(result, relative('', dir)));
  return kept ?? withoutReport({ result, dir }, folder);
}

/** When even that could not be made of it, the verdict stands. */
function withoutReport({ result, dir }: Ran, folder: SuiteFolder): SuiteRun {
  const { manifest, verdict, exitCode, reasons, counts, wallMs } = result;
  const at = { run: manifest.run, dir: relative(folder.dir, dir) };
  const none = { faults: [], anomalies: [], checks: [] };
  return { ...at, verdict, exitCode, reasons, counts, wallMs, ...none };
}

export interface Conclusion {
  readonly reporters: SuiteReporters;
  readonly folder: SuiteFolder;
  readonly choice: ReporterChoice;
  /** The suite before this one. */
  readonly previous?: SuiteResult;
}

/** Writes all reports and, last of all, `suite.json`; then says how it ended. */
export async function conclude(conclusion: Conclusion, result: SuiteResult): Promise<void> {
  const { reporters, folder, choice, previous } = conclusion;
  const shown = {
    shown: relative('', folder.dir),
    writeText: (name: string, text: string) => folder.writeText(name, text),
  };
  const failed = [
    ...(await reporters.write(result, shown, previous === undefined ? {} : { previous })),
    ...(await blobs(folder, choice, result)),
  ];
  try {
    await folder.finish(result);
  } catch (error) {
    failed.push(`the suite could not be stored: ${messageOf(error)}`);
  }
  for (const sentence of failed) reporters.say(`schism: ${sentence}\n`);
  reporters.end(result, shown);
}

/** `--reporter blob`: into the suite's folder, and wherever else it was asked for. */
async function blobs(
  folder: SuiteFolder,
  { files }: ReporterChoice,
  result: SuiteResult,
): Promise<readonly string[]> {
  const asked = files.filter(({ name }) => name === 'blob');
  if (asked.length === 0) return [];
  try {
    const path = folder.path('blob.zip');
    await writeBlob(folder.dir, result, path);
    for (const { outputFile } of asked) {
      if (outputFile === undefined) continue;
      await mkdir(dirname(resolve(outputFile)), { recursive: true });
      await copyFile(path, resolve(outputFile));
    }
    return [];
  } catch (error) {
    return [`the blob could not be written: ${messageOf(error)}`];
  }
}
