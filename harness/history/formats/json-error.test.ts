import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonErrorAt } from './json-error.ts';

const BROKEN: readonly (readonly [text: string, at: number])[] = [
  ['', 0],
  ['{', 1],
  ['{"a":}', 5],
  ['{"a" 1}', 5],
  ['{"a":1,}', 7],
  ['[1,]', 3],
  ['[1 2]', 3],
  ['{"a":[1}', 7],
  ['{"a":1]', 6],
  ['{a:1}', 1],
  ['[01]', 1],
  ['[1.]', 1],
  ['[nul]', 1],
  ['["x]', 1],
  [String.raw`["\q"]`, 1],
  ['[1] 2', 4],
  ['{"a":1', 6],
];

test.each(BROKEN)('%s', (text, at) => {
  expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError);
  expect(jsonErrorAt(text)).toBe(at);
});

test('a text that was cut or spoilt goes wrong no later than where that was', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 3 }), fc.nat(), (json, cut) => {
      const text = `[${json}]`;
      const at = cut % text.length;
      expect(jsonErrorAt(text.slice(0, at))).toBeLessThanOrEqual(at);
      expect(jsonErrorAt(text)).toBe(text.length);
      expect(jsonErrorAt(`${text}#`)).toBe(text.length);
    }),
  );
});
