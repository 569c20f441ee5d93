import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { realClock, sleep } from '../../harness/core/clock.ts';
import { HarnessError } from '../../harness/core/errors.ts';
import { silentLog } from '../../harness/core/log.ts';
import { noUndo, type UndoEntry, type UndoRegistry } from '../../harness/protocols/undo.ts';
import { allPids, isEnded, readEnvironment, readStat } from '../../harness/runner/watchdog-proc.ts';
import { type ChildSpec, startChild } from './child.ts';
import { type NodePlan, startProcesses } from './process.ts';

const clock = realClock();
const context = { undo: noUndo, clock, log: silentLog };
let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'schism-backend-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** Programs of one line: `exec` makes the shell become the last of them. */
const FOREVER = 'exec sleep 1000';
const DEAF = "trap '' TERM; sleep 1000 & wait";
/** What a signal does shows when the process has had its turn. */
const SOON = { timeout: 5_000, interval: 10 };
const BROKEN = 'echo first; echo "cannot open the data folder" >&2; exit 7';

const shell = (script: string, env: ChildSpec['env'] = {}): ChildSpec => ({
  name: 'n1',
  file: 'sh',
  args: ['-c', script],
  env,
  cwd: dir,
  logPath: join(dir, 'logs', 'n1.log'),
});

describe('startChild', () => {
  test('signals reach the whole group, and /proc says what they did', async () => {
    await using child = await startChild(shell(DEAF), context);
    expect(child.state()).toEqual({ state: 'running', pid: child.pid });
    const inGroup = (): number[] => allPids().filter((pid) => readStat(pid)?.group === child.pid);
    await expect.poll(inGroup, SOON).toHaveLength(2);
    const group = inGroup();

    expect(child.signal('SIGSTOP')).toBe(true);
    await expect.poll(() => group.map((pid) => readStat(pid)?.state), SOON).toEqual(['T', 'T']);
    expect(child.state().state).toBe('paused');

    child.signal('SIGCONT');
    child.signal('SIGTERM');
    await sleep(clock, 50);
    expect(child.state().state).toBe('running');

    child.signal('SIGSTOP');
    await child[Symbol.asyncDispose]();
    expect(await child.exited).toEqual({ code: undefined, signal: 'SIGKILL' });
    expect(child.state()).toEqual({ state: 'gone' });
    expect(child.signal('SIGTERM')).toBe(false);
    // Its own child waits for init to collect it, and on a busy machine for its turn to die.
    const left = (): unknown[] =>
      group.map((pid) => readStat(pid)).filter((stat) => stat && !isEnded(stat));
    for (let look = 0; look < 200 && left().length > 0; look++) await sleep(clock, 10);
    expect(left()).toEqual([]);
  });

  test('output is appended to the log, over several lives', async () => {
    for (const _ of [1, 2]) {
      await using child = await startChild(shell(BROKEN), context);
      expect(await child.exited).toEqual({ code: 7, signal: undefined });
    }
    const log = readFileSync(join(dir, 'logs', 'n1.log'), 'utf8');
    expect(log).toBe('first\ncannot open the data folder\n'.repeat(2));
  });

  test('the environment is the given one, marked; undefined takes away', async () => {
    const undo: UndoRegistry = { ...noUndo, env: { SCHISM_RUN: 'r1', SCHISM_OWNER: '1:1' } };
    const spec = shell(FOREVER, { HTTP_PROXY: 'http://127.0.0.1:1', HOME: undefined });
    await using child = await startChild(spec, { ...context, undo });
    await sleep(clock, 50);
    const environment = readEnvironment(child.pid);
    expect(environment.get('HTTP_PROXY')).toBe('http://127.0.0.1:1');
    expect(environment.get('SCHISM_RUN')).toBe('r1');
    expect(environment.has('HOME')).toBe(false);
    expect(environment.get('PATH')).toBe(process.env['PATH']);
  });

  test('the undo is entered with the start time, and withdrawn at its end', async () => {
    const entered: UndoEntry[] = [];
    let withdrawn = 0;
    const undo: UndoRegistry = {
      env: {},
      add: (entry) => {
        entered.push(entry);
        return Promise.resolve(() => {
          withdrawn++;
        });
      },
    };
    await using child = await startChild(shell(FOREVER), { ...context, undo });
    const startTime = readStat(child.pid)?.startTime;
    expect(entered).toEqual([{ kind: 'process', pid: child.pid, startTime }]);
    expect(withdrawn).toBe(0);
    child.signal('SIGKILL');
    await child.exited;
    expect(withdrawn).toBe(1);
  });

  test('when the undo cannot be entered, the child does not stay', async () => {
    let pid = 0;
    const undo: UndoRegistry = {
      env: {},
      add: (entry) => {
        pid = entry.kind === 'process' ? entry.pid : 0;
        throw new HarnessError('process-failed', 'the watchdog ended');
      },
    };
    const starting = startChild(shell(FOREVER), { ...context, undo });
    await expect(starting).rejects.toThrow('the watchdog ended');
    expect(pid).toBeGreaterThan(0);
    expect(readStat(pid)).toBeUndefined();
  });

  test.each([
    ['no-such-program', "n1: 'no-such-program' was not found on PATH"],
    ['/etc/no-such-program', "n1: '/etc/no-such-program' was not found"],
    ['/etc/passwd', "n1: '/etc/passwd' may not be executed"],
  ])('%s: one clear line', async (file, message) => {
    const starting = startChild({ ...shell(''), file }, context);
    await expect(starting).rejects.toMatchObject({ code: 'binary-missing', message });
  });
});

const plan = (node: string, script: string, ready?: () => true | string): NodePlan => ({
  node,
  spec: { ...shell(script), logPath: join(dir, `${node}.log`) },
  readiness: {
    description: 'write its file',
    probe: () => Promise.resolve(ready === undefined || ready()),
  },
});

describe('startProcesses', () => {
  test('kill, start, pause and resume; doing one twice is no error', async () => {
    const script = `echo life >> ${join(dir, 'data')}; ${FOREVER}`;
    await using processes = await startProcesses([plan('n1', script)], context);
    const { control } = processes;
    const lives = (): number =>
      existsSync(join(dir, 'data'))
        ? readFileSync(join(dir, 'data'), 'utf8').split('\n').length - 1
        : 0;
    await expect.poll(lives, SOON).toBe(1);
    await control.start('n1');
    expect((await control.state('n1')).state).toBe('running');

    await control.pause('n1');
    await control.pause('n1');
    const state = async (): Promise<string> => (await control.state('n1')).state;
    await expect.poll(state, SOON).toBe('paused');
    await control.resume('n1');
    await expect.poll(state, SOON).toBe('running');

    await control.pause('n1');
    await Promise.all([control.kill('n1'), control.kill('n1')]);
    expect(await control.state('n1')).toEqual({ state: 'gone' });
    await control.resume('n1');
    expect(await control.state('n1')).toEqual({ state: 'gone' });

    await Promise.all([control.start('n1'), control.start('n1')]);
    await expect.poll(lives, SOON).toBe(2);
    expect((await control.state('n1')).state).toBe('running');
    expect(processes.crashed()).toEqual([]);
  });

  test('each node starts when the one before has settled', async () => {
    const file = join(dir, 'settled');
    const first = plan('n1', `sleep 0.2; touch ${file}; ${FOREVER}`);
    const second = plan('n2', `test -e ${file} && ${FOREVER}; exit 3`);
    const settled = (): Promise<boolean> => Promise.resolve(existsSync(file));
    await using processes = await startProcesses([{ ...first, settled }, second], context);
    await sleep(clock, 50);
    expect((await processes.control.state('n2')).state).toBe('running');
    expect(processes.crashed()).toEqual([]);
  });

  test('ready waits for a slow start', async () => {
    const file = join(dir, 'ready');
    const slow = plan('n1', `sleep 0.3; touch ${file}; ${FOREVER}`, () => {
      return existsSync(file) || 'no file yet';
    });
    const before = clock.now();
    await using processes = await startProcesses([slow], context);
    await processes.ready(5_000);
    expect(existsSync(file)).toBe(true);
    expect(clock.now() - before).toBeGreaterThan(290e6);
  });

  test('a node that never gets ready: what was awaited, what was seen, its last words', async () => {
    const mute = plan('n1', `echo starting; ${FOREVER}`, () => 'no file yet');
    await using processes = await startProcesses([mute], context);
    const waiting = processes.ready(2_000);
    await expect(waiting).rejects.toMatchObject({
      code: 'deadline',
      message: `waited 2000 ms for n1 to write its file; last seen: no file yet; its log: ${join(dir, 'n1.log')}`,
      details: 'starting',
    });
  });

  test('a node that ends at once fails its start, and is remembered as crashed', async () => {
    const plans = [plan('n1', FOREVER), plan('n2', BROKEN, () => 'connection refused')];
    await using processes = await startProcesses(plans, context);
    await expect(processes.ready(5_000)).rejects.toMatchObject({
      code: 'process-failed',
      message: expect.stringContaining('n2 ended (exit code 7) while waiting for n2 to write'),
      details: 'first\ncannot open the data folder',
    });
    expect(processes.crashed()).toEqual([{ node: 'n2', how: 'exit code 7' }]);
    expect(processes.logs().map(({ node }) => node)).toEqual(['n1', 'n2']);
  });

  test('one that cannot be started takes the others with it', async () => {
    const mark = `schism-${process.pid}-${clock.now()}`;
    const missing = { ...plan('n2', ''), spec: { ...shell(''), file: 'no-such-program' } };
    const running = { ...plan('n1', ''), spec: shell(`: ${mark}; sleep 1000; true`) };
    const starting = startProcesses([running, missing], context);
    await expect(starting).rejects.toMatchObject({ code: 'binary-missing' });
    const left = (): number[] => allPids().filter((pid) => commandOf(pid).includes(mark));
    await expect.poll(left, SOON).toEqual([]);
  });

  test('disposing of it leaves no process, stopped or deaf', async () => {
    const plans = [plan('n1', FOREVER), plan('n2', DEAF), plan('n3', FOREVER)];
    const processes = await startProcesses(plans, context);
    const pids: number[] = [];
    for (const node of ['n1', 'n2', 'n3']) {
      const state = await processes.control.state(node);
      if (state.state !== 'gone' && state.pid !== undefined) pids.push(state.pid);
    }
    await processes.control.pause('n3');
    await processes[Symbol.asyncDispose]();
    expect(pids).toHaveLength(3);
    expect(pids.map((pid) => readStat(pid))).toEqual([undefined, undefined, undefined]);
    expect(processes.crashed()).toEqual([]);
  });
});

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
