/** Empty files in a run's folder that say what may be done with it. */
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCodeOf } from '../core/errors.ts';
import { historyFile } from './layout.ts';

/** There until the run has ended; holds the id of the process that writes. */
const WRITING = 'writing';
const PINNED = 'pinned';

/** Files that say something of this store, not of the run: they stay when it is taken elsewhere. */
export const MARKS: readonly string[] = [WRITING, PINNED];

export async function markWriting(dir: string): Promise<void> {
  await writeFile(join(dir, WRITING), `${process.pid}\n`);
}

export async function markWritten(dir: string): Promise<void> {
  await rm(join(dir, WRITING), { force: true });
}

export function isPinned(dir: string): boolean {
  return existsSync(join(dir, PINNED));
}

export async function setPinned(dir: string, pinned: boolean): Promise<void> {
  const mark = join(dir, PINNED);
  await (pinned ? writeFile(mark, '') : rm(mark, { force: true }));
}

/** A writer elsewhere, in another container or machine, has no id here; but it writes. */
const SILENCE_MS = 10 * 60_000;

/** Whether somebody may still write here: its process lives, or something was written just now. */
export async function isBeingWritten(dir: string, nowMs: number): Promise<boolean> {
  let pid: string;
  try {
    pid = await readFile(join(dir, WRITING), 'utf8');
  } catch {
    return false;
  }
  return lives(Number(pid)) || nowMs - (await lastWriteMs(dir)) < SILENCE_MS;
}

function lives(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Another user's process is a process.
    return systemCodeOf(error) === 'EPERM';
  }
}

async function lastWriteMs(dir: string): Promise<number> {
  const tests = await readdir(join(dir, 'tests')).catch(() => []);
  const histories = tests.map((test) => historyFile(join(dir, 'tests', test)));
  const paths = [join(dir, WRITING), join(dir, 'harness.log'), ...histories];
  const times = await Promise.all(
    paths.map((path) =>
      stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    ),
  );
  return Math.max(...times);
}
