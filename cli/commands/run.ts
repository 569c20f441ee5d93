import { relative } from 'node:path';
import { Command } from 'commander';
import { realClock } from '../../harness/core/clock.ts';
import { EXIT, HarnessError } from '../../harness/core/errors.ts';
import { type Seed, seedText } from '../../harness/core/prng.ts';
import type { RunConfig } from '../../harness/protocols/run.ts';
import type { AttachConfig } from '../config/config.ts';
import { findConfig } from '../config/load.ts';
import { addRunFlags, type Flags } from '../flags.ts';
import { githubReporter } from '../github.ts';
import { interruptible, STOPPING } from '../interrupt.ts';
import { leftText, requireLeavable } from '../leave-running.ts';
import { type BegunRun, makeRun, type Ran, type RunOrder, type RunVoice } from '../make-run.ts';
import { earlierOf } from '../nightly/against.ts';
import { askedForNight, runNight } from '../nightly/nightly.ts';
import type { Shell } from '../program.ts';
import { chooseReporters, isAsked, type ReporterChoice } from '../reporter-choice.ts';
import { askedReporters, progressFor, styleFor, type Telling, textReporter } from '../reporting.ts';
import { pruned, type Retain, retainOf } from '../retain.ts';
import type { Asked } from '../suite/choose-tests.ts';
import { planRun, planSuite } from '../suite/plan-suite.ts';
import { preview } from '../suite/preview.ts';
import { runSuite } from '../suite/run-suite.ts';
import { VERSION } from '../version.ts';

/** `schism run`: start a cluster, break it, judge what it did; once, or as the tests of a suite. */
export function runCommand(shell: Shell, finish: (code: number) => void): Command {
  return addRunFlags(
    new Command('run')
      .alias('test')
      .description('start a cluster, break it, record what it does, and judge it')
      .argument('[filter...]', 'only tests of these files (file:line) and titles'),
  ).action(async (filters: readonly string[], flags: Flags, command: Command) => {
    const isGiven = (name: string): boolean => command.getOptionValueSource(name) === 'cli';
    const loaded = await findConfig(flags.config);
    finish(await execute(shell, { flags, isGiven, filters, loaded, env: shell.env }));
  });
}

async function execute(shell: Shell, said: Asked): Promise<number> {
  const asked = said.flags.budget === undefined ? said : askedForNight(said);
  const { flags, loaded } = asked;
  const text = await preview(asked);
  if (text !== undefined) {
    shell.out(text);
    return EXIT.pass;
  }
  const leaveRunning = flags.leaveRunning === true;
  const retain = retainOf(loaded.config.retain);
  const reporters = chooseReporters(shell, flags, loaded.config.reporters);
  const { json = false, color } = flags;
  const against = await earlierOf(shell, flags.against);
  const options = {
    reporters,
    json,
    color,
    leaveRunning,
    retain,
    ...(against !== undefined && { against }),
  };
  if (flags.budget !== undefined) return runNight(shell, asked, options);
  const plan = await planSuite(asked);
  if (plan !== undefined) return (await runSuite(shell, plan, options)).result.exitCode;
  if (against !== undefined)
    throw new HarnessError('bad-option', '--against: only a suite has findings to compare');
  if (isAsked(reporters, 'blob'))
    throw new HarnessError(
      'bad-option',
      'reporter blob: only a suite has one, and here is no test',
    );
  const { config, flags: resolved, attach, modules } = await planRun(asked);
  if (leaveRunning) requireLeavable(config);
  const parts = { modules, leaveRunning, reporters, retain };
  return (await runConfigured(shell, resolved, config, attach, parts)).result.exitCode;
}

/** How a run is spoken of, and where it is kept. */
export type RunSpeech = Pick<Flags, 'output' | 'json' | 'quiet' | 'color'>;

/** What a run of more than built-in parts needs. */
export interface RunParts extends Pick<RunOrder, 'modules' | 'leaveRunning'> {
  readonly retain?: Retain;
  /** Default: as the place suggests. */
  readonly reporters?: ReporterChoice;
}

/** Runs a resolved configuration, stores it, and says what came of it. */
export async function runConfigured(
  shell: Shell,
  flags: RunSpeech,
  config: RunConfig,
  attach?: AttachConfig,
  { reporters = chooseReporters(shell, flags), retain = retainOf(), ...parts }: RunParts = {},
): Promise<Ran> {
  const say = flags.json === true ? shell.err : shell.out;
  using interrupt = interruptible(shell, realClock(), () => {
    voice.say(STOPPING);
  });
  using voice = singleVoice(shell, { ...flags, reporters }, say);
  const ran = await makeRun({
    ...parts,
    shell,
    output: flags.output,
    config,
    ...(attach !== undefined && { attach }),
    keep: retain.keep,
    interrupt,
    begin: (run) => voice.begin(run),
    warn: shell.err,
  });
  const { run } = ran.result.manifest;
  const gone = await pruned(flags.output, retain, [run], realClock().wallMs());
  if (gone !== undefined) shell.err(`schism: ${gone}\n`);
  voice.end(ran);
  return ran;
}

interface SingleVoice extends Disposable {
  begin(run: BegunRun): RunVoice;
  /** For whatever else must be said meanwhile. */
  say(text: string): void;
  end(ran: Ran): void;
}

/** Tells of the only run there is, from its first line to its exit code. */
function singleVoice(
  shell: Shell,
  flags: RunSpeech & { readonly reporters: ReporterChoice },
  say: (text: string) => void,
): SingleVoice {
  const json = flags.json === true;
  const choice = flags.reporters;
  const isSilent = choice.quiet || choice.voice === 'minimal';
  const style = styleFor(shell, flags.color && !json);
  let text: ReturnType<typeof textReporter> | undefined;
  let github: ReturnType<typeof githubReporter>;
  let group: Disposable | undefined;
  let telling: Telling | undefined;
  return {
    begin: ({ manifest, folder, clock }) => {
      const shown = relative('', folder.dir);
      if (shell.isTty && !isSilent) say(headline(manifest.config, folder.id, shown));
      github = githubReporter(shell, { json, runPath: shown });
      if (!isSilent) group = github?.group(`schism run ${folder.id}`);
      text = textReporter({ columns: shell.columns, style, runPath: shown, choice });
      if (!isSilent) telling = progressFor(shell, { manifest, folder, clock, style, say, choice });
      return {
        ...(telling && { progress: telling.progress }),
        reporters: [
          ...askedReporters(choice, folder),
          ...(github === undefined ? [] : [github]),
          text,
        ],
      };
    },
    say: (line) => {
      (telling?.say ?? say)(line);
    },
    end: ({ result, dir }) => {
      group?.[Symbol.dispose]();
      if (json) shell.out(`${JSON.stringify(result)}\n`);
      const left = result.leftRunning === true ? leftText(result, relative('', dir)) : '';
      if (text !== undefined) say(beforeLastLine(text.text(result), left));
      github?.annotate(result);
    },
    [Symbol.dispose]: () => {
      group?.[Symbol.dispose]();
    },
  };
}

/** The last line names the exit code, whatever else there is to say. */
function beforeLastLine(text: string, more: string): string {
  const at = text.trimEnd().lastIndexOf('\n') + 1;
  return more === '' ? text : `${text.slice(0, at)}${more}\n${text.slice(at)}`;
}

function headline({ system, nodes, workload, seed }: RunConfig, id: string, dir: string): string {
  return (
    `schism ${VERSION}  ${system} × ${nodes.length}  ${workload}  ` +
    `seed ${seedText(seed as Seed)}  run ${id}  ${dir}\n`
  );
}
