/** GitHub Actions around a command: annotations, groups and the job summary, when it says it is there. */
import { appendFile, stat } from 'node:fs/promises';
import type { RunResult } from '../harness/protocols/run.ts';
import type { SuiteResult } from '../harness/protocols/suite.ts';
import type { Reporter } from '../harness/runner/run.ts';
import {
  annotationLines,
  GROUP_END,
  groupLine,
  inert,
  jobSummary,
  SUMMARY_BYTES_MAX,
} from '../reports/github.ts';
import { suiteAnnotations, suiteSummary } from '../reports/suite/suite-github.ts';
import { clipped } from '../reports/words.ts';
import type { Shell } from './program.ts';

/** Longer lines are cut by GitHub's own log view. */
const LINE_BYTES_MAX = 8000;

/**
 * There, whatever a command prints is made inert: the words of a store must not be taken for
 * commands to GitHub. `commandGithub` is how our own get through.
 */
export function githubShell(shell: Shell): Shell {
  if (!isGithub(shell.env)) return shell;
  return {
    ...shell,
    out: (text) => {
      shell.out(inert(text));
    },
    err: (text) => {
      shell.err(inert(text.split('\n').map(shortened).join('\n')));
    },
    commandGithub: (line, stream) => {
      shell[stream](`${line}\n`);
    },
  };
}

function isGithub(env: Shell['env']): boolean {
  return env['GITHUB_ACTIONS'] === 'true';
}

function shortened(line: string): string {
  return Buffer.byteLength(line) <= LINE_BYTES_MAX ? line : `${clipped(line, 1900)} (cut short)`;
}

/** As a reporter it writes the job summary, if there is a file for it. */
export interface GithubReporter extends Reporter {
  /** Lines until it is disposed can be folded away. */
  group(title: string): Disposable;
  annotate(result: RunResult): void;
}

interface GithubOptions {
  readonly json?: boolean;
  /** The folder of the run, as an artefact step would name it. */
  readonly runPath?: string;
}

/** Undefined where GitHub is not. With `json` standard output holds the document alone. */
export function githubReporter(
  shell: Shell,
  { json = false, ...options }: GithubOptions,
): GithubReporter | undefined {
  const command = commandOf(shell, json);
  if (command === undefined) return undefined;
  return {
    name: 'GitHub job summary',
    write: (result, history) =>
      appendSummary(shell, (bytesMax) => jobSummary(result, history, { ...options, bytesMax })),
    group: (title) => groupOf(title, command),
    annotate: (result) => {
      for (const line of annotationLines(result)) command(line);
    },
  };
}

/** The same of a suite. */
export interface GithubSuiteReporter {
  group(title: string): Disposable;
  write(result: SuiteResult, folder: string): Promise<void>;
  annotate(result: SuiteResult): void;
}

export function githubSuiteReporter(shell: Shell, json: boolean): GithubSuiteReporter | undefined {
  const command = commandOf(shell, json);
  if (command === undefined) return undefined;
  return {
    group: (title) => groupOf(title, command),
    write: (result, folder) =>
      appendSummary(shell, (bytesMax) => suiteSummary(result, { bytesMax, folder })),
    annotate: (result) => {
      for (const line of suiteAnnotations(result)) command(line);
    },
  };
}

type Command = (line: string) => void;

function commandOf({ commandGithub }: Shell, json: boolean): Command | undefined {
  if (commandGithub === undefined) return undefined;
  return (line) => {
    commandGithub(line, json ? 'err' : 'out');
  };
}

function groupOf(title: string, command: Command): Disposable {
  command(groupLine(title));
  let isOpen = true;
  return {
    [Symbol.dispose]: () => {
      if (isOpen) command(GROUP_END);
      isOpen = false;
    },
  };
}

/** If there is a file for it. */
async function appendSummary({ env }: Shell, summary: (bytesMax: number) => string): Promise<void> {
  const path = env['GITHUB_STEP_SUMMARY'];
  if (path === undefined || path === '') return;
  await appendFile(path, summary(SUMMARY_BYTES_MAX - (await sizeOf(path))));
}

/** Of all runs of a step together GitHub takes so much. */
async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch {
    return 0;
  }
}
