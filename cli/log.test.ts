import { expect, test } from 'vitest';
import type { RunManifest } from '../harness/protocols/run.ts';
import { openLog } from './log.ts';

test('a full disk costs lines of the log, and nobody else anything', () => {
  const manifest = { run: 'abcd', argv: [], config: { seed: 1 } } as unknown as RunManifest;
  using opened = openLog('/dev/full', manifest);
  expect(() => {
    opened.log.error('the disk is full');
    opened.log.warn('still');
  }).not.toThrow();
});
