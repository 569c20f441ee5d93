import { expect, test } from 'vitest';
import { isWithin, parseRange } from './versions.ts';

const RANGES = ['3.4.20 - 3.4.41', '3.5.0 - 3.5.27', '3.6.2'].flatMap(
  (text) => parseRange(text) ?? [],
);

test.each(['3.4.20', '3.4.23', '3.4.41', 'v3.5.0', '3.5.9-rc.1', '3.6.2+git', '3.6.2'])(
  '%s lies in one of the ranges, both ends of which belong to it',
  (version) => {
    expect(isWithin(version, RANGES)).toBe(true);
  },
);

test.each(['3.4.19', '3.4.42', '3.5.28', '3.6.1', '3.6.3', '4.0.0', '3.4', 'main', ''])(
  '%s lies in none',
  (version) => {
    expect(isWithin(version, RANGES)).toBe(false);
  },
);

test.each(['3.4', '3.4.1 to 3.4.2', '3.4.2 - 3.4.1', '3.4.1 - 3.4.2 - 3.4.3', '', 'x - y'])(
  "'%s' is no range",
  (text) => {
    expect(parseRange(text)).toBeUndefined();
  },
);
