import { expect, test } from 'vitest';
import { VirtualClock } from '../../harness/core/clock.ts';
import { jsonLog } from './json-log.ts';

function logged(level: 'debug' | 'warn', say: (log: ReturnType<typeof jsonLog>) => void): string[] {
  const lines: string[] = [];
  say(jsonLog(level, new VirtualClock(), (line) => lines.push(line)));
  return lines;
}

test('an entry is one line of JSON with level, time, message and fields', () => {
  const lines = logged('debug', (log) => log.info('two\nlines', { term: 3, big: 5n }));
  expect(lines).toEqual([
    '{"level":"info","ts":"1970-01-01T00:00:00.000Z","msg":"two\\nlines","term":3,"big":"5"}\n',
  ]);
});

test('an error is logged with where it came from', () => {
  const [line] = logged('debug', (log) => log.error('x', { error: new Error('broken') }));
  expect(line).toContain('Error: broken\\n    at');
});

test('what is below the level is left out, and what is fatal never is', () => {
  const lines = logged('warn', (log) => {
    log.info('a');
    log.warn('b');
    log.fatal('c');
  });
  expect(lines.map((line) => (JSON.parse(line) as { level: string }).level)).toEqual([
    'warn',
    'fatal',
  ]);
});
