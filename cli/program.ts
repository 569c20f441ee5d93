import { Command, CommanderError } from 'commander';
import { EXIT, exitCodeOf, HarnessError } from '../harness/core/errors.ts';
import { checkCommand } from './commands/check.ts';
import { doctorCommand } from './commands/doctor.ts';
import { explainCommand } from './commands/explain.ts';
import { exploreCommand } from './commands/explore.ts';
import { exportCommand } from './commands/export.ts';
import { imagesCommand } from './commands/images.ts';
import { initCommand } from './commands/init.ts';
import { listCommand } from './commands/list.ts';
import { mergeCommand } from './commands/merge.ts';
import { regressionCommand } from './commands/regression.ts';
import { replayCommand } from './commands/replay.ts';
import { reportCommand, serveCommand } from './commands/report.ts';
import { runCommand } from './commands/run.ts';
import { runsCommand } from './commands/runs.ts';
import { shrinkCommand } from './commands/shrink.ts';
import { translateFlags } from './flags.ts';
import { githubShell } from './github.ts';
import { VERSION } from './version.ts';

/** What commands need of the process around them; tests bring their own. */
export interface Shell {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly argv: readonly string[];
  /** Standard input, for commands that are told to read it. */
  readonly stdin: () => AsyncIterable<Uint8Array>;
  /** Calls back for each key that is pressed, until disposed; absent where nobody can press one. */
  readonly keys?: (handler: (key: string) => void) => Disposable;
  /** Results. */
  readonly out: (text: string) => void;
  /** Everything said to people while `--json` owns the output, and every error. */
  readonly err: (text: string) => void;
  readonly isTty: boolean;
  readonly columns: number;
  /** Says a command to GitHub Actions, where that is; everything else that is said commands nothing. */
  readonly commandGithub?: (line: string, stream: 'out' | 'err') => void;
  /** Calls back at each SIGINT or SIGTERM until disposed. */
  onSignal(handler: (name: 'SIGINT' | 'SIGTERM') => void): Disposable;
  /** Ends the process at once; the watchdog undoes what is left. */
  die(code: number): never;
}

/** Parses the arguments, runs the command, and returns the exit code. Never throws. */
export async function main(around: Shell): Promise<number> {
  const shell = githubShell(around);
  let code: number = EXIT.pass;
  const finish = (result: number): void => {
    code = result;
  };
  const program = new Command('schism')
    .description('Breaks distributed stores on purpose and proves what they did wrong.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        shell.out(text);
      },
      writeErr: (text) => {
        shell.err(text);
      },
    })
    .showSuggestionAfterError()
    .version(VERSION, '-V, --version');
  for (const make of [
    runCommand,
    checkCommand,
    exploreCommand,
    explainCommand,
    replayCommand,
    shrinkCommand,
    regressionCommand,
    reportCommand,
    serveCommand,
    mergeCommand,
    runsCommand,
    exportCommand,
    listCommand,
    imagesCommand,
    doctorCommand,
    initCommand,
  ]) {
    const command = make(shell, finish);
    program.addCommand(command.exitOverride().copyInheritedSettings(program));
    for (const inner of command.commands) inner.copyInheritedSettings(program);
  }
  try {
    await program.parseAsync(translateFlags(shell.argv), { from: 'user' });
    return code;
  } catch (error) {
    return failed(error, shell);
  }
}

function failed(error: unknown, shell: Shell): number {
  if (error instanceof CommanderError) {
    // Help and version are asked for; everything else was already explained by commander.
    return error.exitCode === 0 ? EXIT.pass : EXIT.badArguments;
  }
  if (error instanceof HarnessError) {
    shell.err(`schism: ${error.message}\n`);
    if (error.details !== undefined) shell.err(`${error.details}\n`);
    return exitCodeOf(error.code);
  }
  shell.err(bugText(error));
  return EXIT.bug;
}

/** What is said of an error that nobody expected. */
export function bugText(error: unknown): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `schism: this is a bug in schism, not in the store under test:\n${text}\n`;
}
