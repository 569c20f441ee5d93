import { describe, expect, test } from 'vitest';
import { againCommand, checkCommand, lastFailedCommand } from './command.ts';
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

describe('the command that runs what did not pass', () => {
  test.each([
    ['run -c a.ts --last-failed', 'run -c a.ts --last-failed'],
    ['run --last-failed s1234 -x', 'run -x --last-failed'],
    ['run --last-failed=s1234 --shard 1/2 -o x', 'run --shard 1/2 -o x --last-failed'],
    ['merge a.zip', 'run --last-failed'],
  ])('of %s', (words, command) => {
    expect(lastFailedCommand({ argv: words.split(' ') })).toBe(`npx schism ${command}`);
  });

  test('of joined shards asks for all of them, where they are kept now', () => {
    const argv = 'run --shard 1/2 --project p -o shard-1 --output=shard-1 --shard=1/2'.split(' ');
    const mergedFrom = ['1/2', '2/2'];
    expect(lastFailedCommand({ argv, mergedFrom })).toBe(
      'npx schism run --project p --last-failed',
    );
  });
});
