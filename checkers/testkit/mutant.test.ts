import { expect, test } from 'vitest';
import { InvariantError } from '../../harness/core/invariant.ts';
import { mutantOf } from './mutant.ts';

const SOURCE = new URL('../sequential/first-index.ts', import.meta.url);

test('changes a module beside the real one', async () => {
  const mutation = {
    without: 'the count',
    replace: 'let [low, high] = [0, count];',
    by: 'let [low, high] = [1, count];',
  };
  const { firstIndex } = (await mutantOf(
    SOURCE,
    mutation,
  )) as typeof import('../sequential/first-index.ts');
  expect(firstIndex(5, () => true)).toBe(1);
  const real = await import('../sequential/first-index.ts');
  expect(real.firstIndex(5, () => true)).toBe(0);
});

test.for(['not there', 'low'])(
  'refuses a text that is not there exactly once: %s',
  async (replace) => {
    await expect(mutantOf(SOURCE, { without: '', replace, by: '' })).rejects.toThrow(
      InvariantError,
    );
  },
);
