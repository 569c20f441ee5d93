import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { type Clock, VirtualClock } from '../harness/core/clock.ts';
import { type Nanos, nanosFromMs } from '../harness/core/units.ts';
import type { Op } from '../harness/history/op.ts';
import { RunBlock } from './run-block.ts';
import { ansiStyle } from './style.ts';
import { fixtureConfig, fixtureManifest, passRun } from './testing/fixture-result.ts';

const { history } = passRun();

/** What a terminal could be told of the fixture's run at this moment. */
function blockAt(nanos: Nanos, faults = ['partition', 'kill', 'pause']): RunBlock {
  const own = new VirtualClock();
  let now = nanosFromMs(0);
  const clock: Clock = {
    now: () => now,
    wallMs: () => own.wallMs(),
    timer: (ms, fire) => own.timer(ms, fire),
    turn: () => own.turn(),
  };
  const block = new RunBlock({
    clock,
    manifest: fixtureManifest({ config: fixtureConfig({ faults }) }),
    columns: () => 100,
    write: () => undefined,
    style: ansiStyle,
  });
  let phase = '';
  for (const op of history.ops()) {
    if (op.time > nanos) break;
    now = op.time;
    if (op.phase !== phase) block.begin(op.phase);
    phase = op.phase;
    block.observe(op);
  }
  now = nanos;
  return block;
}

function plain(text: string): string {
  return stripVTControlCharacters(text);
}

describe('what is said when somebody asks', () => {
  test('the state: time, operations, roles, links and faults', () => {
    expect(plain(blockAt(nanosFromMs(35_000)).state())).toMatchInlineSnapshot(`
      " state at 35.000 s   etcd/register   main 32.0 s of 60.0 s   run 7f3a
         so far   1 342 ok  67 unknown  77 failed  7 without an answer yet
         ops      39/s  ok 83.77 %  unknown 5.19 %  failed 11.04 %  p50 1.9 ms  p99 131 ms  1 486 in all
         cluster  n1 LEADER t6   n2 follower t6   n3 follower t6   n4 follower t6   n5 unreachable
         links    all up
         faults   now: pause n5 (leader) (2.0 s)
      "
    `);
  });

  test('the faults: each with its time, and whether it took effect', () => {
    expect(plain(blockAt(nanosFromMs(35_000)).faults())).toMatchInlineSnapshot(`
      " faults at 35.000 s   etcd/register   3 so far, 3 took effect
            9.000 – 16.200   partition: isolate n3 (leader), both ways, took effect: 8 of 20 links cut
           13.200 – 18.000   kill -9 n2, took effect: the process is gone
           33.000 –          pause n5 (leader), took effect: stopped, says the kernel
      "
    `);
    expect(plain(blockAt(nanosFromMs(100)).faults())).toMatch(/^ faults at .* none so far\n$/);
  });

  test('the moment names the run and its phase', () => {
    expect(blockAt(nanosFromMs(35_000)).moment()).toEqual({
      nanos: 35_000e6,
      step: 'main',
      title: 'etcd/register',
    });
  });

  test('of many faults the newest are told, and how many there were', () => {
    const block = blockAt(nanosFromMs(100));
    const skipped = { result: 'skipped', why: 'too many\u001b[2J\nare down' };
    for (let at = 0; at < 200; at++) block.observe(faultOp(at, 'begin', skipped));
    const lines = plain(block.faults()).split('\n');
    expect(lines[0]).toContain('200 so far, 0 took effect');
    expect(lines[1]).toBe('   150 before these');
    expect(lines).toHaveLength(53);
    expect(lines.at(-2)).toMatch(/^ +300\.000 +kill n1, skipped: too many are down$/);
  });

  test('what was skipped has no end', () => {
    const block = blockAt(nanosFromMs(100));
    block.observe(faultOp(0, 'begin', { result: 'skipped', why: 'too many are down' }));
    block.observe(faultOp(1, 'end', { result: 'skipped', why: 'nothing was installed' }));
    const line = plain(block.faults()).trimEnd().split('\n').at(-1);
    expect(line).toMatch(/^ +101\.000 +kill n1, skipped: too many are down$/);
  });

  test('an end that was not shown is told', () => {
    const block = blockAt(nanosFromMs(100));
    block.observe(faultOp(0, 'begin', { result: 'installed', probe: 'gone' }));
    block.observe(faultOp(1, 'end', { result: 'failed', why: 'it does not start' }));
    expect(plain(block.faults())).toContain(
      ' 101.000 – 102.000  kill n1, took effect: gone; its end: it does not start\n',
    );
  });
});

test('where nothing happens to links nothing is said of them', () => {
  const rows = (faults: string[]): string =>
    plain(blockAt(nanosFromMs(4000), faults).lines(100, false).join('\n'));
  expect(rows(['kill'])).not.toContain('links');
  expect(rows(['kill', 'latency'])).toContain('\n   links    all up\n');
});

/** At 101 s and each second after it. */
function faultOp(
  at: number,
  stage: 'begin' | 'end',
  evidence: Readonly<Record<string, string>>,
): Op {
  return {
    index: 100_000 + at,
    process: 'nemesis',
    type: 'info',
    f: 'kill',
    value: { stage, fault: 'kill', text: 'kill n1', targets: ['n1'], evidence },
    time: nanosFromMs((101 + at) * 1000),
    phase: 'main',
    lane: 'kill',
    id: `kill-${at}`,
  };
}
