import { describe, expect, it } from 'vitest';
import { HarnessError } from '../../harness/core/errors.ts';
import type { JsonValue } from '../../harness/core/json.ts';
import { kill } from './kill.ts';
import { hold, latency, reset } from './link.ts';
import { parseSchedule } from './parse-schedule.ts';
import { partition } from './partition.ts';
import { pause } from './pause.ts';

const nemeses = [partition(), latency(), hold(), reset(), kill(), pause()];
const parse = (entries: JsonValue): unknown =>
  parseSchedule(JSON.stringify(entries), 'faults.json', nemeses);
const at = { at: '5s', for: '6s' };

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
        { ...at, fault: 'kill' },
        { at: '10s', for: '1s', fault: 'kill' },
      ],
      'two faults of the kind kill overlap: one from 5000 ms to 11000 ms, one at 10000 ms',
    ],
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
