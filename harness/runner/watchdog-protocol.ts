/** Lines of JSON between the harness and its watchdog; trusted, but the last one may be cut off. */
import type { UndoEntry } from '../protocols/undo.ts';

export type ToWatchdog =
  | { readonly type: 'add'; readonly id: number; readonly entry: UndoEntry }
  | { readonly type: 'drop'; readonly id: number }
  /** The owner ends in good order; whatever is still entered is undone all the same. */
  | { readonly type: 'done' }
  /** The owner ends in good order, and what is entered stays: somebody wants to look at it. */
  | { readonly type: 'release' };

export type FromWatchdog =
  | { readonly type: 'ready' }
  | { readonly type: 'added'; readonly id: number }
  /** What was undone, in words; empty after an orderly end. */
  | { readonly type: 'ended'; readonly undone: readonly string[] };

/** Marks the watchdog itself, which must never carry `SCHISM_RUN`. */
export const WATCHDOG_ENV = 'SCHISM_WATCHDOG';
export const RUN_ENV = 'SCHISM_RUN';
export const OWNER_ENV = 'SCHISM_OWNER';

export function encodeLine(message: ToWatchdog | FromWatchdog): string {
  return `${JSON.stringify(message)}\n`;
}

/** A line that is no JSON was cut off when its writer died: it was never acted upon. */
export function decodeLine(line: string): ToWatchdog | FromWatchdog | undefined {
  try {
    return JSON.parse(line) as ToWatchdog | FromWatchdog;
  } catch {
    return undefined;
  }
}
