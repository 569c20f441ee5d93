/**
 * Compaction by itself, with etcd 3.4's rules. `revision`: every five minutes all but the last
 * revisions go. `periodic`: what is older than the retention goes, once in each retention or once an
 * hour, whichever is shorter; a tenth of that apart the newest revision is noted down.
 */
import type { Clock } from '../../../harness/core/clock.ts';
import { msFromNanos } from '../../../harness/core/units.ts';
import { FAILURES, type Result } from '../failures.ts';

const HOUR_MS = 3_600_000;
const REVISION_EVERY_MS = 300_000;
const NOTES_AN_INTERVAL = 10;

export type AutoCompactionConfig =
  | { readonly mode: 'periodic'; readonly retentionMs: number }
  | { readonly mode: 'revision'; readonly retention: number };

export interface AutoCompactionOptions {
  readonly config: AutoCompactionConfig;
  readonly clock: Clock;
  readonly revision: () => number;
  /** Only the leader compacts; the others wait for their turn. */
  readonly leads: () => boolean;
  readonly compact: (revision: number) => Promise<Result<unknown>>;
}

export interface AutoCompaction {
  /** To be called more often than anything is due. */
  tick(): void;
}

export function autoCompaction(options: AutoCompactionOptions): AutoCompaction {
  const { config, clock } = options;
  const nowMs = (): number => msFromNanos(clock.now());
  const { everyMs, step } =
    config.mode === 'revision'
      ? byRevision(options, config.retention)
      : byPeriod(options, config.retentionMs, nowMs);
  let dueMs = nowMs() + everyMs;
  let isBusy = false;
  const run = async (): Promise<void> => {
    isBusy = true;
    await step();
    isBusy = false;
    dueMs = nowMs() + everyMs;
  };
  return {
    tick: () => {
      if (!isBusy && nowMs() >= dueMs) void run();
    },
  };
}

interface Steps {
  readonly everyMs: number;
  readonly step: () => Promise<void>;
}

function byRevision({ revision, leads, compact }: AutoCompactionOptions, retention: number): Steps {
  let before = 0;
  const step = async (): Promise<void> => {
    const upTo = revision() - retention;
    if (!leads() || upTo <= 0 || upTo === before) return;
    if (isDone(await compact(upTo))) before = upTo;
  };
  return { everyMs: REVISION_EVERY_MS, step };
}

function byPeriod(
  { revision, leads, compact }: AutoCompactionOptions,
  retentionMs: number,
  nowMs: () => number,
): Steps {
  const intervalMs = Math.min(retentionMs, HOUR_MS);
  const everyMs = intervalMs / NOTES_AN_INTERVAL;
  const kept = Math.floor(retentionMs / everyMs) + 1;
  const noted = [revision()];
  let lastMs = nowMs();
  // For the first time it waits for the whole retention, which may be longer than the interval.
  let waitMs = retentionMs;
  const compactWhenDue = async (): Promise<void> => {
    if (!leads() || nowMs() - lastMs < waitMs) return;
    waitMs = intervalMs;
    // A failure is tried again after the next note.
    if (isDone(await compact(noted[0] ?? 0))) lastMs = nowMs();
  };
  const step = async (): Promise<void> => {
    await compactWhenDue();
    noted.push(revision());
    if (noted.length > kept) noted.shift();
  };
  return { everyMs, step };
}

/** Somebody may have compacted as much by hand. */
function isDone(result: Result<unknown>): boolean {
  return result.ok || result.failure.message === FAILURES.compacted.message;
}
