import { describe, expect, test } from 'vitest';
import { againCommand, checkCommand } from './command.ts';
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

describe('the command that judges the same again', () => {
  const judged = (argv: readonly string[], startedAt: string): string =>
    checkCommand({ ...fixtureManifest({ argv }), startedAt });

  test('names the run, and where runs are kept', () => {
    const argv = ['run', '-o', 'my runs', '--rate', '5'];
    expect(judged(argv, '2026-01-01T00:00:00Z')).toBe("npx schism check 7f3a -o 'my runs'");
  });

  test('repeats all that was said of a history that came alone', () => {
    const argv = ['check', 'my history.edn', '--model', 'mutex'];
    expect(judged(argv, '')).toBe("npx schism check 'my history.edn' --model mutex");
  });

  test('cannot read standard input twice', () => {
    expect(judged(['check', '-'], '')).toBe('');
  });
});
