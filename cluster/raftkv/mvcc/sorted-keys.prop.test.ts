import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SortedKeys } from './sorted-keys.ts';

/** A plain sorted list is the model. Enough keys that chunks are split and emptied. */
test('is a sorted list, whatever comes and goes', () => {
  const key = fc.integer({ min: 0, max: 3000 }).map((n) => n.toString(7));
  fc.assert(
    fc.property(
      fc.array(key, { minLength: 500, maxLength: 3000, size: 'max' }),
      fc.array(key, { maxLength: 2000, size: 'max' }),
      fc.array(fc.tuple(key, fc.option(key, { nil: undefined })), { maxLength: 10 }),
      (added, removed, ranges) => {
        const sorted = new SortedKeys<{ readonly text: string }>();
        const model = new Set(added);
        for (const text of model) sorted.add({ text });
        for (const text of removed) {
          sorted.remove(text);
          model.delete(text);
        }
        expect(sorted.size).toBe(model.size);
        const all = [...model].toSorted();
        for (const [from, to] of [['', undefined] as const, ...ranges]) {
          const expected = all.filter((text) => text >= from && (to === undefined || text < to));
          expect(sorted.between(from, to).map(({ text }) => text)).toEqual(expected);
        }
      },
    ),
    { numRuns: 30 },
  );
});
