/** `retain` of a config: what is kept of runs, looked at whenever one has ended. */
import { messageOf } from '../harness/core/errors.ts';
import {
  applyRetention,
  type Pruned,
  type Retention,
  retentionOf,
} from '../harness/store/retention.ts';
import type { Keep } from '../harness/store/trim.ts';
import { bytesText } from '../reports/stored/figures.ts';
import { counted } from '../reports/words.ts';
import type { RetainConfig } from './config/config.ts';

export interface Retain {
  readonly keep: Keep;
  /** Absent: nothing is deleted by itself. */
  readonly limits?: Retention;
}

/** Throws `bad-option` for a size or an age that is none. */
export function retainOf({ runs, ...keep }: RetainConfig = {}): Retain {
  return { keep, ...(runs !== undefined && { limits: retentionOf(runs, 'retain.runs') }) };
}

/**
 * Deletes what there is too much of below `root`, never one of `kept`; returns a line that says so,
 * or nothing. A store that cannot be tidied is said, and costs no verdict.
 */
export async function pruned(
  root: string,
  { limits }: Retain,
  kept: readonly string[],
  nowMs: number,
): Promise<string | undefined> {
  if (limits === undefined) return undefined;
  try {
    return sentenceOf(await applyRetention(root, limits, kept, nowMs));
  } catch (error) {
    return `old runs could not be deleted: ${messageOf(error)}`;
  }
}

function sentenceOf(gone: readonly Pruned[]): string | undefined {
  if (gone.length === 0) return undefined;
  const bytes = gone.reduce((sum, { run }) => sum + run.bytes, 0);
  const whys = Map.groupBy(gone, ({ why }) => why);
  const reasons = [...whys].map(([why, group]) => `${counted(group.length, 'run')} ${why}`);
  const why = reasons.length === 1 ? [...whys.keys()].join() : reasons.join(', ');
  return `deleted ${counted(gone.length, 'run')}, ${bytesText(bytes)}, as the config says: ${why}`;
}
