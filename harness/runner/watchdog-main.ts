/**
 * The watchdog program: a child of the harness that outlives it just long enough to undo what the
 * harness had done. Its stdin is the only inherited end of a pipe; when that closes, for whatever
 * reason, its owner is gone. Run by `undo.ts`.
 */
import { createInterface } from 'node:readline';
import { realClock } from '../core/clock.ts';
import type { UndoEntry } from '../protocols/undo.ts';
import {
  decodeLine,
  encodeLine,
  type FromWatchdog,
  OWNER_ENV,
  WATCHDOG_ENV,
} from './watchdog-protocol.ts';
import { undoAll } from './watchdog-undo.ts';

// A Ctrl-C or a closing terminal is the owner's affair; this process must see it through.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
// The owner may be gone when an answer is written: that is what this program is for.
process.stdout.on('error', () => undefined);

const clock = realClock();
const entries = new Map<number, UndoEntry>();
const whose = {
  run: process.env[WATCHDOG_ENV] ?? '',
  owner: process.env[OWNER_ENV] ?? '',
};
const answer = (message: FromWatchdog): void => {
  process.stdout.write(encodeLine(message));
};

/** False: nothing is to be undone. */
async function listen(): Promise<boolean> {
  for await (const line of createInterface({ input: process.stdin })) {
    const message = decodeLine(line);
    if (message === undefined || message.type === 'done') return true;
    if (message.type === 'release') return false;
    if (message.type === 'drop') entries.delete(message.id);
    if (message.type === 'add') {
      entries.set(message.id, message.entry);
      answer({ type: 'added', id: message.id });
    }
  }
  return true;
}

answer({ type: 'ready' });
// A pipe that breaks says the same as one that closes.
const mustUndo = await listen().catch(() => true);
process.stdin.destroy();
const undone = mustUndo ? await undoAll(clock, [...entries.values()], whose) : [];
answer({ type: 'ended', undone });
for (const text of undone) process.stderr.write(`${text}\n`);
