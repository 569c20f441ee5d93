import { expect, test } from 'vitest';
import { NO_FASTER_CALLS, withoutFasterCalls } from './v8-flags.ts';

test('processes of tests have the flag from their beginning, and to set it again is no mistake', () => {
  expect(process.execArgv).toContain(NO_FASTER_CALLS);
  expect(withoutFasterCalls).not.toThrow();
});
