import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { realClock } from '../../harness/core/clock.ts';
import { silentLog } from '../../harness/core/log.ts';
import { noUndo } from '../../harness/protocols/undo.ts';
import { readStat } from '../../harness/runner/watchdog-proc.ts';
import { launcherIn } from './program.ts';

const context = { undo: noUndo, clock: realClock(), log: silentLog };
let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'schism-program-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const shell = (script: string): { name: string; file: string; args: string[] } => {
  return { name: 'link server', file: 'sh', args: ['-c', script] };
};

describe('launcherIn', () => {
  test('the first whole line of its output, and none of its errors', async () => {
    const launch = launcherIn(dir, context);
    const script = 'echo warning >&2; printf first; sleep 0.1; echo " line"; exec sleep 1000';
    for (const _ of [1, 2]) {
      await using program = await launch(shell(script));
      expect(await program.firstLine).toBe('first line');
      // Running or asleep: it may be just about to become the sleep.
      expect(['R', 'S', 'D']).toContain(readStat(program.pid)?.state);
      await program[Symbol.asyncDispose]();
      expect(readStat(program.pid)).toBeUndefined();
    }
  });

  test('one that ends at once may still have said its line', async () => {
    await using program = await launcherIn(dir, context)(shell('echo done'));
    expect(await program.firstLine).toBe('done');
  });

  test('one that ends without a line: how, and its last words', async () => {
    await using program = await launcherIn(dir, context)(shell('echo no port >&2; exit 3'));
    await expect(program.firstLine).rejects.toMatchObject({
      code: 'process-failed',
      message: 'link server ended (exit code 3) without a word',
      details: 'no port',
    });
  });
});
