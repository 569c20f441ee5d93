import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { addRunFlags, defaultFlags, type Flags, translateFlags } from './flags.ts';

function flagsOf(...words: readonly string[]): Flags {
  const command = addRunFlags(new Command('run').argument('[filter...]')).exitOverride();
  command.configureOutput({ writeErr: () => undefined });
  return command.parse(translateFlags(words), { from: 'user' }).opts<Flags>();
}

describe('the command line', () => {
  test('knows what other tools call it', () => {
    const jepsen = [
      '--nemesis',
      'kill',
      '--time-limit',
      '60',
      '--concurrency=3n',
      '--test-count=4',
    ];
    expect(flagsOf(...jepsen)).toMatchObject({
      fault: 'kill',
      duration: '60s',
      clients: '3n',
      repeatEach: '4',
    });
    expect(flagsOf('--time-limit=2m').duration).toBe('2m');
  });

  test('takes short names, and lists that are given in parts', () => {
    const words = ['-x', '-v', '-g', 'a b', '-j', '2', '-c', 'c.ts', '--project', 'a,b'];
    expect(flagsOf(...words, '--project', 'c', '--reporter', 'line,junit')).toMatchObject({
      failFast: true,
      verbose: true,
      grep: 'a b',
      workers: '2',
      config: 'c.ts',
      project: ['a,b', 'c'],
      reporter: ['line,junit'],
    });
  });

  test('tells a flag that was turned off from one that was not given', () => {
    expect(flagsOf('--last-failed')).toMatchObject({ lastFailed: true });
    expect(flagsOf('--last-failed', 's12')).toMatchObject({ lastFailed: 's12' });
    expect(flagsOf('--no-forbid-only', '--no-input')).toMatchObject({
      forbidOnly: false,
      input: false,
    });
    const { forbidOnly, passWithNoTests, requireFaults, project, lastFailed } = defaultFlags();
    expect([forbidOnly, passWithNoTests, requireFaults, project, lastFailed]).toEqual(
      Array.from({ length: 5 }),
    );
    expect(defaultFlags()).toMatchObject({ duration: '30s', output: '.schism', input: true });
  });

  test('refuses what it does not know, and says what may have been meant', () => {
    expect(() => flagsOf('--shrad', '1/2')).toThrow(/Did you mean --shard\?/);
    expect(() => flagsOf('--repeat-ech', '2')).toThrow(/Did you mean --repeat-each\?/);
  });
});
