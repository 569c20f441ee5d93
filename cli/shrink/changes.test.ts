import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../harness/core/json.ts';
import type { FaultTrigger, RunConfig, ScheduledFault } from '../../harness/protocols/run.ts';
import {
  earlier,
  endOfFaults,
  faultLine,
  latencyInstead,
  rounder,
  rounderLatencies,
  shorterFaults,
  withDuration,
  withFewerLanes,
  withLatency,
  withNodes,
  withoutDelay,
  withoutNamed,
  withoutTrigger,
  withSchedule,
} from './changes.ts';
import { aConfig } from './testing.ts';

const pause = { atMs: 4000, forMs: 2917, fault: 'pause', options: { target: 'leader' } };
const kill = { atMs: 9_040, forMs: 120, fault: 'kill', options: { target: 'n3' } };
const change = { after: 'leader-change', delayMs: 0, withinMs: 10_000 } as const;
const begun = { after: 'fault-begun', of: 'pause', delayMs: 0, withinMs: 10_000 } as const;
const write = { while: 'write-in-flight', on: 'leader', withinMs: 10_000 } as const;
const two = aConfig({ schedule: [pause, kill], faults: ['pause', 'kill'] });

describe('what can be less', () => {
  test('faults: those of one kind never overlap, and none at all is none of any kind', () => {
    const over = { ...pause, atMs: 6000 };
    expect(withSchedule(two, [pause, over])).toBeUndefined();
    expect(withSchedule(two, [pause])?.faults).toEqual(['pause']);
    expect(withSchedule(two, [])).toMatchObject({ faults: [] });
    expect(withSchedule(two, [])).not.toHaveProperty('schedule');
  });

  test('time: up to the end of the last fault, or less, without what begins later', () => {
    expect(endOfFaults(two)).toBe(10_500);
    expect(endOfFaults({ ...two, durationMs: 10_500 })).toBeUndefined();
    expect(withDuration(two, 8000)?.schedule).toEqual([pause]);
    expect(withDuration(two, 8000)?.durationMs).toBe(8000);
  });

  test('waiting: the first fault comes half a second after the start', () => {
    const moved = earlier(two);
    expect(moved?.schedule?.map(({ atMs }) => atMs)).toEqual([500, 5540]);
    expect(moved?.durationMs).toBe(16_500);
    expect(earlier(moved ?? two)).toBeUndefined();
  });

  test('faults themselves: half as long, but none shorter than a tenth of a second', () => {
    expect(shorterFaults(two, () => true)?.schedule?.map(({ forMs }) => forMs)).toEqual([
      1459, 120,
    ]);
    expect(shorterFaults(two, (at) => at === 1)).toBeUndefined();
  });

  test('digits: times in tenths of a second', () => {
    const round = rounder(two);
    expect(round?.schedule?.map(({ atMs, forMs }) => [atMs, forMs])).toEqual([
      [4000, 2900],
      [9000, 100],
    ]);
    expect(rounder(round ?? two)).toBeUndefined();
  });

  test.each<[JsonValue, number, boolean]>([
    ['n3', 2, false],
    ['n3', 3, false],
    ['n1,n2|n3', 2, false],
    [['n1', 'n2'], 2, true],
    [{ on: ['n3'] }, 2, false],
    ['leader', 2, true],
    ['n30', 2, true],
  ])('nodes: a fault on %j and %i of three nodes: %s', (target, count, can) => {
    const schedule = [{ ...kill, options: { target } }];
    const fewer = withNodes(aConfig({ schedule, faults: ['kill'] }), count);
    expect(fewer !== undefined).toBe(can);
    expect(fewer?.workloadOptions.nodes.length ?? count).toBe(count);
  });

  test('a fault is told in one line', () => {
    expect(faultLine(pause)).toBe('pause leader 2.917 s at 4 s');
    const options = { target: 'leader', quorum: 'ignore' };
    expect(faultLine({ ...kill, options })).toBe('kill leader quorum=ignore 120 ms at 9.04 s');
    expect(faultLine({ ...kill, options: {} })).toBe('kill 120 ms at 9.04 s');
  });

  test.each<[FaultTrigger, string]>([
    [{ ...change, delayMs: 50 }, 'kill-2 one 120 ms 50 ms after a leader change, from 9.04 s on'],
    [begun, 'kill-2 one 120 ms after pause has begun, from 9.04 s on'],
    [{ ...change, after: 'fault-ended' }, 'kill-2 one 120 ms after another fault has ended, from'],
    [write, 'kill-2 one 120 ms while a write is under way at the leader, from 9.04 s on'],
    [{ ...write, on: 'any' }, 'kill-2 one 120 ms while a write is under way, from 9.04 s on'],
    [{ ...write, on: 'n1' }, 'kill-2 one 120 ms while a write is under way at n1, from'],
  ])('what it waits for is told, too: %j', (trigger, text) => {
    const options = { target: 'one' };
    expect(faultLine({ ...kill, lane: 'kill-2', options, trigger })).toContain(text);
  });
});

describe('how far nodes are from each other', () => {
  const timing = { heartbeatMs: 50, electionMs: 500 };
  const slow = (options: ScheduledFault['options'], fault = 'latency'): ScheduledFault => {
    return { atMs: 1000, forMs: 2000, fault, options };
  };
  const of = (fault: ScheduledFault, partial: Partial<RunConfig> = {}): RunConfig =>
    aConfig({ schedule: [fault, kill], faults: [fault.fault, 'kill'], ...partial });

  test.each<[ScheduledFault, number]>([
    [slow({ latency: '60ms' }), 60],
    [slow({ latency: '0.1el', on: 'all', jitter: '0ms' }), 50],
    [slow({ latency: '60.4ms' }), 60],
    [slow({}), 50],
    [slow({ shape: 'latency', latency: '80ms' }, 'link'), 80],
  ])('takes the place of a fault that slows all links alike: %j', (fault, latencyMs) => {
    const { latencyMs: was, ...far } = latencyInstead(of(fault), 0, timing) ?? of(fault);
    expect(far).toMatchObject({ schedule: [kill], faults: ['kill'] });
    expect([was, far.workloadOptions.latencyMs]).toEqual([latencyMs, latencyMs]);
    const more = latencyInstead(of(fault, { latencyMs: 20 }), 0, timing);
    expect(more?.latencyMs).toBe(latencyMs + 20);
  });

  test.each<ScheduledFault>([
    slow({ latency: '60ms', target: 'leader' }),
    slow({ latency: '60ms', direction: 'in' }),
    slow({ latency: '60ms', from: 'n1', to: 'n2' }),
    slow({ latency: '60ms', on: 'node' }),
    slow({ latency: '60ms', jitter: '20ms' }),
    slow({ latency: '60ms', ramp: '1s' }),
    slow({ shape: 'bandwidth' }, 'link'),
    // Nobody would lead, or nobody would wait for it.
    slow({ latency: '1el' }),
    slow({ latency: '1500ms' }),
  ])('not of one that does something else: %j', (fault) => {
    expect(latencyInstead(of(fault), 0, timing)).toBeUndefined();
    expect(latencyInstead(of(fault), 1, timing)).toBeUndefined();
  });

  test('can be nothing, or rounder, but is never more than it takes for a leader', () => {
    const far = withLatency(of(kill), 83, timing) ?? of(kill);
    expect(withLatency(far, 83, timing)).toBeUndefined();
    expect(rounderLatencies(far, timing).map(([ms]) => ms)).toEqual([80]);
    const farther = { ...far, latencyMs: 93 };
    expect(rounderLatencies(farther, timing).map(([ms]) => ms)).toEqual([100, 90]);
    expect(rounderLatencies({ ...far, latencyMs: 100 }, timing)).toEqual([]);
    expect(rounderLatencies({ ...far, latencyMs: 480 }, timing).map(([ms]) => ms)).toEqual([]);
    expect(rounderLatencies({ ...far, latencyMs: 4 }, timing)).toEqual([]);
    const near = withLatency(far, 0, timing);
    expect(near).toEqual(of(kill));
    expect(withLatency(of(kill), 0, timing)).toBeUndefined();
  });
});

describe('a node that a fault keeps out by name', () => {
  const out = { ...pause, options: { target: ['n2'] } };

  test('goes with that fault, as far as the others do not name who goes', () => {
    const five = ['n1', 'n2', 'n3', 'n4', 'n5'];
    const config = aConfig({ nodes: five, schedule: [out, kill], faults: ['pause', 'kill'] });
    const fewer = withoutNamed(config, 0);
    expect(fewer?.nodes).toEqual(['n1', 'n2', 'n3', 'n4']);
    expect(fewer?.schedule).toEqual([kill]);
    const strange = [out, { ...kill, options: { target: 'n5' } }];
    expect(withoutNamed({ ...config, schedule: strange }, 0)).toBeUndefined();
    expect(withoutNamed({ ...config, schedule: [pause, kill] }, 0)).toBeUndefined();
  });
});

describe('what a fault waits for', () => {
  const waits = { ...kill, trigger: { ...change, delayMs: 34 } };
  const config = aConfig({ schedule: [pause, waits], faults: ['pause', 'kill'] });

  test('a time instead of it, at least no delay, at least a rounder one', () => {
    const { trigger: _, ...timed } = waits;
    expect(withoutTrigger(config, 1)?.schedule).toEqual([pause, { ...timed, atMs: 9074 }]);
    expect(withoutTrigger(config, 0)).toBeUndefined();
    const prompt = withoutDelay(config, 1);
    expect(prompt?.schedule?.[1]?.trigger).toEqual(change);
    expect(withoutDelay(prompt ?? config, 1)).toBeUndefined();
    expect(withoutDelay(config, 0)).toBeUndefined();
    expect(rounder(config)?.schedule?.[1]?.trigger).toEqual({ ...change, delayMs: 30 });
  });

  test('goes with what it waits for', () => {
    const after = { ...kill, trigger: begun };
    const both = aConfig({ schedule: [pause, after], faults: ['pause', 'kill'] });
    expect(withSchedule(both, [after])).toBeUndefined();
    expect(withSchedule(both, [{ ...after, trigger: { ...begun, of: 'kill' } }])).toBeUndefined();
    expect(withSchedule(both, [pause, after])?.schedule).toEqual([pause, after]);
  });

  test('may come late: the run is as long as that takes', () => {
    const long = { ...config, durationMs: 60_000 };
    expect(endOfFaults(long)).toBe(20_500);
  });

  test('no more lanes than it takes', () => {
    const second = { ...pause, lane: 'pause-2', atMs: 8000 };
    const overlapping = { ...second, atMs: 5000 };
    const of = (schedule: readonly ScheduledFault[]) => aConfig({ schedule, faults: ['pause'] });
    expect(withSchedule(of([]), [pause, overlapping])?.schedule).toEqual([pause, overlapping]);
    expect(withFewerLanes(of([pause, second]))?.schedule?.[1]).not.toHaveProperty('lane');
    expect(withFewerLanes(of([pause, overlapping]))).toBeUndefined();
  });
});
