/** What a run must show wherever its nodes live: one body of tests for processes, containers, attach. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { realClock, sleep } from '../harness/core/clock.ts';
import { type Sandbox, sandbox } from './cli-testing.ts';
import { evidenceOf, expectLeaderCutOff, stored } from './stored-run.ts';

export interface BackendUnderTest {
  /** The words after `schism run` that lead to three nodes: n1, n2 and n3. */
  readonly words: readonly string[];
  /** Everything of the run in this sandbox that should not be there any more. */
  leftovers(box: Sandbox): Promise<readonly unknown[]>;
}

/** How long the watchdog may take for what a dead harness leaves. */
const UNDONE_MS_MAX = 30_000;

/** Asked inside a group that has what the backend needs; `backend` when its tests run. */
export function breaksAndJudges(backend: () => BackendUnderTest): void {
  cutsOffTheLeader(backend);
  breaksAndHeals(backend);
}

/** The longest of them: where two backends take one way to cut, one of them tests it. */
function cutsOffTheLeader(backend: () => BackendUnderTest): void {
  test('the leader is cut off in each direction and both: measured, replaced, not obeyed', async () => {
    await using box = await sandbox();
    const schedule = ['out', 'in', 'both'].map((direction, at) => ({
      at: `${at * 9}s`,
      for: '5s',
      fault: 'partition',
      shape: 'isolate-leader',
      direction,
    }));
    const words = await scheduled(box, backend(), schedule);
    await passes(box, [...words, '--duration', '24s']);
    const run = await stored(box);
    expectLeaderCutOff(run, evidenceOf(run).events);
    expect(await backend().leftovers(box)).toEqual([]);
  });
}

export function breaksAndHeals(backend: () => BackendUnderTest): void {
  test('kill, pause and latency: each with evidence, each healed, and the run passes', async () => {
    await using box = await sandbox();
    const schedule = [
      { at: '0s', for: '2s', fault: 'pause', target: 'leader' },
      { at: '4s', for: '2s', fault: 'kill', target: 'leader' },
      // After a kill a busy machine needs some seconds until all links answer in time again.
      { at: '13s', for: '2s', fault: 'latency', target: 'n2' },
    ];
    const words = await scheduled(box, backend(), schedule);
    await passes(box, [...words, '--duration', '16s']);
    const run = await stored(box);
    const { kinds } = evidenceOf(run);
    expect(kinds.map(({ fault }) => fault).toSorted()).toEqual(['kill', 'latency', 'pause']);
    expect(kinds).toMatchObject(kinds.map(() => ({ installed: 1, failed: 0, healed: 1 })));
    expect(run.result.counts.ok).toBeGreaterThan(100);
    expect(await backend().leftovers(box)).toEqual([]);
  });

  test('kill -9 of the harness in mid-fault leaves nothing behind, and a history to judge', async () => {
    await using box = await sandbox();
    const hold = { at: '0s', for: '60s' };
    const schedule = [
      { ...hold, fault: 'pause', target: 'n1' },
      { ...hold, fault: 'partition', shape: 'isolate-one', target: 'n1' },
    ];
    const words = await scheduled(box, backend(), schedule);
    const running = box.start([...words, '--duration', '60s']);
    await box.recorded('"n1":"paused');
    running.kill('SIGKILL');
    await running;
    await gone(() => backend().leftovers(box));
    const undone = join(await box.runDir(), 'watchdog.log');
    await gone(async () => ((await readFile(undone, 'utf8')) === '' ? ['nothing was undone'] : []));
    const { out } = await box.schism(['check', 'latest']);
    expect(out).toMatch(/✓ linearizable/);
  });
}

async function scheduled(
  box: Sandbox,
  { words }: BackendUnderTest,
  faults: readonly object[],
): Promise<string[]> {
  await writeFile(join(box.dir, 's.json'), JSON.stringify(faults));
  const common = ['--workload', 'register', '--clients', '2n', '--require-faults'];
  return ['run', ...words, ...common, '--schedule', 's.json'];
}

async function passes(box: Sandbox, args: readonly string[]): Promise<void> {
  const { code, out, err } = await box.schism([...args, '-q']);
  expect({ code, said: code === 0 ? '' : `${out}${err}` }).toEqual({ code: 0, said: '' });
}

/** Looks until nothing is left, or asserts of what is. */
async function gone(look: () => Promise<readonly unknown[]>): Promise<void> {
  const clock = realClock();
  const end = clock.now() + UNDONE_MS_MAX * 1e6;
  while ((await look()).length > 0 && clock.now() < end) await sleep(clock, 200);
  expect(await look()).toEqual([]);
}
