/** How tests of flags ask. */
import { expect } from 'vitest';
import { HarnessError } from '../../harness/core/errors.ts';
import { parseFlags, type Settings } from './flags.ts';

export function settings(...args: string[]): Settings {
  const parsed = parseFlags(args);
  expect.assert(parsed.type === 'settings');
  return parsed.settings;
}

/** The one line that says why, or `accepted`. */
export function refusalOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect.assert(error instanceof HarnessError);
    expect(error.code).toBe('bad-option');
    expect(error.message).not.toContain('\n');
    return error.message;
  }
  return 'accepted';
}

export function refusal(...args: string[]): string {
  return refusalOf(() => parseFlags(args));
}
