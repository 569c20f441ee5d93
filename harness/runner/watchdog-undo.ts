/** What the watchdog does with its entries once the harness is gone. */
import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { type Clock, sleep } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import { unreachable } from '../core/invariant.ts';
import { msFromNanos } from '../core/units.ts';
import type { UndoEntry } from '../protocols/undo.ts';
import { sweepRun } from './sweep.ts';
import { isAlive, sendSignal } from './watchdog-proc.ts';

/** All commands together; the rest of the promised five seconds belongs to kills and the sweep. */
const COMMANDS_MS_MAX = 3_000;
const GONE_MS_MAX = 500;
const LOOK_AGAIN_MS = 10;
/** Of what a command prints. */
const SAID_CHARS_MAX = 2_000;

/**
 * Undoes everything, the newest entry first, then sweeps /proc for processes of this run that were
 * never entered. Returns what it did, in words. One entry that fails does not stop the others.
 */
export async function undoAll(
  clock: Clock,
  entries: readonly UndoEntry[],
  { run, owner }: { readonly run: string; readonly owner: string },
): Promise<string[]> {
  const commandsUntil = msFromNanos(clock.now()) + COMMANDS_MS_MAX;
  const done: string[] = [];
  const aside: Promise<string>[] = [];
  for (const entry of entries.toReversed()) {
    if (entry.kind === 'command' && entry.timeoutMs !== undefined) {
      aside.push(runCommand(clock, entry, entry.timeoutMs));
      continue;
    }
    try {
      const text = await undo(clock, entry, commandsUntil);
      if (text !== undefined) done.push(text);
    } catch (error) {
      done.push(`could not undo ${entry.kind}: ${messageOf(error)}`);
    }
  }
  const swept = await sweepRun(clock, run, owner);
  done.push(...swept.map(({ pid, command }) => `swept process ${pid} (${command})`));
  return [...done, ...(await Promise.all(aside))];
}

async function undo(clock: Clock, entry: UndoEntry, until: number): Promise<string | undefined> {
  switch (entry.kind) {
    case 'process':
      return killGroup(clock, entry.pid, entry.startTime);
    case 'remove':
      await rm(entry.path, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 });
      return `removed ${entry.path}`;
    case 'command':
      return runCommand(clock, entry, until - msFromNanos(clock.now()));
    default:
      return unreachable(entry);
  }
}

/** SIGKILL ends stopped processes, too. A pid that another process has now is left alone. */
async function killGroup(
  clock: Clock,
  pid: number,
  startTime: string,
): Promise<string | undefined> {
  if (!isAlive(pid, startTime)) return undefined;
  // One that has no group of its own yet is just being started, and is hit by itself.
  if (!sendSignal(-pid, 'SIGKILL')) sendSignal(pid, 'SIGKILL');
  for (let waited = 0; waited < GONE_MS_MAX && isAlive(pid, startTime); waited += LOOK_AGAIN_MS)
    await sleep(clock, LOOK_AGAIN_MS);
  return `killed process group ${pid}`;
}

async function runCommand(
  clock: Clock,
  { file, args }: { readonly file: string; readonly args: readonly string[] },
  ms: number,
): Promise<string> {
  const what = [file, ...args].join(' ');
  if (ms <= 0) return `no time left to run ${what}`;
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said = `${said}${text}`.slice(0, SAID_CHARS_MAX);
  });
  const timer = clock.timer(ms, () => {
    child.kill('SIGKILL');
    // A child of its own may hold the other end.
    child.stdout.destroy();
  });
  const ended = await new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(messageOf(error)));
    child.once('close', (code, signal) => resolve(`${code ?? signal ?? 'unknown'}`));
  });
  timer.cancel();
  return [`ran ${what}: ${ended}`, ...said.split('\n').filter((line) => line !== '')].join(': ');
}
