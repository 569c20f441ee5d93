/** Which versions of a store have something: `3.4.20 - 3.4.41`, both included. */

export interface VersionRange {
  readonly from: Version;
  readonly to: Version;
  /** As it was written. */
  readonly text: string;
}

type Version = readonly [major: number, minor: number, patch: number];

/** Undefined for anything but one version, or a first and a last. */
export function parseRange(text: string): VersionRange | undefined {
  const [first = '', last = first, ...more] = text.split(/\s+-\s+/);
  const from = parseVersion(first);
  const to = parseVersion(last);
  if (from === undefined || to === undefined || more.length > 0) return undefined;
  return compare(from, to) > 0 ? undefined : { from, to, text };
}

/** A version that cannot be read is in none. What follows the patch level, such as `-rc.1`, is ignored. */
export function isWithin(version: string, ranges: readonly VersionRange[]): boolean {
  const found = parseVersion(version.replace(/^v/, '').replace(/[-+].*$/, ''));
  if (found === undefined) return false;
  return ranges.some(({ from, to }) => compare(from, found) <= 0 && compare(found, to) <= 0);
}

function parseVersion(text: string): Version | undefined {
  const [, major, minor, patch] = /^(\d{1,6})\.(\d{1,6})\.(\d{1,6})$/.exec(text.trim()) ?? [];
  return major === undefined ? undefined : [Number(major), Number(minor), Number(patch)];
}

function compare(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}
