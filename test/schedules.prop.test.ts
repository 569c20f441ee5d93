/** Schedules that wait for something, and lanes of one kind, played in the simulator. */
import { describe, expect, test } from 'vitest';
import { faultBands } from '../checkers/fault-bands.ts';
import { BUILT_IN, makeNemesis } from '../cli/registry.ts';
import { recordedFaults } from '../cli/replay.ts';
import { parseSchedule } from '../cluster/nemeses/parse-schedule.ts';
import { raftkv } from '../cluster/systems/raftkv.ts';
import type { JsonValue } from '../harness/core/json.ts';
import { msFromNanos } from '../harness/core/units.ts';
import type { History } from '../harness/history/history.ts';
import type { FaultBand } from '../harness/protocols/details.ts';
import type { FaultValue } from '../harness/protocols/nemesis.ts';
import type { ScheduledFault } from '../harness/protocols/run.ts';
import { reads } from '../workloads/reads.ts';
import { historyText, type VirtualRun, virtualRun } from './virtual-run.ts';

const nemeses = Object.keys(BUILT_IN.nemeses).map((name) => makeNemesis(name));
const parsed = (entries: JsonValue): ScheduledFault[] =>
  parseSchedule(JSON.stringify(entries), 'faults.json', nemeses, raftkv.timing({}));

async function playing(
  schedule: readonly ScheduledFault[],
  seed: number,
  durationMs = 8_000,
): Promise<VirtualRun> {
  const run = await virtualRun({
    seed,
    system: raftkv,
    workload: reads,
    schedule,
    durationMs,
    rate: 150,
    clientTimeoutMs: 500,
  });
  // Whatever was installed was undone, and a correct store is not accused.
  expect(run.problems).toEqual([]);
  expect(run.checks.filter(({ verdict }) => verdict === 'invalid')).toEqual([]);
  return run;
}

/** What each fault was, in order of its begin. */
function bandsOf({ history }: VirtualRun): readonly FaultBand[] {
  return faultBands(history).map(({ band }) => band);
}

function valuesOf(history: History, kind: string): readonly FaultValue[] {
  return [...history.faults()]
    .filter(({ f, type }) => f === kind && type === 'info')
    .map(({ value }) => value as unknown as FaultValue)
    .filter(({ stage }) => stage === 'begin');
}

const overlap = (a: FaultBand, b: FaultBand): boolean =>
  a.beginNanos < (b.endNanos ?? 0) && b.beginNanos < (a.endNanos ?? 0);
const SEEDS = [1, 2, 3];
/** How long a fault waited is kept in whole microseconds. */
const ROUNDED_MS = 0.001;

describe('what can be said', () => {
  test.each(SEEDS)('a stutter: paused again and again in one lane (seed %i)', async (seed) => {
    const times = ['2el', '3.1el', '4.2el', '5.3el'];
    const stutter = times.map((at) => ({ at, for: '0.9el', fault: 'pause', target: ['n1'] }));
    const bands = bandsOf(await playing(parsed(stutter), seed));
    expect(bands.map(({ lane, result }) => [lane, result])).toEqual(
      times.map(() => ['pause', 'installed']),
    );
    expect(bands.some((a) => bands.some((b) => a !== b && overlap(a, b)))).toBe(false);
  });

  test.each(SEEDS)('rolling pauses: the second begins within the first (seed %i)', async (seed) => {
    const schedule = parsed([
      { at: '2el', for: '3el', fault: 'pause', target: 'leader' },
      {
        at: '2el',
        after: 'fault-begun',
        of: 'pause',
        delay: '2el',
        for: '3el',
        fault: 'pause',
        target: 'leader',
      },
    ]);
    expect(schedule.map(({ lane }) => lane)).toEqual([undefined, 'pause-2']);
    const [first, second] = bandsOf(await playing(schedule, seed)) as [FaultBand, FaultBand];
    expect([first.result, second.result]).toEqual(['installed', 'installed']);
    expect(second.targets).not.toEqual(first.targets);
    expect(overlap(first, second)).toBe(true);
    expect(second.endNanos ?? 0).toBeGreaterThan(first.endNanos ?? 0);
  });

  test.each(SEEDS)('hold and release: one direction only (seed %i)', async (seed) => {
    const entry = { at: '2el', for: '2el', fault: 'hold', target: 'leader', direction: 'in' };
    const [held] = bandsOf(await playing(parsed([entry]), seed));
    const [leader] = held?.targets ?? [];
    expect(held?.cut?.length).toBe(4);
    expect(held?.cut?.every((link) => link.endsWith(`>${leader}`))).toBe(true);
  });

  test.each(SEEDS)('ramps in both directions, in two lanes of one kind (seed %i)', async (seed) => {
    const slow = { for: '8el', fault: 'latency', latency: '0.5el', ramp: '2el' };
    const schedule = parsed([
      { ...slow, at: '2el', target: ['n1'], direction: 'in' },
      { ...slow, at: '3el', target: ['n1'], direction: 'out' },
    ]);
    const bands = bandsOf(await playing(schedule, seed));
    expect(bands.map(({ lane, result }) => [lane, result])).toEqual([
      ['latency', 'installed'],
      ['latency-2', 'installed'],
    ]);
    expect(overlap(bands[0] as FaultBand, bands[1] as FaultBand)).toBe(true);
  });

  test.each(SEEDS)('two shapes of one kind on the same links (seed %i)', async (seed) => {
    const slow = { fault: 'latency', target: ['n1'], direction: 'in' };
    const schedule = parsed([
      { ...slow, at: '2el', for: '4el', latency: '50ms' },
      { ...slow, at: '3el', for: '6el', latency: '80ms' },
    ]);
    const bands = bandsOf(await playing(schedule, seed));
    expect(bands.map(({ result }) => result)).toEqual(['installed', 'installed']);
  });

  test.each(SEEDS)('heal, then kill the one that was cut off (seed %i)', async (seed) => {
    const schedule = parsed([
      { at: '2el', for: '4el', fault: 'partition', shape: 'isolate-leader' },
      { at: '3el', after: 'fault-ended', for: '2el', fault: 'kill', target: 'old-leader' },
    ]);
    const bands = bandsOf(await playing(schedule, seed));
    const [cut, killed] = bands as [FaultBand, FaultBand];
    expect(killed.result).toBe('installed');
    expect(killed.targets).toEqual(cut.targets);
    expect(killed.beginNanos).toBeGreaterThan(cut.endNanos ?? Number.POSITIVE_INFINITY);
  });
});

test.each(SEEDS)(
  'what lasts longer than the run is undone in every lane (seed %i)',
  async (seed) => {
    const slow = { for: '90el', fault: 'latency', latency: '1el' };
    const schedule = parsed([
      { at: '2el', for: '90el', fault: 'pause', target: ['n1'] },
      { at: '3el', for: '90el', fault: 'pause', target: ['n2'] },
      { ...slow, at: '4el', from: 'n3', to: 'n4' },
      { ...slow, at: '5el', from: 'n4', to: 'n3', lane: 'latency-b' },
    ]);
    const { history } = await playing(schedule, seed, 4_000);
    expect(faultBands(history).map(({ band, healed }) => [band.lane, healed?.result])).toEqual([
      ['pause', 'installed'],
      ['pause-2', 'installed'],
      ['latency', 'installed'],
      ['latency-b', 'installed'],
    ]);
    const healed = [...history.faults()].filter(
      ({ phase, type }) => phase === 'heal' && type === 'info',
    );
    expect(healed.map(({ lane = '' }) => lane).toSorted((a, b) => a.localeCompare(b))).toEqual([
      'latency',
      'latency-b',
      'pause',
      'pause-2',
    ]);
  },
);

const AFTER_CHANGE = {
  at: '1el',
  after: 'leader-change',
  delay: '50ms',
  for: '1.5el',
  fault: 'pause',
  target: 'new-leader',
};
const DURING_WRITE = {
  at: '1el',
  while: 'write-in-flight',
  on: 'leader',
  for: '3el',
  fault: 'kill',
  target: 'leader',
};

describe('a fault that waits', () => {
  test.each(SEEDS)('for another leader: hits that one (seed %i)', async (seed) => {
    const kill = { at: '3el', for: '3el', fault: 'kill', target: 'leader' };
    const { history } = await playing(parsed([kill, AFTER_CHANGE]), seed);
    const [killed] = valuesOf(history, 'kill');
    const [paused] = valuesOf(history, 'pause');
    const [target] = paused?.targets ?? [];
    expect(paused?.evidence.result).toBe('installed');
    expect(paused?.targets).not.toEqual(killed?.targets);
    expect(paused?.trigger?.event).toMatch(new RegExp(`^${target} leads in term \\d+$`));
    expect(paused?.text).toContain(`, once ${target} leads in term `);
    expect(paused?.trigger?.waitedMs).toBeGreaterThan(2 * raftkv.timing({}).electionMs);
  });

  test.each(SEEDS)('for a write: one is under way at the leader then (seed %i)', async (seed) => {
    const { history } = await playing(parsed([DURING_WRITE]), seed);
    const [killed] = valuesOf(history, 'kill');
    const begin = [...history.faults()].find(({ type }) => type === 'invoke');
    const firedMs = msFromNanos(begin?.time ?? 0) + (killed?.trigger?.waitedMs ?? 0);
    const [leader] = killed?.targets ?? [];
    expect(killed?.trigger?.event).toBe(`a write is under way at ${leader}`);
    const open = [...history.operations()].filter(
      ({ invoke, completion }) =>
        invoke.node === leader &&
        invoke.f !== 'read' &&
        msFromNanos(invoke.time) <= firedMs + ROUNDED_MS &&
        (completion === undefined || msFromNanos(completion.time) >= firedMs),
    );
    expect(open.length).toBeGreaterThan(0);
  });

  test('in vain is skipped, says why, and holds up nobody', async () => {
    const calm = [
      { ...AFTER_CHANGE, within: '4el' },
      { ...DURING_WRITE, on: 'n9', within: '2el' },
      { at: '3el', for: '1el', fault: 'compact' },
    ];
    const run = await playing(parsed(calm), 1);
    const [paused] = valuesOf(run.history, 'pause');
    const [killed] = valuesOf(run.history, 'kill');
    const { electionMs } = raftkv.timing({});
    expect(paused?.evidence).toEqual({
      result: 'skipped',
      why: `no node came to lead within ${4 * electionMs} ms`,
    });
    expect(killed?.evidence).toEqual({
      result: 'skipped',
      why: `no write was under way at n9 within ${2 * electionMs} ms`,
    });
    // What was asked for and never had an effect was not tested.
    expect(run.checks.find(({ checker }) => checker === 'evidence')?.verdict).toBe('unknown');
  });

  test('is skipped when the main phase ends first, which it does in time', async () => {
    const run = await playing(parsed([{ ...AFTER_CHANGE, within: '90el' }]), 1, 2_000);
    const [paused] = valuesOf(run.history, 'pause');
    expect(paused?.evidence).toEqual({
      result: 'skipped',
      why: 'no node came to lead before the faults were over',
    });
    expect(run.virtualMs).toBeLessThan(6_000);
  });

  test.each(SEEDS)('does so at the same moments again (seed %i)', async (seed) => {
    const schedule = parsed([
      DURING_WRITE,
      AFTER_CHANGE,
      { at: '2el', after: 'fault-ended', of: 'pause', for: '2el', fault: 'pause', target: 'one' },
    ]);
    const [first, second] = [await playing(schedule, seed), await playing(schedule, seed)];
    expect(historyText(second) === historyText(first)).toBe(true);
    const triggers = valuesOf(first.history, 'pause').map(({ trigger }) => trigger?.event);
    expect(triggers[0]).toMatch(/^n\d leads in term \d+$/);
    expect(triggers[1]).toMatch(/^pause of n\d has ended$/);
  });
});

test('what was executed waits for the same again, or is pinned to its times', async () => {
  const kill = { at: '3el', for: '3el', fault: 'kill', target: 'leader' };
  const schedule = parsed([AFTER_CHANGE, kill]);
  const { history } = await playing(schedule, 1);
  const main = [...history.ops()].find(({ phase }) => phase === 'main')?.time ?? 0;
  const again = recordedFaults(history, main);
  expect(again.map(({ fault, trigger }) => [fault, trigger])).toEqual([
    ['pause', schedule[0]?.trigger],
    ['kill', undefined],
  ]);
  for (const [at, { atMs, forMs }] of again.entries()) {
    expect(Math.abs(atMs - (schedule[at]?.atMs ?? 0))).toBeLessThan(20);
    expect(Math.abs(forMs - (schedule[at]?.forMs ?? 0))).toBeLessThan(20);
  }
  const pinned = recordedFaults(history, main, true);
  const [killed, paused] = pinned;
  expect(pinned.map(({ trigger }) => trigger)).toEqual([undefined, undefined]);
  expect([killed?.fault, paused?.fault]).toEqual(['kill', 'pause']);
  const [value] = valuesOf(history, 'pause');
  const [first] = valuesOf((await playing(pinned, 1)).history, 'pause');
  expect(first?.targets).toEqual(value?.targets);
});
