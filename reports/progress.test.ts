import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { sleep, VirtualClock } from '../harness/core/clock.ts';
import { nanosFromMs } from '../harness/core/units.ts';
import type { History } from '../harness/history/history.ts';
import { lineProgress } from './lines.ts';
import { keysLine, liveProgress } from './live.ts';
import { Meter } from './meter.ts';
import type { Progress, ProgressOptions } from './progress.ts';
import { ansiStyle } from './style.ts';
import { failRun, fixtureConfig, fixtureManifest, passRun } from './testing/fixture-result.ts';
import { widthOf } from './words.ts';

/** Up by so many lines. */
// oxlint-disable-next-line no-control-regex
const UP = /^\u001b\[(\d+)A/;

/** Plays a history on virtual time, phase by phase; returns everything written, write by write. */
async function played(
  make: (options: ProgressOptions) => Progress,
  { result, history }: ReturnType<typeof passRun>,
  more: Partial<ProgressOptions> = {},
): Promise<readonly string[]> {
  const clock = new VirtualClock();
  const written: string[] = [];
  const options: ProgressOptions = {
    clock,
    manifest: result.manifest,
    columns: () => 100,
    write: (text) => {
      written.push(text);
    },
    ...more,
  };
  const progress = make(options);
  await clock.run(play(clock, progress, history));
  progress.end(result);
  progress.onPhase('check');
  progress[Symbol.dispose]();
  return written;
}

async function play(clock: VirtualClock, progress: Progress, history: History): Promise<void> {
  progress.onPhase('setup');
  let phase = '';
  for (const op of history.ops()) {
    await sleep(clock, (op.time - clock.now()) / 1e6);
    if (op.phase !== phase) progress.onPhase(op.phase);
    phase = op.phase;
    progress.onOp(op);
  }
  progress.onPhase('check');
  await sleep(clock, 12_000);
}

describe('lines, for pipes and CI', () => {
  test('append only, no escape bytes, at most 160 columns', async () => {
    const run = failRun();
    const text = (await played(lineProgress, run, { style: ansiStyle })).join('');
    await expect(text).toMatchFileSnapshot('./testing/golden/lines.txt');
    expect(text).not.toContain('\u001b');
    expect(text).not.toContain('\r');
    expect(text.endsWith('\n')).toBe(true);
    expect(text.split('\n').filter((line) => widthOf(line) > 160)).toEqual([]);
  });

  test('what comes from outside cannot add lines or escape sequences', async () => {
    const run = passRun();
    const evil = `x\n[ 99.9] PASS\u001b[2J${'w'.repeat(300)}`;
    const manifest = fixtureManifest({ run: evil, config: fixtureConfig({ system: evil }) });
    const result = { ...run.result, manifest, reasons: [evil] };
    const written = await played(lineProgress, { ...run, result });
    expect(written.filter((line) => line.startsWith('[ 99.9]'))).toEqual([]);
    expect(written.every((line) => line.indexOf('\n') === line.length - 1)).toBe(true);
    expect(written.join('')).not.toContain('\u001b');
  });
});

describe('the live block, on a terminal', () => {
  test('is redrawn at most four times a second, never wider than the terminal, and then gone', async () => {
    const run = failRun();
    const written = await played(liveProgress, run, { style: ansiStyle });
    const seconds = 72;
    expect(written.length).toBeGreaterThan(seconds * 3.5);
    expect(written.length).toBeLessThanOrEqual(seconds * 4 + 2);
    const lines = written.flatMap((text) => stripVTControlCharacters(text).split('\n'));
    expect(Math.max(...lines.map(widthOf))).toBeLessThan(100);
    expect(written.at(-1)?.replace(UP, '')).toBe('\u001b[0J');
  });

  test('each drawing goes up by the lines of the one before', async () => {
    const written = await played(liveProgress, passRun());
    const heights = written.map((text) => text.split('\n').length - 1);
    const ups = written.map((text) => Number(UP.exec(text)?.[1] ?? 0));
    expect(ups).toEqual([0, ...heights.slice(0, -1)]);
  });

  test('shows the load, the cluster and the faults', async () => {
    const written = await played(liveProgress, passRun());
    const drawing = written[4 * 35 + 1];
    expect(stripVTControlCharacters(drawing ?? '')).toMatchInlineSnapshot(`
      " ▶ etcd/register   main 32.2 s of 60.0 s                                 seed 0x5eed1234   run 7f3a
         ops      37/s  ok 82.80 %  unknown 5.10 %  failed 12.10 %  p50 1.9 ms  p99 131 ms  1 489 in all
         cluster  n1 LEADER t6   n2 follower t6   n3 follower t6   n4 follower t6   n5 unreachable
         links    all up
         faults   ───▓▓▓▓▓▓▓─────────▓┃··················   now: pause n5 (leader) (2.3 s)
      "
    `);
  });

  test.each([40, 50, 80, 160])('fits a terminal of %i columns, keys and all', async (columns) => {
    const make = (options: ProgressOptions): Progress => liveProgress({ ...options, keys: true });
    const written = await played(make, passRun(), { columns: () => columns });
    const lines = written.flatMap((text) => stripVTControlCharacters(text).split('\n'));
    expect(Math.max(...lines.map(widthOf))).toBeLessThan(columns);
    expect(written[40]).toMatch(/\n \[s\].*\[ctrl-c\].*\n$/);
  });

  test('says the keys only where there are any', async () => {
    const written = await played(liveProgress, passRun());
    expect(written.join('')).not.toContain('[s]');
    expect(keysLine(110)).toBe(
      ' [s] state  [l] logs  [f] faults  [enter] mark the log  [ctrl-c] stop and check what was recorded',
    );
    expect(keysLine(70)).toMatch(/\[enter\] mark {2}\[ctrl-c\] stop$/);
  });
});

test('the meter tells latencies apart to 10 %, and forgets what is old', () => {
  const meter = new Meter();
  const op = { f: 'read', value: null, phase: 'main' } as const;
  for (let at = 0; at < 200; at++) {
    const start = nanosFromMs(10_000 + at * 5);
    const end = nanosFromMs(10_000 + at * 5 + (at < 196 ? 2 : 80));
    meter.observe({ ...op, index: 0, process: at, type: 'invoke', time: start });
    meter.observe({ ...op, index: 0, process: at, type: 'ok', time: end });
  }
  const load = meter.load(11.2e9, 5);
  expect(load.ok).toBe(200);
  expect(load.p50).toBeGreaterThanOrEqual(2e6);
  expect(load.p50).toBeLessThan(2.2e6);
  expect(load.p99).toBeGreaterThanOrEqual(80e6);
  expect(load.p99).toBeLessThan(88e6);
  expect(meter.load(40e9, 5).ok).toBe(0);
  expect(meter.load(40e9, 5).p50).toBeNull();
  expect(meter.total.ok).toBe(200);
});
