import { describe, expect, test } from 'vitest';
import { refusal, settings } from './flags-testing.ts';
import { goDurationMs } from './flags-upkeep.ts';
import type { NodeConfig } from './server/config.ts';

function told(...args: string[]): NodeConfig {
  return settings(...args).config;
}

const HOUR_MS = 3_600_000;

describe('the quota', () => {
  test('is 2 GiB by default, as many bytes as are said, or has no end', () => {
    expect(told('--quota-backend-bytes=0').quotaBytes).toBe(2_147_483_648);
    expect(told('--quota-backend-bytes=16777216').quotaBytes).toBe(16_777_216);
    expect(told('--quota-backend-bytes=-1').quotaBytes).toBeUndefined();
    expect(told('--quota-backend-bytes=8589934592').quotaBytes).toBe(8_589_934_592);
  });

  test('is refused beyond 8 GiB', () => {
    expect(refusal('--quota-backend-bytes=8589934593')).toContain('at most 8589934592 (8 GiB)');
    expect(refusal('--quota-backend-bytes=2GB')).toContain('Write a number of bytes');
  });
});

describe('auto-compaction', () => {
  test('is off by default, and with a retention of nothing', () => {
    for (const retention of ['0', '0s', '0h'])
      expect(told(`--auto-compaction-retention=${retention}`).autoCompaction).toBeUndefined();
    expect(told('--auto-compaction-mode=revision').autoCompaction).toBeUndefined();
  });

  test.each([
    ['1', HOUR_MS],
    ['72', 72 * HOUR_MS],
    ['10m', 600_000],
    ['1h30m', 1.5 * HOUR_MS],
    ['1.5h', 1.5 * HOUR_MS],
    ['500ms', 500],
  ])('periodic: %s', (text, retentionMs) => {
    const expected = { mode: 'periodic', retentionMs };
    expect(told(`--auto-compaction-retention=${text}`).autoCompaction).toEqual(expected);
  });

  test('by revision', () => {
    const { autoCompaction } = told(
      '--auto-compaction-mode=revision',
      '--auto-compaction-retention=1000',
    );
    expect(autoCompaction).toEqual({ mode: 'revision', retention: 1_000 });
  });

  test.each([
    [['--auto-compaction-mode=hourly'], 'Allowed choices are periodic, revision'],
    [['--auto-compaction-retention=soon'], "'soon' is neither a number of hours nor a duration"],
    [['--auto-compaction-retention=-1'], "'-1' is neither a number of hours nor a duration"],
    [
      ['--auto-compaction-mode=revision', '--auto-compaction-retention=1h'],
      "'1h' is not a number of revisions",
    ],
  ])('%o is refused', (args, message) => {
    expect(refusal(...args)).toContain(message);
  });
});

test('members are compared only when they are told to', () => {
  const { corruptCheckMs, checksCorruptionAtStart } = told();
  expect([corruptCheckMs, checksCorruptionAtStart]).toEqual([undefined, undefined]);
  expect(
    told('--experimental-initial-corrupt-check', '--experimental-corrupt-check-time=1m30s'),
  ).toMatchObject({ corruptCheckMs: 90_000, checksCorruptionAtStart: true });
  expect(refusal('--experimental-corrupt-check-time=often')).toContain('Write a duration');
});

test('durations are read as Go reads them', () => {
  expect(['0', '1us', '2h45m', '1m0.5s'].map(goDurationMs)).toEqual([0, 0.001, 9_900_000, 60_500]);
  expect(['', '5', '1d', 'h', '-1s', '1h 2m'].map(goDurationMs)).toEqual(Array(6).fill(undefined));
});
