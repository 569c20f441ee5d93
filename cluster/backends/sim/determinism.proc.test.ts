import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { playScenario } from './testing-scenario.ts';

test('other processes play the same run from the same seed', async () => {
  const script = join(import.meta.dirname, 'scenario-main.ts');
  const play = async (seed: number): Promise<unknown> =>
    JSON.parse((await execa(process.execPath, [script, `${seed}`])).stdout) as unknown;
  const [first, second, other] = await Promise.all([play(7), play(7), play(8)]);
  expect(first).toEqual(await playScenario(7));
  expect(second).toEqual(first);
  expect(other).not.toEqual(first);
});
