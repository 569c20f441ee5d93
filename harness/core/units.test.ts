import { describe, expect, test } from 'vitest';
import { EXIT, exitCodeOf, HarnessError, messageOf, systemCodeOf } from './errors.ts';
import { invariant, unreachable } from './invariant.ts';
import { parseDurationMs, secondsText } from './units.ts';

describe('durations', () => {
  test.each([
    ['500ms', 500],
    ['60s', 60_000],
    ['1.5m', 90_000],
    ['2h', 7_200_000],
  ])('%s', (text, ms) => {
    expect(parseDurationMs(text, '--duration')).toBe(ms);
  });

  test('protocol units need a protocol', () => {
    expect(parseDurationMs('3el', 'x', { electionMs: 500, heartbeatMs: 50 })).toBe(1500);
    expect(parseDurationMs('4hb', 'x', { electionMs: 500, heartbeatMs: 50 })).toBe(200);
    expect(() => parseDurationMs('3el', '--duration')).toThrow("'3el' is not a duration");
  });

  test.each(['', '60', 's', '-1s', '1 fortnight', '1e3s'])('%j is refused', (text) => {
    expect(() => parseDurationMs(text, '--duration')).toThrow('--duration');
  });

  test('seconds for people', () => {
    expect(secondsText(72_908_330_115)).toBe('72.908');
  });
});

describe('errors', () => {
  test('options are 254, nothing selected 4, the machine 3', () => {
    expect(exitCodeOf('bad-option')).toBe(EXIT.badArguments);
    expect(exitCodeOf('bad-input')).toBe(EXIT.badArguments);
    expect(exitCodeOf('nothing-selected')).toBe(EXIT.nothingSelected);
    expect(exitCodeOf('port-in-use')).toBe(EXIT.infrastructure);
  });

  test('a message is one line, whatever was thrown', () => {
    expect(messageOf(new Error('a\n  b'))).toBe('a b');
    expect(messageOf('text')).toBe('text');
    expect(systemCodeOf(Object.assign(new Error('x'), { code: 'ENOENT' }))).toBe('ENOENT');
    expect(systemCodeOf(new HarnessError('deadline', 'x'))).toBe('deadline');
    expect(systemCodeOf('x')).toBeUndefined();
  });

  test('our own bugs have their own error', () => {
    expect(() => {
      invariant(false, 'index is dense');
    }).toThrow('index is dense');
    expect(() => unreachable('x' as never)).toThrow('unexpected case: "x"');
  });
});
