import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { checkAll } from '../../checkers/compose.ts';
import { memory } from '../../cluster/systems/memory.ts';
import { register } from '../../workloads/register.ts';
import { type Clock, realClock, sleep, VirtualClock } from '../core/clock.ts';
import { HarnessError } from '../core/errors.ts';
import { silentLog } from '../core/log.ts';
import { Random, seedFrom } from '../core/prng.ts';
import { readHistory } from '../history/jsonl.ts';
import { Recorder } from '../history/recorder.ts';
import type { Checker } from '../protocols/checker.ts';
import type { RunConfig, RunResult } from '../protocols/run.ts';
import type { Cluster, System } from '../protocols/system.ts';
import { noUndo } from '../protocols/undo.ts';
import { createRun, type RunFolderHandle } from '../store/store.ts';
import { type RunRequest, run } from './run.ts';

const nodes = ['n1', 'n2', 'n3'];
const CONFIG: RunConfig = {
  system: 'memory',
  systemOptions: {},
  backend: 'memory',
  nodes,
  workload: 'register',
  workloadOptions: {
    clients: 3,
    nodes,
    rate: 300,
    clientTimeoutMs: 5_000,
    readModes: ['linearizable'],
    capabilities: ['register'],
    own: {},
  },
  faults: [],
  requireFaults: false,
  seed: 1,
  durationMs: 250,
  quietMs: 50,
  faultIntervalMs: 100,
  faultDurationMs: 100,
  promises: memory.promises,
  checkLimits: { timeoutMs: 10_000, memoryBytes: 2 ** 30 },
  unknown: 'fail',
};

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'schism-run-'));
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

interface Change {
  readonly system?: System;
  readonly checkers?: readonly Checker[];
  readonly reporters?: RunRequest['reporters'];
  readonly interrupt?: AbortSignal;
  readonly clock?: Clock;
  readonly virtual?: VirtualClock;
  readonly config?: Partial<RunConfig>;
  readonly leaveRunning?: boolean;
}

async function runWith(change: Change): Promise<{ result: RunResult; folder: RunFolderHandle }> {
  const clock = change.clock ?? realClock();
  const config = { ...CONFIG, ...change.config };
  const random = Random.stream(seedFrom(1), 'id');
  const folder = await createRun(root, { startedAtMs: clock.wallMs(), random, test: 'register' });
  const result = await run({
    config,
    manifest: {
      schism: 1,
      run: folder.id,
      version: '0',
      node: '',
      platform: '',
      argv: [],
      startedAt: '',
      config,
    },
    folder,
    system: change.system ?? memory,
    workload: register,
    nemeses: [],
    schedule: () => undefined,
    seed: seedFrom(1),
    clock,
    ...(change.virtual !== undefined && { virtual: change.virtual }),
    log: silentLog,
    undo: noUndo,
    interrupt: change.interrupt ?? new AbortController().signal,
    interruptedBy: () => (change.interrupt?.aborted === true ? 'SIGINT' : undefined),
    judge: async (history, ctx) => {
      const stored = history ?? (await readHistory(folder.historyPath)).history;
      return checkAll(change.checkers ?? register.checkers(config.workloadOptions), stored, ctx);
    },
    reporters: change.reporters ?? [],
    ...(change.leaveRunning !== undefined && { leaveRunning: change.leaveRunning }),
    onOp: () => undefined,
    onPhase: () => undefined,
  });
  return { result, folder };
}

/** The in-process store, with something wrong about its cluster. */
function broken(change: (cluster: Cluster) => Partial<Cluster>): System {
  return {
    ...memory,
    deploy: async (request) => {
      const cluster = await memory.deploy(request);
      return { ...cluster, ...change(cluster) };
    },
  };
}

describe('a run', () => {
  test('passes through all phases in order and leaves its history compressed', async () => {
    const { result, folder } = await runWith({ config: { durationMs: 1_500 } });
    expect(result).toMatchObject({ verdict: 'pass', exitCode: 0, problems: [] });
    expect(result.phases.map(({ phase }) => phase)).toEqual([
      'quiet',
      'main',
      'heal',
      'recover',
      'final',
    ]);
    expect(result.counts.ok).toBeGreaterThan(50);
    const { history } = await readHistory(`${folder.historyPath}.gz`);
    expect(history.length).toBeGreaterThan(100);
    const manifest = JSON.parse(await readFile(folder.path('run.json'), 'utf8')) as object;
    expect(manifest).toMatchObject({ timing: { electionMs: 100 }, cluster: {} });
  });

  test('on virtual time lasts as long as asked, and the same again records the same', async () => {
    const texts: string[] = [];
    for (const virtual of [new VirtualClock(), new VirtualClock()]) {
      const change = { virtual, config: { durationMs: 5_000 } };
      const { result, folder } = await runWith(change);
      expect(result).toMatchObject({ verdict: 'pass', problems: [] });
      expect(result.simulated?.virtualMs).toBeGreaterThan(5_000);
      expect(result.simulated?.realMs).toBeLessThanOrEqual(result.wallMs);
      const { history } = await readHistory(`${folder.historyPath}.gz`);
      expect(history.length).toBeGreaterThan(1_000);
      texts.push(JSON.stringify([...history.ops()]));
    }
    expect(texts[0] === texts[1]).toBe(true);
  });

  test('a node that waits for nothing on virtual time is found, not waited for', async () => {
    const system = broken(() => ({ ready: () => new Promise(() => undefined) }));
    const { result } = await runWith({ system, virtual: new VirtualClock() });
    expect(result).toMatchObject({ verdict: 'error' });
    expect(result.reasons[0]).toContain('virtual time stands still');
  });

  test('a teardown that fails does not cost the verdict', async () => {
    const system = broken(() => ({
      [Symbol.asyncDispose]: () => Promise.reject(new Error('the proxies are stuck')),
    }));
    const { result } = await runWith({ system });
    expect(result.verdict).toBe('pass');
    expect(result.problems).toMatchObject([
      { step: 'teardown', severity: 'warning', message: 'the proxies are stuck' },
    ]);
  });

  test('a checker that throws is unknown, and the others go on', async () => {
    const faulty: Checker = {
      name: 'faulty',
      check: () => {
        throw new TypeError('cannot read this');
      },
    };
    const checkers = [faulty, ...register.checkers(CONFIG.workloadOptions)];
    const { result } = await runWith({ checkers });
    expect(result).toMatchObject({ verdict: 'unknown', exitCode: 2 });
    expect(result.checks[0]).toMatchObject({ checker: 'faulty', verdict: 'unknown' });
    expect(result.checks.slice(1).every(({ verdict }) => verdict === 'valid')).toBe(true);
  });

  test('a disk that fails costs what is stored, not the verdict, and the run says so', async () => {
    const full = (): Promise<never> => Promise.reject(new Error('ENOSPC: no space left'));
    const file = { appendFile: full, sync: full, close: () => Promise.resolve() };
    const open = vi
      .spyOn(Recorder, 'open')
      .mockImplementation((_, clock) => Promise.resolve(new Recorder(clock, file)));
    const { result } = await runWith({});
    open.mockRestore();
    expect(result).toMatchObject({ verdict: 'pass', incomplete: true });
    expect(result.problems[0]?.message).toMatch(/history on disk is incomplete.*ENOSPC/);
    expect((await runWith({})).result).not.toHaveProperty('incomplete');
  });

  test('a report that fails is a warning that the later ones show', async () => {
    const seen: RunResult[] = [];
    const { result } = await runWith({
      reporters: [
        { name: 'HTML', write: () => Promise.reject(new Error('ENOSPC: no space left')) },
        { name: 'text', write: (later) => Promise.resolve(void seen.push(later)) },
      ],
    });
    expect(result).toMatchObject({ verdict: 'pass', exitCode: 0 });
    expect(seen[0]?.problems[0]?.message).toMatch(/the HTML report could not be written.*ENOSPC/);
  });

  test('a cluster that never starts is an error, not a verdict on the store', async () => {
    const system: System = {
      ...memory,
      deploy: () => Promise.reject(new HarnessError('port-in-use', '127.0.0.1:2379 is taken')),
    };
    const { result } = await runWith({ system });
    expect(result).toMatchObject({ verdict: 'error', exitCode: 3, checks: [] });
    expect(result.reasons[0]).toBe('127.0.0.1:2379 is taken');
  });

  test('a cluster whose links are not as far as was asked is not used for another run', async () => {
    const { result } = await runWith({ config: { latencyMs: 30 } });
    expect(result).toMatchObject({ verdict: 'error', exitCode: 3, checks: [], phases: [] });
    expect(result.reasons[0]).toContain(
      'a latency of 30 ms was asked for, and memory has links of 0',
    );
    const far = broken(({ network }) =>
      network === undefined ? {} : { network: { ...network, latencyMs: 30 } },
    );
    expect((await runWith({ config: { latencyMs: 30 }, system: far })).result.verdict).toBe('pass');
    expect((await runWith({ system: far })).result.verdict).toBe('error');
  });

  test('a cluster that starts too late is ended, since nobody else would', async () => {
    const real = realClock();
    const hasty: Clock = { ...real, timer: (ms, fire) => real.timer(ms / 1000, fire) };
    const ended = Promise.withResolvers<string>();
    const system: System = {
      ...memory,
      deploy: async (request) => {
        await sleep(hasty, 200_000);
        const end = (): Promise<void> => Promise.resolve(ended.resolve('ended'));
        return { ...(await memory.deploy(request)), [Symbol.asyncDispose]: end };
      },
    };
    const { result } = await runWith({ system, clock: hasty });
    expect(result).toMatchObject({ verdict: 'error', exitCode: 3, checks: [] });
    expect(await Promise.race([ended.promise, sleep(real, 2000)])).toBe('ended');
  });

  test('an interrupt does not wait for a cluster that is not ready', async () => {
    const stop = new AbortController();
    const system = broken(() => ({
      ready: () => {
        stop.abort();
        return new Promise(() => undefined);
      },
    }));
    const { result } = await runWith({ system, interrupt: stop.signal });
    expect(result).toMatchObject({ exitCode: 130, checks: [], phases: [] });
  });

  test('our own bug in the setup ends as 255; what failed on the network does not', async () => {
    const failing = (reason: Error): Promise<{ result: RunResult }> =>
      runWith({ system: { ...memory, deploy: () => Promise.reject(reason) } });
    const bug = await failing(new TypeError('undefined is not a function'));
    expect(bug.result).toMatchObject({ verdict: 'error', exitCode: 255 });
    const cause = new Error('connect ECONNREFUSED');
    const network = await failing(new TypeError('fetch failed', { cause }));
    expect(network.result).toMatchObject({ verdict: 'error', exitCode: 3 });
  });

  test('a cluster that does not come back after heal is an error, and is judged all the same', async () => {
    let calls = 0;
    const system = broken(() => ({
      ready: () => (calls++ === 0 ? Promise.resolve() : Promise.reject(new Error('n2 is gone'))),
    }));
    const { result } = await runWith({ system });
    expect(result).toMatchObject({ verdict: 'error', exitCode: 3 });
    expect(result.checks.find(({ checker }) => checker === 'linearizable')?.verdict).toBe('valid');
  });

  test('our own bug in a client ends as 255, with the history kept', async () => {
    const system = broken((cluster) => ({
      open: async (node) => {
        const connection = await cluster.open(node);
        const { register: apis } = connection.apis;
        if (apis === undefined) return connection;
        const write = (): never => {
          throw new TypeError('undefined is not a function');
        };
        return { ...connection, apis: { register: { ...apis, write } } };
      },
    }));
    const { result } = await runWith({ system });
    expect(result).toMatchObject({ verdict: 'error', exitCode: 255 });
    expect(result.reasons[0]).toContain('undefined is not a function');
    expect(result.counts.ok).toBeGreaterThan(0);
  });

  test('interrupted, it judges what was recorded and skips the final reads', async () => {
    const stop = new AbortController();
    stop.abort();
    const { result } = await runWith({ interrupt: stop.signal });
    expect(result.exitCode).toBe(130);
    expect(result.phases.map(({ phase }) => phase)).not.toContain('final');
  });
});

describe('a run that leaves its cluster', () => {
  const finding: Checker = {
    name: 'finding',
    check: () =>
      Promise.resolve({
        checker: 'finding',
        verdict: 'invalid',
        anomalies: [],
        covered: 'everything',
        details: {},
      }),
  };

  /** Counts how often the cluster was ended, and whether that was before it was judged. */
  function watched(): { readonly system: System; readonly ends: () => number } {
    let ends = 0;
    const system = broken((cluster) => ({
      [Symbol.asyncDispose]: async () => {
        ends++;
        await cluster[Symbol.asyncDispose]();
      },
    }));
    return { system, ends: () => ends };
  }

  test('leaves it when a violation was found, and says so', async () => {
    const { system, ends } = watched();
    const { result } = await runWith({ system, checkers: [finding], leaveRunning: true });
    expect(result).toMatchObject({ verdict: 'fail', leftRunning: true });
    expect(ends()).toBe(0);
  });

  test('ends it when it passed', async () => {
    const { system, ends } = watched();
    const { result } = await runWith({ system, leaveRunning: true });
    expect(result.verdict).toBe('pass');
    expect(result).not.toHaveProperty('leftRunning');
    expect(ends()).toBe(1);
  });

  test('ends it when it was interrupted and nothing was found', async () => {
    const { system, ends } = watched();
    const stop = new AbortController();
    stop.abort();
    const { result } = await runWith({ system, interrupt: stop.signal, leaveRunning: true });
    expect(result).not.toHaveProperty('leftRunning');
    expect(ends()).toBe(1);
  });

  test('otherwise ends it whatever was found', async () => {
    const { system, ends } = watched();
    const { result } = await runWith({ system, checkers: [finding] });
    expect(result).not.toHaveProperty('leftRunning');
    expect(ends()).toBe(1);
  });
});
