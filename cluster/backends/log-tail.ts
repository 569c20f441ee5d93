import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { LIMITS } from '../../harness/core/limits.ts';

/** Enough for twenty long lines; the rest of a log is never read for a message. */
const TAIL_BYTES = 16_384;

/** The last lines of a program's output, for an error message; empty when there is none. */
export function logTail(path: string): string {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return '';
  }
  try {
    const from = Math.max(0, fstatSync(file).size - TAIL_BYTES);
    const buffer = Buffer.alloc(TAIL_BYTES);
    const length = readSync(file, buffer, 0, TAIL_BYTES, from);
    const lines = buffer.toString('utf8', 0, length).trimEnd().split('\n');
    return lines.slice(-LIMITS.stderrTailLines).join('\n');
  } finally {
    closeSync(file);
  }
}
