/** The main phase, cut at every begin and end of a fault. */
import type { FaultBand } from '../harness/protocols/details.ts';

export interface Span {
  readonly startNanos: number;
  readonly endNanos: number;
}

/** Half open, so that each moment is in one; the last one has both ends. */
export interface Window extends Span {
  readonly isLast: boolean;
  /** The faults that last all through it. */
  readonly active: readonly FaultBand[];
}

export function windowsOf(main: Span, bands: readonly FaultBand[]): Window[] {
  const { startNanos, endNanos } = main;
  const edges = bands.flatMap((band) => [band.beginNanos, band.endNanos ?? endNanos]);
  const within = edges.filter((edge) => edge > startNanos && edge < endNanos);
  const cuts = [...new Set([startNanos, ...within, endNanos])].toSorted((a, b) => a - b);
  return cuts.slice(0, -1).map((start, at) => {
    const end = cuts[at + 1] ?? endNanos;
    const active = bands.filter(
      (band) => band.beginNanos <= start && (band.endNanos ?? Infinity) >= end,
    );
    return { startNanos: start, endNanos: end, isLast: end === endNanos, active };
  });
}

export function isWithin(
  nanos: number,
  { startNanos, endNanos, isLast }: Omit<Window, 'active'>,
): boolean {
  return nanos >= startNanos && (nanos < endNanos || (isLast && nanos === endNanos));
}
