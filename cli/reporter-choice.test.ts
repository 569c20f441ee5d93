import { describe, expect, test } from 'vitest';
import { HarnessError } from '../harness/core/errors.ts';
import { chooseReporters, isAsked, REPORTER_NAMES } from './reporter-choice.ts';

const TERMINAL = { env: {}, isTty: true };

describe('the voice, where nobody asked for one', () => {
  test.each([
    ['live', 'on a terminal', {}, true],
    ['line', 'in a pipe', {}, false],
    ['line', 'in CI, even with a terminal', { CI: 'true' }, true],
    ['minimal', 'where a coding agent reads', { CLAUDECODE: '1' }, true],
    ['minimal', 'where a coding agent reads from a pipe', { CURSOR_AGENT: '1' }, false],
    ['live', 'where the variable of an agent is empty', { AI_AGENT: '' }, true],
  ] as const)('%s: %s', (voice, _, env, isTty) => {
    expect(chooseReporters({ env, isTty }).voice).toBe(voice);
  });
});

test('names on the command line stand instead of those of the config, added ones beside', () => {
  const configured = ['minimal', ['junit', { outputFile: 'out/junit.xml' }]] as const;
  const own = chooseReporters(TERMINAL, {}, configured);
  expect(own).toMatchObject({
    voice: 'minimal',
    files: [{ name: 'junit', outputFile: 'out/junit.xml' }],
  });
  const flags = { reporter: ['line,blob'], addReporter: ['perfetto', 'json'] };
  const flagged = chooseReporters(TERMINAL, flags, configured);
  expect(flagged.voice).toBe('line');
  expect(flagged.files).toEqual([{ name: 'blob' }, { name: 'perfetto' }, { name: 'json' }]);
  expect(isAsked(flagged, 'blob')).toBe(true);
  expect(isAsked(flagged, 'junit')).toBe(false);
  expect(chooseReporters(TERMINAL, { addReporter: 'html' }, configured).files).toHaveLength(2);
});

test('what redraws itself needs a terminal', () => {
  expect(chooseReporters({ env: {}, isTty: false }, { reporter: 'live' }).voice).toBe('line');
  expect(chooseReporters({ env: { CI: '1' }, isTty: true }, { reporter: 'live' }).voice).toBe(
    'live',
  );
});

test.each([
  [true, 'by who sits there', {}, {}],
  [false, 'in CI', { reporter: 'live' }, { CI: '1' }],
  [false, 'with --no-input', { input: false }, {}],
  [false, 'with --json', { json: true }, {}],
  [false, 'with --quiet', { quiet: true }, {}],
  [false, 'where no block is shown', { reporter: 'line' }, {}],
])('keys are taken: %s %s', (takesKeys, _, flags, env) => {
  expect(chooseReporters({ env, isTty: true }, flags).takesKeys).toBe(takesKeys);
});

describe('what cannot be', () => {
  test.each([
    [{ reporter: 'junti' }, "--reporter: there is no reporter 'junti' (did you mean 'junit'?)"],
    [{ addReporter: ['dot'] }, "--add-reporter: there is no reporter 'dot'"],
    [{ reporter: 'line,' }, "--reporter: there is no reporter ''"],
  ])('%j is one line', (flags, message) => {
    expect(() => chooseReporters(TERMINAL, flags)).toThrow(HarnessError);
    expect(() => chooseReporters(TERMINAL, flags)).toThrow(message);
  });

  test('a file for one who writes none', () => {
    const asked = [['live', { outputFile: 'x' }]] as const;
    expect(() => chooseReporters(TERMINAL, {}, asked)).toThrow(
      "reporters: reporter 'live' writes no file",
    );
  });

  test('every name there is can be asked for', () => {
    for (const name of REPORTER_NAMES)
      expect(() => chooseReporters(TERMINAL, { reporter: name })).not.toThrow();
  });
});
