/** One child process in a process group of its own, watched by `/proc` and by the watchdog. */
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { execa } from 'execa';
import type { Clock } from '../../harness/core/clock.ts';
import { withDeadline } from '../../harness/core/deadline.ts';
import { HarnessError, messageOf } from '../../harness/core/errors.ts';
import type { Log } from '../../harness/core/log.ts';
import type { ProcessState } from '../../harness/protocols/system.ts';
import type { UndoRegistry } from '../../harness/protocols/undo.ts';
import { isEnded, readStat, sendSignal } from '../../harness/runner/watchdog-proc.ts';

/** A process that SIGKILL does not end within this hangs in the kernel. */
const KILL_MS_MAX = 5_000;

export interface ChildSpec {
  /** For messages: `n1`, `link server`. */
  readonly name: string;
  /** A path, or a name that is looked up on PATH. */
  readonly file: string;
  readonly args: readonly string[];
  /** Added to this process's own environment; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Takes stdout and stderr, appended; its folder is made. */
  readonly logPath: string;
  /** Takes stdout instead, for a program that says something to a program. */
  readonly outputPath?: string;
}

export interface ChildContext {
  readonly undo: UndoRegistry;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Exit {
  readonly code: number | undefined;
  readonly signal: string | undefined;
}

export type ChildSignal = 'SIGKILL' | 'SIGTERM' | 'SIGINT' | 'SIGSTOP' | 'SIGCONT';

/** Disposing of it kills the whole group and waits until it is gone. */
export interface Child extends AsyncDisposable {
  readonly pid: number;
  /** Field 22 of /proc/pid/stat: with the pid, it names this process for good. */
  readonly startTime: string;
  /** Never rejects. */
  readonly exited: Promise<Exit>;
  /** To its process group; false when it is gone. */
  signal(name: ChildSignal): boolean;
  state(): ProcessState;
}

/**
 * Starts a program. Its output goes to a file by descriptor, so that it neither fills a pipe nor
 * dies with the harness. Throws `binary-missing` when there is no such program.
 */
export async function startChild(spec: ChildSpec, context: ChildContext): Promise<Child> {
  const { undo, clock, log } = context;
  const subprocess = launch(spec, undo.env);
  const { pid } = subprocess;
  if (pid === undefined) throw notStarted(spec, await subprocess);
  // Read before the event loop could collect the process: even a zombie still has its entry.
  const startTime = readStat(pid)?.startTime ?? '0';
  let gone = false;
  let withdraw = (): void => undefined;
  const exited = subprocess.then(({ exitCode, signal }): Exit => {
    gone = true;
    // What it had started must not live on; its pid cannot have been reused yet.
    sendSignal(-pid, 'SIGKILL');
    withdraw();
    return { code: exitCode, signal };
  });
  const child: Child = {
    pid,
    startTime,
    exited,
    signal: (name) => !gone && sendSignal(-pid, name),
    state: () => stateOf(pid, startTime),
    [Symbol.asyncDispose]: async () => {
      child.signal('SIGKILL');
      await withDeadline(clock, KILL_MS_MAX, `kill ${spec.name} (pid ${pid})`, exited);
    },
  };
  try {
    const entered = await undo.add({ kind: 'process', pid, startTime });
    withdraw = entered;
    if (child.state().state === 'gone') entered();
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
  log.info('started', { name: spec.name, pid, file: spec.file, args: spec.args });
  return child;
}

/** As `/proc` has it: a process that waits to be collected is gone, a traced one is paused. */
function stateOf(pid: number, startTime: string): ProcessState {
  const stat = readStat(pid);
  if (stat === undefined || stat.startTime !== startTime || isEnded(stat)) return { state: 'gone' };
  const paused = stat.state === 'T' || stat.state === 't';
  return { state: paused ? 'paused' : 'running', pid };
}

// Not annotated: execa derives the type of the result from these very options.
function launch(spec: ChildSpec, marks: UndoRegistry['env']) {
  const files = [spec.outputPath ?? spec.logPath, spec.logPath].map((path) => {
    mkdirSync(dirname(path), { recursive: true });
    return openSync(path, 'a');
  });
  // Any descriptor will do; execa's types stop at 9.
  const [stdout, stderr] = files as [3, 3];
  const env = Object.entries({ ...process.env, ...spec.env, ...marks }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  try {
    return execa(spec.file, spec.args, {
      ...(spec.cwd !== undefined && { cwd: spec.cwd }),
      env: Object.fromEntries(env),
      extendEnv: false,
      detached: true,
      cleanup: false,
      reject: false,
      buffer: false,
      stdin: 'ignore',
      stdout,
      stderr,
    });
  } finally {
    for (const file of files) closeSync(file);
  }
}

function notStarted(
  { name, file }: ChildSpec,
  result: { readonly code?: string | undefined; readonly cause?: unknown },
): HarnessError {
  const { code, cause } = result;
  const where = file.includes('/') ? '' : ' on PATH';
  if (code === 'ENOENT')
    return new HarnessError('binary-missing', `${name}: '${file}' was not found${where}`);
  if (code === 'EACCES')
    return new HarnessError('binary-missing', `${name}: '${file}' may not be executed`);
  const why = cause === undefined ? 'unknown reason' : messageOf(cause);
  return new HarnessError('process-failed', `${name}: '${file}' could not be started: ${why}`);
}
