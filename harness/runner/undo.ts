/** The harness's end of the watchdog; see `watchdog-main.ts` for the other. */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../core/clock.ts';
import { withDeadline } from '../core/deadline.ts';
import { HarnessError, messageOf } from '../core/errors.ts';
import { invariant } from '../core/invariant.ts';
import type { Log } from '../core/log.ts';
import type { UndoEntry, UndoRegistry } from '../protocols/undo.ts';
import { ownerText } from './watchdog-proc.ts';
import {
  decodeLine,
  encodeLine,
  OWNER_ENV,
  RUN_ENV,
  type ToWatchdog,
  WATCHDOG_ENV,
} from './watchdog-protocol.ts';

const START_MS_MAX = 10_000;
const ANSWER_MS_MAX = 5_000;
/** More than the watchdog's own bounds together, but for entries that bring their own. */
const UNDO_MS_MAX = 10_000;

export interface WatchdogOptions {
  readonly runId: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Where the watchdog writes what it undid, in words; nowhere by default. */
  readonly logPath?: string;
}

export interface Watchdog extends UndoRegistry, AsyncDisposable {
  readonly pid: number;
  /** From now on nothing is undone, not even when this process dies; it is still to be disposed. */
  release(): void;
}

/**
 * Starts the watchdog, in a session of its own so that no signal of the terminal reaches it. While
 * it lives, whatever is entered is undone within five seconds of this process's end, however it
 * ends. Disposing of it undoes what is still entered. Throws `process-failed`.
 */
export async function startWatchdog(options: WatchdogOptions): Promise<Watchdog> {
  const { runId, clock, log, logPath } = options;
  const owner = ownerText(process.pid);
  const link = launch(options, owner);
  try {
    await withDeadline(clock, START_MS_MAX, 'start the watchdog', link.ready);
  } catch (error) {
    link.end();
    throw error;
  }
  let lastId = 0;
  let undoMs = UNDO_MS_MAX;
  const add = async (entry: UndoEntry): Promise<() => void> => {
    const id = ++lastId;
    if (entry.kind === 'command') undoMs = Math.max(undoMs, UNDO_MS_MAX + (entry.timeoutMs ?? 0));
    const added = link.added(id);
    link.send({ type: 'add', id, entry });
    await withDeadline(clock, ANSWER_MS_MAX, 'enter an undo with the watchdog', added);
    return () => {
      link.send({ type: 'drop', id });
    };
  };
  return {
    pid: link.pid,
    env: { [RUN_ENV]: runId, [OWNER_ENV]: owner },
    add,
    release: () => {
      link.send({ type: 'release' });
    },
    [Symbol.asyncDispose]: async () => {
      link.send({ type: 'done' });
      link.end();
      const undone = await withDeadline(clock, undoMs, 'end the watchdog', link.undone);
      if (undone.length > 0) log.warn('the watchdog had to undo what was left', { undone });
      else if (logPath !== undefined) await removeIfEmpty(logPath);
    },
  };
}

/** Most runs have nothing to tell. */
async function removeIfEmpty(path: string): Promise<void> {
  if ((await stat(path)).size === 0) await rm(path);
}

interface Link {
  readonly pid: number;
  readonly ready: Promise<void>;
  /** What it undid; empty when it ended without a word. */
  readonly undone: Promise<readonly string[]>;
  added(id: number): Promise<void>;
  send(message: ToWatchdog): void;
  end(): void;
}

function launch({ runId, log, logPath }: WatchdogOptions, owner: string): Link {
  const errors = logPath === undefined ? undefined : openSync(logPath, 'a');
  const { [RUN_ENV]: _, ...outer } = process.env;
  const program = new URL(`./watchdog-main${extname(import.meta.url)}`, import.meta.url);
  const child = spawn(process.execPath, [fileURLToPath(program)], {
    detached: true,
    // It must not keep the folder of the run, or of a test, busy.
    cwd: '/',
    env: { ...outer, [WATCHDOG_ENV]: runId, [OWNER_ENV]: owner },
    stdio: ['pipe', 'pipe', errors ?? 'ignore'],
  });
  if (errors !== undefined) closeSync(errors);
  const { stdin, stdout } = child;
  invariant(stdin !== null && stdout !== null, 'the watchdog has two pipes');

  const ready = Promise.withResolvers<void>();
  const done = Promise.withResolvers<readonly string[]>();
  const waiting = new Map<number, PromiseWithResolvers<void>>();
  let ended: HarnessError | undefined;
  const fail = (how: string): void => {
    ended ??= new HarnessError('process-failed', `the watchdog ended: ${how}`);
    ready.reject(ended);
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
    done.resolve([]);
  };
  // Nobody may be waiting when it fails; whoever asks next is told.
  ready.promise.catch(() => undefined);
  child.once('error', (error) => fail(messageOf(error)));
  // Not at its exit: its last words may still be in the pipe.
  child.once('close', (code, signal) => {
    if (signal !== null) log.warn('the watchdog was killed', { signal });
    fail(signal ?? `exit code ${code}`);
  });
  stdin.on('error', () => undefined);

  createInterface({ input: stdout }).on('line', (line) => {
    const message = decodeLine(line);
    if (message?.type === 'ready') ready.resolve();
    if (message?.type === 'ended') done.resolve(message.undone);
    if (message?.type === 'added') {
      waiting.get(message.id)?.resolve();
      waiting.delete(message.id);
    }
  });
  return {
    pid: child.pid ?? 0,
    ready: ready.promise,
    undone: done.promise,
    added: (id) => {
      const answer = Promise.withResolvers<void>();
      answer.promise.catch(() => undefined);
      if (ended === undefined) waiting.set(id, answer);
      else answer.reject(ended);
      return answer.promise;
    },
    send: (message) => {
      stdin.write(encodeLine(message));
    },
    end: () => {
      stdin.end();
    },
  };
}
