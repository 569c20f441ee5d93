import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { realClock, sleep } from '../core/clock.ts';
import { silentLog } from '../core/log.ts';
import { cleanLeftovers, findLeftovers } from './sweep.ts';
import { startWatchdog } from './undo.ts';
import { isAlive, readEnvironment, readStat } from './watchdog-proc.ts';

const clock = realClock();
/** What a signal does shows when the process has had its turn. */
const SOON = { timeout: 5_000, interval: 10 };
let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'schism-watchdog-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/**
 * A harness that is about to die: a watchdog, one child that was entered and stopped, one deaf
 * child that was entered, one that was not, one in a foreign group, a file and a command.
 */
const PARENT = `
import { spawn } from 'node:child_process';
const [undoUrl, procUrl, clockUrl, logUrl, dir] = process.argv.slice(1);
const { startWatchdog } = await import(undoUrl);
const { readCommand, readStat } = await import(procUrl);
const { realClock, sleep } = await import(clockUrl);
const { silentLog } = await import(logUrl);
const undo = await startWatchdog({ runId: 'doomed', clock: realClock(), log: silentLog,
  logPath: dir + '/watchdog.log' });
const start = (script) => {
  const env = { ...process.env, ...undo.env };
  return spawn('sh', ['-c', script], { env, detached: true, stdio: 'ignore' }).pid;
};
await undo.add({ kind: 'remove', path: dir + '/netns' });
await undo.add({ kind: 'command', file: 'touch', args: [dir + '/commanded'] });
const withdraw = await undo.add({ kind: 'command', file: 'touch', args: [dir + '/withdrawn'] });
withdraw();
const stopped = start('exec sleep 1000');
const deaf = start("trap '' TERM INT HUP; sleep 1000 & wait");
const unknown = start('sleep 1000; true');
const escaped = start('setsid sleep 1000 & wait');
for (const pid of [stopped, deaf])
  await undo.add({ kind: 'process', pid, startTime: readStat(pid).startTime });
// A pid that somebody else has now: the watchdog must leave it alone.
await undo.add({ kind: 'process', pid: process.ppid, startTime: '1' });
while (readCommand(stopped) !== 'sleep 1000') await sleep(realClock(), 5);
process.kill(stopped, 'SIGSTOP');
console.log(JSON.stringify({ watchdog: undo.pid, children: [stopped, deaf, unknown, escaped] }));
// Its children keep it alive.
await Promise.withResolvers().promise;
`;

interface Doomed extends AsyncDisposable {
  readonly pid: number;
  readonly watchdog: number;
  readonly children: readonly number[];
  kill(): Promise<void>;
}

async function startDoomed(): Promise<Doomed> {
  const urls = ['./undo.ts', './watchdog-proc.ts', '../core/clock.ts', '../core/log.ts'].map(
    (path) => new URL(path, import.meta.url).href,
  );
  const args = ['--input-type=module', '-e', PARENT, ...urls, dir];
  const parent = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(parent, 'exit');
  const kill = async (): Promise<void> => {
    parent.kill('SIGKILL');
    await ended;
  };
  const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string];
  const told = JSON.parse(line) as { watchdog: number; children: number[] };
  return { pid: parent.pid ?? 0, ...told, kill, [Symbol.asyncDispose]: kill };
}

const living = (pids: readonly number[]): number[] =>
  pids.filter((pid) => isAlive(pid, readStat(pid)?.startTime ?? ''));

async function awaitNone(pids: readonly number[], ms: number): Promise<number[]> {
  const deadline = clock.now() + ms * 1e6;
  while (living(pids).length > 0 && clock.now() < deadline) await sleep(clock, 20);
  return living(pids);
}

describe('the watchdog', () => {
  test('after kill -9 of the harness everything is undone within five seconds', async () => {
    mkdirSync(join(dir, 'netns'));
    writeFileSync(join(dir, 'netns', 'file'), '');
    await using doomed = await startDoomed();
    await expect.poll(() => readStat(doomed.children[0] ?? 0)?.state, SOON).toBe('T');
    expect(living(doomed.children)).toHaveLength(4);

    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.kill(doomed.watchdog, signal);
    await sleep(clock, 50);
    expect(living([doomed.watchdog])).toHaveLength(1);

    await doomed.kill();
    const before = clock.now();
    expect(await awaitNone([...doomed.children, doomed.watchdog], 5_000)).toEqual([]);
    expect((clock.now() - before) / 1e6).toBeLessThan(5_000);
    expect(existsSync(join(dir, 'netns'))).toBe(false);
    expect(existsSync(join(dir, 'commanded'))).toBe(true);
    expect(existsSync(join(dir, 'withdrawn'))).toBe(false);
    expect(findLeftovers().filter(({ run }) => run === 'doomed')).toEqual([]);
  });

  test('a watchdog that works is no leftover; what it watches is none while the owner lives', async () => {
    await using doomed = await startDoomed();
    const mine = [...doomed.children, doomed.watchdog];
    expect(findLeftovers().filter(({ pid }) => mine.includes(pid))).toEqual([]);
    expect(readEnvironment(doomed.watchdog).has('SCHISM_RUN')).toBe(false);
    await doomed.kill();
    expect(findLeftovers().map(({ pid }) => pid)).not.toContain(doomed.watchdog);
    expect(await awaitNone(mine, 5_000)).toEqual([]);
  });

  test('when the watchdog is lost as well, the sweep finds and ends all of it', async () => {
    await using doomed = await startDoomed();
    process.kill(doomed.watchdog, 'SIGSTOP');
    await doomed.kill();
    await expect.poll(() => readStat(doomed.watchdog)?.state, SOON).toBe('T');
    const mine = (): ReturnType<typeof findLeftovers> =>
      findLeftovers().filter(({ owner }) => owner.startsWith(`${doomed.pid}:`));
    const found = mine().map(({ pid }) => pid);
    expect(found).toEqual(expect.arrayContaining([...doomed.children, doomed.watchdog]));
    expect(mine().find(({ pid }) => pid === doomed.children[0])).toMatchObject({
      run: 'doomed',
      state: 'T',
      command: 'sleep 1000',
    });
    expect(await cleanLeftovers(clock, mine())).toEqual([]);
    expect(living([...found, ...doomed.children])).toEqual([]);
  });

  test('an orderly end undoes what is still entered, and says so', async () => {
    const warnings: unknown[] = [];
    const log = { ...silentLog, warn: (_: string, fields?: unknown) => warnings.push(fields) };
    const child = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' });
    const ended = once(child, 'exit');
    const pid = child.pid ?? 0;
    const watchdog = await startWatchdog({ runId: 'orderly', clock, log });
    await watchdog.add({ kind: 'process', pid, startTime: readStat(pid)?.startTime ?? '' });
    await watchdog[Symbol.asyncDispose]();
    expect((await ended)[1]).toBe('SIGKILL');
    expect(warnings).toEqual([{ undone: [`killed process group ${pid}`] }]);
    expect(await awaitNone([watchdog.pid], 5_000)).toEqual([]);
  });

  test('a command with a time of its own holds nothing up, and what it says is told', async () => {
    const warnings: { readonly undone: readonly string[] }[] = [];
    const log = {
      ...silentLog,
      warn: (_: string, fields: unknown) => warnings.push(fields as { undone: string[] }),
    };
    const watchdog = await startWatchdog({ runId: 'slow', clock, log });
    // Longer than all commands without a time of their own may take together.
    const script = `sleep 4; test ! -e ${dir}/first && echo went last`;
    writeFileSync(join(dir, 'first'), '');
    await watchdog.add({ kind: 'remove', path: join(dir, 'first') });
    await watchdog.add({ kind: 'command', file: 'sh', args: ['-c', script], timeoutMs: 20_000 });
    await watchdog.add({ kind: 'command', file: 'sleep', args: ['60'], timeoutMs: 100 });
    await watchdog[Symbol.asyncDispose]();
    expect(warnings).toEqual([
      {
        undone: [
          `removed ${dir}/first`,
          'ran sleep 60: SIGKILL',
          `ran sh -c ${script}: 0: went last`,
        ],
      },
    ]);
  });

  test('an orderly end with nothing left is silent', async () => {
    const warnings: string[] = [];
    const log = { ...silentLog, warn: (message: string) => warnings.push(message) };
    const watchdog = await startWatchdog({ runId: 'quiet', clock, log });
    const withdraw = await watchdog.add({ kind: 'remove', path: dir });
    withdraw();
    await watchdog[Symbol.asyncDispose]();
    withdraw();
    expect(warnings).toEqual([]);
    expect(existsSync(dir)).toBe(true);
  });

  test('a released one undoes nothing', async () => {
    const child = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' });
    const ended = once(child, 'exit');
    const pid = child.pid ?? 0;
    {
      await using watchdog = await startWatchdog({ runId: 'released', clock, log: silentLog });
      await watchdog.add({ kind: 'process', pid, startTime: readStat(pid)?.startTime ?? '' });
      await watchdog.add({ kind: 'remove', path: dir });
      watchdog.release();
    }
    expect(living([pid])).toEqual([pid]);
    expect(existsSync(dir)).toBe(true);
    child.kill('SIGKILL');
    await ended;
  });

  test('an entry that a dead watchdog cannot take is refused', async () => {
    await using watchdog = await startWatchdog({ runId: 'lost', clock, log: silentLog });
    process.kill(watchdog.pid, 'SIGKILL');
    const adding = watchdog.add({ kind: 'remove', path: join(dir, 'x') });
    await expect(adding).rejects.toThrow('the watchdog ended: SIGKILL');
    await expect(watchdog.add({ kind: 'remove', path: dir })).rejects.toThrow('SIGKILL');
  });
});
