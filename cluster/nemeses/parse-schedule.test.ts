import { describe, expect, it } from 'vitest';
import { HarnessError } from '../../harness/core/errors.ts';
import type { JsonValue } from '../../harness/core/json.ts';
import type { ScheduledFault } from '../../harness/protocols/run.ts';
import { kill } from './kill.ts';
import { hold, latency, reset, slowClose } from './link.ts';
import { membership } from './membership.ts';
import { parseSchedule } from './parse-schedule.ts';
import { partition } from './partition.ts';
import { pause } from './pause.ts';

const nemeses = [
  partition(),
  latency(),
  hold(),
  reset(),
  slowClose(),
  kill(),
  pause(),
  membership(),
];
const parse = (entries: JsonValue): unknown =>
  parseSchedule(JSON.stringify(entries), 'faults.json', nemeses);
const at = { at: '5s', for: '6s' };
const WRITE = { while: 'write-in-flight' };

describe('parseSchedule', () => {
  it('reads entries in order of time, the rest of each left to its fault', () => {
    const schedule = parse([
      { at: '20s', for: '1.5s', fault: 'latency', on: 'node', target: ['n1'], latency: '3hb' },
      { ...at, fault: 'partition', shape: 'isolate-leader', direction: 'out' },
      { at: '3el', for: '2hb', fault: 'kill' },
    ]);
    expect(schedule).toEqual([
      { atMs: 3000, forMs: 200, fault: 'kill', options: {} },
      {
        atMs: 5000,
        forMs: 6000,
        fault: 'partition',
        options: { shape: 'isolate-leader', direction: 'out' },
      },
      {
        atMs: 20_000,
        forMs: 1500,
        fault: 'latency',
        options: { on: 'node', target: ['n1'], latency: '3hb' },
      },
    ]);
  });

  it('reads protocol units with the timing of the cluster', () => {
    const text = '[{"at": "2el", "for": "1hb", "fault": "kill"}]';
    const timing = { heartbeatMs: 20, electionMs: 200 };
    expect(parseSchedule(text, 'f', nemeses, timing)).toMatchObject([{ atMs: 400, forMs: 20 }]);
  });

  it('lets faults of different kinds overlap, and those of one kind touch', () => {
    const schedule = parse([
      { at: '0s', for: '5s', fault: 'kill' },
      { at: '1s', for: '5s', fault: 'pause' },
      { at: '5s', for: '5s', fault: 'kill' },
    ]);
    expect(schedule).toHaveLength(3);
  });

  it('gives faults of one kind that may overlap lanes of their own', () => {
    const lanesOf = (entries: JsonValue): unknown =>
      (parse(entries) as ScheduledFault[]).map(({ lane }) => lane);
    const each = { fault: 'kill', for: '4s' };
    expect(
      lanesOf([
        { ...each, at: '0s' },
        { ...each, at: '1s' },
        { ...each, at: '3s' },
        { ...each, at: '4s' },
        { ...each, at: '5s', lane: 'kill' },
      ]),
    ).toEqual([undefined, 'kill-2', 'kill-3', 'kill-4', 'kill']);
    // It may come as late as its wait allows.
    const wait = { ...each, at: '0s', after: 'leader-change', delay: '1s', within: '3s' };
    expect(lanesOf([wait, { ...each, at: '7.9s' }])).toEqual([undefined, 'kill-2']);
    expect(lanesOf([wait, { ...each, at: '8s' }])).toEqual([undefined, undefined]);
  });

  it('lets faults that may wait share a lane where there is one only, and take turns', () => {
    const wait = { at: '1s', for: '2s', fault: 'membership', after: 'leader-change' };
    const schedule = parse([wait, { ...wait, at: '4s' }]);
    expect(schedule).not.toMatchObject([{}, { lane: expect.anything() }]);
  });

  it('reads what a fault waits for, in protocol units too', () => {
    const faults = parse([
      { ...at, fault: 'pause', after: 'leader-change', delay: '2hb', target: 'new-leader' },
      { ...at, at: '6s', fault: 'kill', ...WRITE, on: 'n2', within: '3el' },
      { ...at, at: '7s', fault: 'kill', after: 'fault-ended', of: 'pause', lane: 'kill-b' },
      { ...at, at: '8s', fault: 'hold', ...WRITE, options: { on: 'all' } },
    ]);
    expect(faults).toMatchObject([
      {
        trigger: { after: 'leader-change', delayMs: 200, withinMs: 10_000 },
        options: { target: 'new-leader' },
      },
      { trigger: { while: 'write-in-flight', on: 'n2', withinMs: 3000 }, options: {} },
      { trigger: { after: 'fault-ended', of: 'pause', delayMs: 0 }, lane: 'kill-b', options: {} },
      { trigger: { while: 'write-in-flight', on: 'leader' }, options: { on: 'all' } },
    ]);
  });

  it('leaves words that a trigger has, too, to a fault whose they are', () => {
    const faults = parse([
      { ...at, fault: 'reset', after: '100ms' },
      { ...at, fault: 'slow-close', delay: '1s' },
      { ...at, fault: 'latency', on: 'node' },
      { ...at, fault: 'slow-close', after: 'leader-change', options: { delay: '1s' } },
    ]);
    expect(faults).toMatchObject([
      { options: { after: '100ms' } },
      { options: { delay: '1s' } },
      { options: { on: 'node' } },
      { options: { delay: '1s' }, trigger: { delayMs: 0 } },
    ]);
  });

  const partitionOf = (more: Record<string, JsonValue>): JsonValue => [
    { ...at, fault: 'partition', ...more },
  ];
  it.each<[JsonValue, string]>([
    [{}, 'faults.json: a schedule is a list of faults, such as'],
    [[], 'faults.json: a schedule is a list of faults, such as'],
    [['kill'], 'faults.json: entry 1: "kill" is not an object'],
    [[at], 'faults.json: entry 1: "fault" is missing; it is one of partition, latency, hold'],
    [[{ ...at, fault: 'partiton' }], `no fault is called "partiton" (did you mean 'partition'?)`],
    [[{ ...at, fault: 7 }], 'no fault is called 7; there are partition'],
    [[{ for: '6s', fault: 'kill' }], 'entry 1: "at" is missing'],
    [
      [{ at: '6s', fault: 'kill', fro: '1s' }],
      `"for" is missing: 'fro' is not known (did you mean`,
    ],
    [[{ at: '6', for: '1s', fault: 'kill' }], `entry 1: at: '6' is not a duration`],
    [[{ at: 6, for: '1s', fault: 'kill' }], 'entry 1: at: 6 is not a duration'],
    [
      [{ ...at, fault: 'kill', targte: 'one' }],
      `entry 1 (kill): unknown option 'targte' (did you mean 'target'?); it takes target, quorum`,
    ],
    [
      [{ ...at, fault: 'kill', target: 'leadr' }],
      `target: "leadr" is nobody (did you mean 'leader'?`,
    ],
    [[{ ...at, fault: 'kill', target: [] }], 'target: [] is nobody; write one, minority'],
    [[{ ...at, fault: 'kill', quorum: 'no' }], 'quorum: "no" is not known; write keep, ignore'],
    [
      partitionOf({ shape: 'isolate-leadr' }),
      `"isolate-leadr" is not known (did you mean 'isolate-`,
    ],
    [partitionOf({ shape: 'bridge', direction: 'in' }), "shape 'bridge' has no 'direction'"],
    [partitionOf({ shape: 'one-way', direction: 'both' }), "shape 'one-way' goes one way"],
    [partitionOf({ shape: 'custom' }), 'grudge: write {"n1": ["n2"]}'],
    [partitionOf({ shape: 'custom', grudge: { n1: ['n1'] } }), 'grudge: n1: write a list'],
    [partitionOf({ shape: 'custom', grudge: { n1: 'n2' } }), 'grudge: n1: write a list'],
    [partitionOf({ shape: 'single-link', from: 'n1', to: 'n1' }), 'n1 has no link to itself'],
    [partitionOf({ shape: 'single-link', from: 'me' }), 'from: "me" is not the name of a node'],
    [[{ ...at, fault: 'latency', latency: '0ms' }], 'latency: 0 changes nothing'],
    [[{ ...at, fault: 'latency', latency: '9ms', jitter: '5ms' }], 'jitter: at most half'],
    [[{ ...at, fault: 'latency', latency: 'long' }], "latency: 'long' is not a duration"],
    [
      [{ ...at, fault: 'hold', on: 'all', target: 'one' }],
      `'target' says nothing with "on": "all"`,
    ],
    [[{ ...at, fault: 'hold', from: 'n1', target: 'one' }], `'target' says nothing with "on": "li`],
    [[{ ...at, fault: 'reset', latency: '1s' }], "(reset): unknown option 'latency'"],
    [
      [
        { ...at, fault: 'kill', lane: 'kill' },
        { at: '10s', for: '1s', fault: 'kill', lane: 'kill-2' },
        { at: '8s', for: '3s', fault: 'kill', lane: 'kill-2' },
      ],
      'two faults of the lane kill-2 overlap: one from 8000 ms to 11000 ms, one at 10000 ms',
    ],
    [
      [
        { ...at, fault: 'membership' },
        { at: '10s', for: '1s', fault: 'membership' },
      ],
      'one at 10000 ms; it has one lane only: there is one list of members',
    ],
    [[{ ...at, fault: 'membership', lane: 'membership-2' }], 'membership has one lane only'],
    [[{ ...at, fault: 'kill', lane: 'pause-2' }], 'lane: "pause-2" is none of kill; write kill-2'],
    [[{ ...at, fault: 'kill', lane: 2 }], 'lane: 2 is none of kill'],
    [[{ ...at, fault: 'kill', after: 'leader-chnge' }], "did you mean 'leader-change'?"],
    [[{ ...at, fault: 'reset', after: 'leader-chnge' }], "did you mean 'leader-change'?"],
    [[{ ...at, fault: 'kill', after: '2s' }], "unknown option 'after'"],
    [[{ ...at, fault: 'kill', delay: '2s' }], "unknown option 'delay'"],
    [[{ ...at, fault: 'kill', while: 'reading' }], 'while: "reading" is not known; write "write-'],
    [
      [{ ...at, fault: 'kill', ...WRITE, on: 'leadr' }],
      'on: "leadr" is no node; write leader, any',
    ],
    [[{ ...at, fault: 'kill', ...WRITE, within: '0s' }], 'within: 0 would never come'],
    [[{ ...at, fault: 'kill', ...WRITE, after: 'leader-change' }], "either 'after' or 'while'"],
    [[{ ...at, fault: 'kill', after: 'leader-change', of: 'kill' }], "a leader change is nobody's"],
    [[{ ...at, fault: 'kill', after: 'fault-begun', of: 7 }], 'of: 7 is neither a kind of fault'],
    [
      [
        { ...at, fault: 'kill', after: 'fault-begun', of: 'puase' },
        { ...at, fault: 'pause' },
      ],
      "kill fault-begun of 'puase' (did you mean 'pause'?): the schedule has none; its other lanes",
    ],
    [[{ ...at, fault: 'kill', after: 'fault-ended', of: 'kill' }], 'it has no other lane'],
    [[{ ...at, fault: 'kill', options: 'leader' }], 'options: "leader" is not an object'],
    [[{ ...at, fault: 'kill', options: {}, target: 'one' }], '\'target\' stands beside "options"'],
    [[{ ...at, fault: 'kill', options: { trigger: 1 } }], "no fault has an option 'trigger'"],
  ])('refuses %j', (entries, message) => {
    const attempt = (): unknown => parse(entries);
    expect(attempt).toThrow(HarnessError);
    expect(attempt).toThrow(expect.objectContaining({ code: 'bad-input' }));
    expect(attempt).toThrow(message);
  });

  it('refuses what is not JSON, naming the file', () => {
    expect(() => parseSchedule('{', 'x.json', nemeses)).toThrow(/^x\.json: not JSON: /);
  });

  it('knows a better word than primaries, but takes it', () => {
    expect(parse([{ ...at, fault: 'kill', target: 'primaries' }])).toHaveLength(1);
  });
});
