/** A share of a count, with the bounds between which the true rate lies 95 times of 100. */
export interface Rate {
  readonly found: number;
  readonly of: number;
  readonly low: number;
  readonly high: number;
}

/** The quantile of the normal distribution that leaves 2.5 % on each side. */
const Z = 1.959963984540054;

/** Wilson's score interval (1927): it stays within 0 and 1, and says something of few runs, too. */
export function wilson(found: number, of: number): Rate {
  if (of === 0) return { found, of, low: 0, high: 1 };
  const share = found / of;
  const spread = (Z * Z) / of;
  const middle = share + spread / 2;
  const reach = Z * Math.sqrt((share * (1 - share)) / of + spread / (4 * of));
  return {
    found,
    of,
    low: found === 0 ? 0 : (middle - reach) / (1 + spread),
    high: found === of ? 1 : (middle + reach) / (1 + spread),
  };
}

/** `4 of 20 (95 % interval 8 % to 42 %)`. */
export function wilsonText({ found, of, low, high }: Rate): string {
  const percent = (rate: number): string => `${(rate * 100).toFixed(0)}\u00a0%`;
  return `${found} of ${of} (95\u00a0% interval ${percent(low)} to ${percent(high)})`;
}

/** `8 to 42 %`: the interval alone. */
export function intervalText({ low, high }: Rate): string {
  return `${(low * 100).toFixed(0)} to ${(high * 100).toFixed(0)}\u00a0%`;
}
