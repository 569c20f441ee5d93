import { describe, expect, it } from 'vitest';
import { Random, seedFrom } from '../../harness/core/prng.ts';
import { msFromNanos, nanos, nanosFromMs } from '../../harness/core/units.ts';
import { op } from '../../harness/generator/basic.ts';
import { repeat } from '../../harness/generator/bounds.ts';
import { any } from '../../harness/generator/combine.ts';
import { ThreadTable } from '../../harness/generator/context.ts';
import type { Generator, Offer } from '../../harness/generator/generator.ts';
import { stagger, timeLimit } from '../../harness/generator/rate.ts';
import { clients, nemesis } from '../../harness/generator/route.ts';
import { type LatencyModel, simulate } from '../../harness/generator/simulate.ts';
import type { Op } from '../../harness/history/op.ts';
import type { ScheduledFault } from '../../harness/protocols/run.ts';
import { kill } from './kill.ts';
import { partition } from './partition.ts';
import { randomSchedule, scripted } from './schedule.ts';

/** Plays a lane by hand: polls every 7 ms, each event takes `tookMs` and ends as `result`. */
function playLane(
  lane: string,
  schedule: Generator,
  { startMs = 0, untilMs = 1e6, tookMs = 0, result = 'installed', events = 8 } = {},
): Offer[] {
  const table = new ThreadTable({ clients: 1, lanes: [lane] });
  const taken: Offer[] = [];
  let generator = schedule;
  let nowMs = startMs;
  while (taken.length < events && nowMs < untilMs) {
    const ctx = table.context(nanosFromMs(nowMs));
    const next = generator.next(ctx);
    if (next === undefined) break;
    const [offer, rest] = next;
    if (offer === 'pending') generator = rest;
    if (offer === 'pending' || offer.time > nanosFromMs(nowMs)) {
      // Between polls nothing happens: an offer that lies ahead is not taken.
      const dueMs = offer === 'pending' ? Number.POSITIVE_INFINITY : msFromNanos(offer.time);
      nowMs = Math.min(nowMs + 7, Math.max(dueMs, nowMs));
      continue;
    }
    taken.push({ ...offer, time: nanos(nowMs * 1e6) });
    const event = (type: Op['type']): Op => ({
      index: 0,
      time: nanosFromMs(nowMs),
      process: 'nemesis',
      type,
      f: offer.f,
      value: { evidence: { result } },
      phase: 'main',
      lane,
    });
    table.start(offer.thread);
    generator = rest.update(ctx, event('invoke'));
    nowMs += tookMs;
    table.finish(offer.thread, true);
    generator = generator.update(table.context(nanosFromMs(nowMs)), event('info'));
  }
  return taken;
}

const timing = { heartbeatMs: 100, electionMs: 1000 };
const options = { timing, intervalMs: 1000, durationMs: 4000 };
const stream = (seed: number): Random => Random.stream(seedFrom(seed), 'schedule');

describe('randomSchedule', () => {
  const draw = (random: Random): { n: number } => ({ n: random.int(0, 1e6) });
  const make = (seed: number): Generator =>
    randomSchedule('kill', { ...options, random: stream(seed) }, draw);

  it('alternates begin and end under one id, with its own thread, f and lane', () => {
    const offers = playLane('kill', make(1));
    expect(offers.map(({ id }) => id)).toEqual([
      'kill-1',
      'kill-1',
      'kill-2',
      'kill-2',
      'kill-3',
      'kill-3',
      'kill-4',
      'kill-4',
    ]);
    for (const [at, offer] of offers.entries())
      expect(offer).toMatchObject({
        thread: 'nemesis:kill',
        process: 'nemesis',
        f: 'kill',
        lane: 'kill',
        value: { stage: at % 2 === 0 ? 'begin' : 'end' },
      });
  });

  it('pauses and holds for 0.5 to 1.5 times what was asked, counted from completions', () => {
    const tookMs = 250;
    const offers = playLane('kill', make(2), { tookMs, startMs: 10_000, events: 200 });
    let freeMs = 10_000;
    for (const [at, { time }] of offers.entries()) {
      const meanMs = at % 2 === 0 ? 1000 : 4000;
      const waitedMs = msFromNanos(time) - freeMs;
      expect(waitedMs).toBeGreaterThanOrEqual(meanMs * 0.5);
      expect(waitedMs).toBeLessThanOrEqual(meanMs * 1.5);
      freeMs = msFromNanos(time) + tookMs;
    }
  });

  it('is the same for the same seed however often it is polled, and another for another', () => {
    const schedule = make(3);
    const once = playLane('kill', schedule);
    expect(playLane('kill', schedule)).toEqual(once);
    expect(playLane('kill', make(3))).toEqual(once);
    expect(playLane('kill', make(4))).not.toEqual(once);
  });

  it('does not touch the stream that it was given', () => {
    const random = stream(5);
    playLane('kill', randomSchedule('kill', { ...options, random }, draw));
    expect(random.float()).toBe(stream(5).float());
  });

  it('ends at once what was skipped', () => {
    const [first, second] = playLane('kill', make(6), { result: 'skipped' });
    expect(second?.value).toEqual({ stage: 'end' });
    expect(second?.time).toBe(first?.time);
  });

  it('offers nothing while its thread is busy or belongs to others', () => {
    const table = new ThreadTable({ clients: 2, lanes: ['kill'] });
    const ctx = table.context(nanos(0));
    const schedule = make(7);
    expect(schedule.next(ctx.narrow([0, 1]))?.[0]).toBe('pending');
    table.start('nemesis:kill');
    expect(schedule.next(ctx)?.[0]).toBe('pending');
  });

  it('writes what was drawn into the begin, so that it can be asked for again', () => {
    const schedule = partition().schedule({ ...options, random: stream(8) });
    const begins = playLane('partition', schedule, { events: 100 }).filter((_, at) => at % 2 === 0);
    const shapes = new Set<unknown>();
    for (const { value } of begins) {
      const { stage, ...asked } = value as Record<string, string>;
      expect(stage).toBe('begin');
      expect(() => partition().check?.(asked, 'drawn')).not.toThrow();
      shapes.add(asked['shape']);
    }
    expect(shapes.size).toBe(10);
  });

  it('draws only from the targets that it is told', () => {
    const schedule = kill({ targets: ['all'] }).schedule({ ...options, random: stream(9) });
    const [first] = playLane('kill', schedule, { events: 1 });
    expect(first?.value).toEqual({ stage: 'begin', target: 'all' });
  });
});

describe('scripted', () => {
  const fault = (atMs: number, forMs: number, kind = 'kill'): ScheduledFault => ({
    atMs,
    forMs,
    fault: kind,
    options: { target: 'leader' },
  });
  const timesOf = (offers: readonly Offer[]): number[] =>
    offers.map(({ time }) => msFromNanos(time));

  it('begins and ends at exact offsets from when it is first asked', () => {
    const script = scripted('kill', [fault(9000, 500), fault(2000, 3000), fault(1, 1, 'pause')]);
    const offers = playLane('kill', script, { startMs: 5000, tookMs: 100 });
    expect(timesOf(offers)).toEqual([7000, 10_000, 14_000, 14_500]);
    expect(offers[0]?.value).toEqual({ stage: 'begin', target: 'leader' });
    expect(offers[1]?.value).toEqual({ stage: 'end' });
    expect(offers.map(({ id }) => id)).toEqual(['kill-1', 'kill-1', 'kill-2', 'kill-2']);
  });

  it('is late when an event takes too long, and catches up', () => {
    const script = scripted('kill', [fault(100, 900), fault(1000, 1000), fault(9000, 1000)]);
    const offers = playLane('kill', script, { tookMs: 1500 });
    expect(timesOf(offers)).toEqual([100, 1600, 3100, 4600, 9000, 10_500]);
  });

  it.each([
    ['as fast as they go', repeat(op({ f: 'read' }))],
    ['at a rate', stagger(3, repeat(op({ f: 'read' })), stream(1))],
  ])('keeps its times beside clients that work %s', (_how, load) => {
    const lanes = ['kill', 'pause'];
    const script = [fault(100, 300), fault(700, 100), fault(250, 500, 'pause')];
    const both = lanes.map((lane) => nemesis(lane, scripted(lane, script)));
    const work = timeLimit(1000, any([clients(load), ...both], stream(2)));
    const model: LatencyModel = () => ({ type: 'ok', latencyNanos: 1_000_000 });
    const ops = simulate(work, { clients: 5, lanes, model });
    const faults = ops.filter(({ process, type }) => process === 'nemesis' && type === 'invoke');
    expect(faults.map(({ lane, time }) => [lane, Math.round(msFromNanos(time) / 5) * 5])).toEqual([
      ['kill', 100],
      ['pause', 250],
      ['kill', 400],
      ['kill', 700],
      ['pause', 750],
      ['kill', 800],
    ]);
    expect(ops.length).toBeGreaterThan(500);
  });

  it('is exhausted when its faults are', () => {
    expect(playLane('kill', scripted('kill', []))).toEqual([]);
    expect(playLane('kill', scripted('kill', [fault(1, 1, 'pause')]))).toEqual([]);
  });
});
