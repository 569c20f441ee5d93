import type { VerdictSummary } from '../summary.ts';
import { clean, clipped, NO_FIGURE } from '../words.ts';

/** `12 kB`, `3.4 MB`, `1.2 GB`; its space does not break. */
export function bytesText(bytes: number): string {
  if (!Number.isFinite(bytes)) return NO_FIGURE;
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let [value, at] = [bytes, 0];
  while (value >= 999.5 && at < units.length - 1) {
    value /= 1000;
    at++;
  }
  return `${value.toFixed(at < 2 || value >= 99.95 ? 0 : 1)}\u00a0${units[at] ?? ''}`;
}

/** `2026-11-21 01:47:12`, UTC. */
export function timeText(ms: number): string {
  if (!Number.isFinite(ms)) return NO_FIGURE;
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
}

/** A stored run, as far as it can be said without its history. */
export interface RunRow {
  readonly id: string;
  /** The name of its folder. */
  readonly folder: string;
  readonly startedAtMs: number;
  readonly bytes: number;
  readonly pinned: boolean;
  /** `crashed`: it never came to a verdict; `running`: not yet. */
  readonly state: 'pass' | 'fail' | 'unknown' | 'error' | 'crashed' | 'running';
  /** `verdict.json`; absent for one that crashed or runs, and where it cannot be read. */
  readonly summary?: VerdictSummary;
  /** The suite it was made for; only where suites were looked at. */
  readonly suite?: string;
}

export const STATES: readonly RunRow['state'][] = [
  'pass',
  'fail',
  'unknown',
  'error',
  'crashed',
  'running',
];

const SYMBOLS: Readonly<Record<RunRow['state'], string>> = {
  pass: '✓',
  fail: '✗',
  unknown: '?',
  error: '✗',
  crashed: '✗',
  running: '▶',
};

/** `✗ fail`: a symbol and a word. */
export function stateText(state: RunRow['state']): string {
  return `${SYMBOLS[state]} ${state}`;
}

/** The title of its test, or `etcd/register`. */
export function testText({ summary }: RunRow): string {
  return summary === undefined
    ? NO_FIGURE
    : clipped(clean(summary.test ?? `${summary.system}/${summary.workload}`), 60);
}

export function operationsOf({ summary }: RunRow): number {
  const { ok = Number.NaN, fail = 0, info = 0, open = 0 } = summary?.counts ?? {};
  return ok + fail + info + open;
}

/** What came of it, in one clean sentence. */
export function sentenceOf({ summary, state }: RunRow): string {
  if (summary !== undefined) return clean(summary.sentence);
  return state === 'running' ? 'It has not ended yet.' : 'It never came to a verdict.';
}
