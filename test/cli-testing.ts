/** Runs the command line as a user would: a process of its own, in a folder of its own. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { realClock, sleep } from '../harness/core/clock.ts';

export const MAIN: string = join(import.meta.dirname, '..', 'cli', 'main.ts');

export interface Said {
  readonly code: number | undefined;
  readonly out: string;
  readonly err: string;
}

/** A temporary folder with commands run inside it; gone when disposed. */
export interface Sandbox extends AsyncDisposable {
  readonly dir: string;
  schism(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Said>;
  /** Starts a run and leaves it running. */
  start(args: readonly string[], env?: Readonly<Record<string, string>>): Running;
  /** The folder of the only run. */
  runDir(): Promise<string>;
  /** Resolves when the history on disk of the only run holds this text. */
  recorded(text: string): Promise<void>;
}

/** As much of a child process as the tests use. */
export interface Running extends PromiseLike<Ended> {
  kill(signal: 'SIGINT' | 'SIGTERM' | 'SIGKILL'): boolean;
}
export interface Ended {
  readonly exitCode?: number;
  readonly stdout: string;
}

function launch(dir: string, args: readonly string[], env: Readonly<Record<string, string>>) {
  return execa(process.execPath, [MAIN, ...args], {
    cwd: dir,
    env: { CI: '', GITHUB_ACTIONS: '', NO_COLOR: '1', ...env },
    reject: false,
    stdin: 'ignore',
    // What is ended by a signal has its own time for it.
    forceKillAfterDelay: false,
  });
}

export async function sandbox(): Promise<Sandbox> {
  const dir = await mkdtemp(join(tmpdir(), 'schism-cli-'));
  const runDir = async (): Promise<string> => {
    const runs = join(dir, '.schism', 'runs');
    const [first] = (await readdir(runs)).filter((name) => /^\d{8}T/.test(name));
    return join(runs, first ?? 'there is no run');
  };
  return {
    dir,
    runDir,
    recorded: async (text) => {
      const clock = realClock();
      const holds = async (): Promise<boolean> => {
        const tests = join(await runDir(), 'tests');
        const [test = ''] = await readdir(tests);
        return (await readFile(join(tests, test, 'history.jsonl'), 'utf8')).includes(text);
      };
      for (let tries = 0; tries < 1200; tries++) {
        if (await holds().catch(() => false)) return;
        await sleep(clock, 50);
      }
      throw new Error(`no history below ${dir} came to hold ${text}`);
    },
    schism: async (args, env = {}) => {
      const { exitCode, stdout, stderr } = await launch(dir, args, env);
      return { code: exitCode, out: stdout, err: stderr };
    },
    start: (args, env = {}) => launch(dir, args, env),
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
  };
}
