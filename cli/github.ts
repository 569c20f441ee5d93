/** GitHub Actions around a command: annotations, groups and the job summary, when it says it is there. */
import { appendFile, stat } from 'node:fs/promises';
import type { RunResult } from '../harness/protocols/run.ts';
import type { Reporter } from '../harness/runner/run.ts';
import {
  annotationLines,
  GROUP_END,
  groupLine,
  inert,
  jobSummary,
  SUMMARY_BYTES_MAX,
} from '../reports/github.ts';
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

/** Undefined where GitHub is not. With `json` standard output holds the document alone. */
export function githubReporter(
  shell: Shell,
  { json = false, ...options }: { readonly json?: boolean; readonly runPath?: string },
): GithubReporter | undefined {
  const { commandGithub } = shell;
  if (commandGithub === undefined) return undefined;
  const command = (line: string): void => {
    commandGithub(line, json ? 'err' : 'out');
  };
  return {
    name: 'GitHub job summary',
    write: async (result, history) => {
      const path = shell.env['GITHUB_STEP_SUMMARY'];
      if (path === undefined || path === '') return;
      const bytesMax = SUMMARY_BYTES_MAX - (await sizeOf(path));
      await appendFile(path, jobSummary(result, history, { ...options, bytesMax }));
    },
    group: (title) => {
      command(groupLine(title));
      let isOpen = true;
      return {
        [Symbol.dispose]: () => {
          if (isOpen) command(GROUP_END);
          isOpen = false;
        },
      };
    },
    annotate: (result) => {
      for (const line of annotationLines(result)) command(line);
    },
  };
}

/** Of all runs of a step together GitHub takes so much. */
async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch {
    return 0;
  }
}
