/**
 * What must happen if the harness dies. Entries are data, written to the watchdog *before* the
 * act, so that no moment is without a way back.
 */
export type UndoEntry =
  | {
      /** Kill the process group `pid`, if its start time (field 22 of /proc/pid/stat) still matches. */
      readonly kind: 'process';
      readonly pid: number;
      readonly startTime: string;
    }
  | { readonly kind: 'remove'; readonly path: string }
  | {
      readonly kind: 'command';
      readonly file: string;
      readonly args: readonly string[];
      /**
       * For what takes longer than the few seconds that all others share; meanwhile these are undone.
       * What it prints is told.
       */
      readonly timeoutMs?: number;
    };

export interface UndoRegistry {
  /** Resolves when the watchdog has the entry. The returned function withdraws it. */
  add(entry: UndoEntry): Promise<() => void>;
  /** Environment that marks every child as belonging to this run: `SCHISM_RUN`, `SCHISM_OWNER`. */
  readonly env: Readonly<Record<string, string>>;
}

/** For tests and dry runs: nothing is watched. */
export const noUndo: UndoRegistry = {
  add: () => Promise.resolve(() => undefined),
  env: {},
};
