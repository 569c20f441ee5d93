/** Figures of the page; times come in microseconds. */

export function seconds(time: number): string {
  return (time / 1e6).toFixed(3);
}

/** `2.434 s`, `506 ms`, `3.2 ms`, `40 µs`; its space does not break. */
export function span(time: number): string {
  if (time >= 999_500) return `${(time / 1e6).toFixed(3)}\u00a0s`;
  if (time >= 9950) return `${(time / 1e3).toFixed(0)}\u00a0ms`;
  if (time >= 1000) return `${(time / 1e3).toFixed(1)}\u00a0ms`;
  return `${Math.round(time)}\u00a0µs`;
}

export function count(value: number): string {
  return String(value).replaceAll(/\B(?=(\d{3})+$)/g, '\u00a0');
}

/** At most `max` letters. */
export function clipped(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, Math.max(0, max - 1))}…`;
}

/** Steps of 1, 2 or 5 times a power of ten, at most `most` of them. */
export function niceStep(range: number, most: number): number {
  const raw = Math.max(range, 1) / most;
  const power = 10 ** Math.floor(Math.log10(raw));
  return ([1, 2, 5, 10].find((factor) => factor * power >= raw * (1 - 1e-9)) ?? 10) * power;
}
