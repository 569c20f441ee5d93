import { HarnessError } from './errors.ts';

declare const nanosBrand: unique symbol;
/** Whole nanoseconds since the start of the run, or a span of them. Exact for 104 days. */
export type Nanos = number & { readonly [nanosBrand]: true };

/** A member of the cluster: `n1`, `n2`, ... */
export type NodeName = string;

export const NANOS_PER_MS = 1_000_000;

export function nanos(value: number): Nanos {
  return Math.round(value) as Nanos;
}

export function nanosFromMs(ms: number): Nanos {
  return Math.round(ms * NANOS_PER_MS) as Nanos;
}

export function msFromNanos(time: Nanos | number): number {
  return time / NANOS_PER_MS;
}

/** Seconds with milliseconds, for people: `72.908`. */
export function secondsText(time: Nanos | number): string {
  return (time / 1e9).toFixed(3);
}

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/**
 * Reads a duration such as `500ms`, `60s`, `2m` or `1.5h` into milliseconds.
 * `el` and `hb` are protocol units, election timeouts and heartbeats, and need `timing`.
 * Throws `bad-option` naming `what` for anything else.
 */
export function parseDurationMs(
  text: string,
  what: string,
  timing?: { readonly electionMs: number; readonly heartbeatMs: number },
): number {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|el|hb)$/.exec(text.trim());
  const units: Record<string, number> = {
    ...UNITS_MS,
    ...(timing && { el: timing.electionMs, hb: timing.heartbeatMs }),
  };
  const unit = match?.[2] === undefined ? undefined : units[match[2]];
  if (match?.[1] === undefined || unit === undefined) {
    throw new HarnessError(
      'bad-option',
      `${what}: '${text}' is not a duration; write a number with a unit, such as 500ms, 60s or 2m` +
        (timing ? ' (or 3el for three election timeouts)' : ''),
    );
  }
  return Number(match[1]) * unit;
}
