import { describe, expect, test } from 'vitest';
import { againCommand } from './command.ts';
import { fixtureManifest } from './testing/fixture-result.ts';

describe('the command that runs the same again', () => {
  test.each([
    ['no flags', ['run'], 'npx schism run --seed 0x5eed1234'],
    [
      'a seed before',
      ['run', '--seed', '7', '--rate', '5'],
      'npx schism run --rate 5 --seed 0x5eed1234',
    ],
    ['a seed with =', ['run', '--seed=7'], 'npx schism run --seed 0x5eed1234'],
    [
      'a path to the program',
      ['node', 'main.ts', 'run', '-x'],
      'npx schism run -x --seed 0x5eed1234',
    ],
    [
      'words for a shell',
      ['run', '--promise', "a b'c"],
      String.raw`npx schism run --promise 'a b'\''c' --seed 0x5eed1234`,
    ],
  ])('%s', (_, argv, command) => {
    expect(againCommand(fixtureManifest({ argv }))).toBe(command);
  });
});
