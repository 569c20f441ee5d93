import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { realClock, sleep } from '../../harness/core/clock.ts';
import { silentLog } from '../../harness/core/log.ts';
import { Random, seedFrom } from '../../harness/core/prng.ts';
import { noUndo } from '../../harness/protocols/undo.ts';
import { isEnded, readStat } from '../../harness/runner/watchdog-proc.ts';
import type { Restoration } from './member-admin.ts';
import { ProcessRestorer, type RestorePrograms } from './process-restorer.ts';

const clock = realClock();

interface Place extends AsyncDisposable {
  readonly dir: string;
  readonly restorer: ProcessRestorer;
}

/** Programs are lines of a shell; `$1` is the file of the backup, or the folder of the member. */
async function restorerWith(tool: string, member: string, bytesMax?: number): Promise<Place> {
  await using stack = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), 'schism-restorer-'));
  stack.defer(() => rm(dir, { recursive: true, force: true }));
  const shell = (
    line: string,
    ...args: readonly string[]
  ): ReturnType<RestorePrograms['tool']> => ({
    file: 'sh',
    args: ['-c', line, 'sh', ...args],
  });
  const request = {
    backend: 'process',
    nodes: ['n1'],
    clock,
    log: silentLog,
    random: Random.stream(seedFrom(1), 'test'),
    runId: 'test',
    dir,
    undo: noUndo,
    options: {},
  } as const;
  const restorer = stack.use(
    new ProcessRestorer(
      request,
      {
        tool: (file, { dataDir }) =>
          tool === 'missing'
            ? { file: 'no-such-tool', args: [] }
            : shell(`${tool}; mkdir "$2"`, file, dataDir),
        member: ({ dataDir }) => shell(`echo $$ > ${dir}/member; ${member}`, dataDir),
      },
      bytesMax,
    ),
  );
  const owned = stack.move();
  return { dir, restorer, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function begun(restorer: ProcessRestorer): Restoration {
  const restoration = restorer.begin('n1');
  expect.assert(restoration !== undefined);
  return restoration;
}

async function pidIn(path: string): Promise<number> {
  while (!existsSync(path) || readFileSync(path, 'utf8') === '') await sleep(clock, 10);
  return Number(readFileSync(path, 'utf8'));
}

function lives(pid: number): boolean {
  const stat = readStat(pid);
  return stat !== undefined && !isEnded(stat);
}

describe('a backup that cannot be restored', () => {
  test.each([
    [
      'the tool refuses it',
      'echo its hash is wrong; exit 3',
      'sleep 60',
      'bad-input',
      'exit code 3',
    ],
    ['no member runs on it', 'true', 'echo panic; exit 2', 'bad-input', 'exit code 2): panic'],
    ['the member never serves', 'true', 'sleep 60', 'deadline', 'did not serve in 2000 ms'],
    ['the tool never ends', 'sleep 60', 'sleep 60', 'deadline', 'restore: not done after'],
    ['there is no tool', 'missing', 'sleep 60', 'binary-missing', "'no-such-tool' was not found"],
  ])('%s', async (_, tool, member, code, says) => {
    await using place = await restorerWith(tool, member);
    const restoration = begun(place.restorer);
    restoration.take(Buffer.from('a backup'));
    // The others end by themselves, whenever that is.
    const timeoutMs = code === 'deadline' ? 2_000 : 20_000;
    await expect(restoration.restore(timeoutMs)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(says),
    });
    await restoration[Symbol.asyncDispose]();
    // Only what was streamed is kept.
    expect(await readdir(join(place.dir, 'restored', 'data'))).toEqual(['1.backup']);
    const kept = readFileSync(join(place.dir, 'restored', 'data', '1.backup'), 'utf8');
    expect(kept).toBe('a backup');
    if (existsSync(join(place.dir, 'member')))
      expect(lives(await pidIn(join(place.dir, 'member')))).toBe(false);
  });
});

test('what is under way ends with its owner, and nothing begins any more', async () => {
  await using place = await restorerWith('true', 'exec sleep 60');
  const restoration = begun(place.restorer);
  const restoring = restoration.restore(20_000);
  restoring.catch(() => undefined);
  const pid = await pidIn(join(place.dir, 'member'));
  expect(lives(pid)).toBe(true);
  await place.restorer[Symbol.asyncDispose]();
  expect(lives(pid)).toBe(false);
  await expect(restoring).rejects.toMatchObject({ code: 'deadline' });
  expect(place.restorer.begin('n1')).toBeUndefined();
});

test('one is restored at a time, and the files of the last four are kept', async () => {
  await using place = await restorerWith('true', 'true');
  for (let count = 0; count < 6; count++) {
    const restoration = begun(place.restorer);
    expect(place.restorer.begin('n1')).toBeUndefined();
    await restoration[Symbol.asyncDispose]();
  }
  const kept = await readdir(join(place.dir, 'restored', 'data'));
  expect(kept.toSorted()).toEqual(['3.backup', '4.backup', '5.backup', '6.backup']);
});

test('a backup that is too large is refused while it comes', async () => {
  await using place = await restorerWith('true', 'true', 1_000);
  const restoration = begun(place.restorer);
  restoration.take(new Uint8Array(1_000));
  expect(() => restoration.take(new Uint8Array(1))).toThrow('a backup of more than 1000 bytes');
  await restoration[Symbol.asyncDispose]();
});

test('a folder that cannot be written to is said to be the trouble', async () => {
  await using place = await restorerWith('true', 'true');
  await writeFile(join(place.dir, 'restored'), 'a file in its place');
  expect(() => place.restorer.begin('n1')).toThrow('no file for a backup: ');
});
