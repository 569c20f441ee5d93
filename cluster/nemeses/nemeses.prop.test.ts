import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sleep } from '../../harness/core/clock.ts';
import { Random, seedFrom } from '../../harness/core/prng.ts';
import { nanosFromMs } from '../../harness/core/units.ts';
import { ThreadTable } from '../../harness/generator/context.ts';
import type { Op, OpDraft } from '../../harness/history/op.ts';
import type { FaultValue, Nemesis } from '../../harness/protocols/nemesis.ts';
import { interpret } from '../../harness/runner/interpreter.ts';
import { hitLimit } from '../targets.ts';
import { clockSkew } from './clock-skew.ts';
import { cpuSqueeze } from './cpu-squeeze.ts';
import { dropPackets } from './drop-packets.ts';
import { failingSync } from './failing-sync.ts';
import { fullDisk } from './full-disk.ts';
import { kill } from './kill.ts';
import { inLane } from './lanes.ts';
import { bandwidth, blackhole, hold, latency, link, reset, slowClose } from './link.ts';
import { memorySqueeze } from './memory-squeeze.ts';
import { partition } from './partition.ts';
import { pause } from './pause.ts';
import { slowDisk } from './slow-disk.ts';
import { FakeCluster } from './testing.ts';
import { unplug } from './unplug.ts';

const FAMILIES: readonly (() => Nemesis)[] = [
  partition,
  latency,
  bandwidth,
  hold,
  blackhole,
  reset,
  slowClose,
  kill,
  pause,
  slowDisk,
  failingSync,
  fullDisk,
  clockSkew,
  cpuSqueeze,
  memorySqueeze,
  unplug,
  dropPackets,
];

/** `link` has all shapes in its one lane, and stands for theirs. */
const ALL: readonly (() => Nemesis)[] = [...FAMILIES, link];

interface Play {
  readonly cluster: FakeCluster;
  readonly ops: readonly Op[];
  /** The most nodes that all lanes together hit at any look, every 10 ms. */
  readonly mostHit: number;
}

/** Random schedules in parallel lanes on virtual time, stopped at any moment, and healed. */
async function play(
  make: readonly (() => Nemesis)[],
  { seed, size, forMs }: { seed: number; size: number; forMs: number },
): Promise<Play> {
  const cluster = new FakeCluster(size);
  const { clock } = cluster;
  const ops: Op[] = [];
  const record = (draft: OpDraft): Op => {
    const op = { ...draft, index: ops.length, time: clock.now() };
    ops.push(op);
    return op;
  };
  const nemeses = make.map((factory) => factory());
  let mostHit = 0;
  const watch = async (): Promise<void> => {
    while (clock.now() < nanosFromMs(forMs)) {
      const hit = new Set([...cluster.board.hit.values()].flatMap((nodes) => [...nodes]));
      mostHit = Math.max(mostHit, hit.size);
      await sleep(clock, 10);
    }
  };
  const lanes = nemeses.map((nemesis, at) =>
    interpret(
      {
        clock,
        record,
        table: new ThreadTable({ clients: 0, lanes: [nemesis.name] }),
        invoke: async (_thread, op) => {
          const context = cluster.context(seed * 1000 + ops.length);
          const value = await nemesis.invoke(op, { ...context, lane: nemesis.name });
          return { type: 'info', value: JSON.parse(JSON.stringify(value)) };
        },
        onBug: (error) => {
          throw error;
        },
      },
      nemesis.schedule({
        random: Random.stream(seedFrom(seed), `lane-${at}`),
        timing: { heartbeatMs: 100, electionMs: 1000 },
        intervalMs: 2000,
        durationMs: 3000,
      }),
      // Faults under way at the end are left alone, as after an interrupt: heal must cope.
      { phase: 'main', until: nanosFromMs(forMs), drainMs: 0 },
    ),
  );
  await clock.run(Promise.all([watch(), ...lanes]));
  const heal = (nemesis: Nemesis) => nemesis.heal({ ...cluster.context(seed), lane: nemesis.name });
  await clock.run(Promise.all(nemeses.map(heal)));
  return { cluster, ops, mostHit };
}

const completed = (ops: readonly Op[]): FaultValue[] =>
  ops.flatMap(({ type, value, error }) =>
    type === 'info' && error === undefined ? [value as unknown as FaultValue] : [],
  );

const runs = fc.record({
  seed: fc.nat(1_000_000),
  size: fc.integer({ min: 1, max: 7 }),
  forMs: fc.integer({ min: 1, max: 60_000 }),
});

describe('every nemesis', () => {
  it.each(ALL.map((make) => [make().name, make] as const))(
    '%s leaves nothing behind, wherever its schedule is broken off',
    async (_name, make) => {
      await fc.assert(
        fc.asyncProperty(runs, async (run) => {
          const { cluster } = await play([make], run);
          expect(await cluster.clock.run(cluster.damage())).toEqual([]);
        }),
        { numRuns: 25 },
      );
    },
  );

  it.each(ALL.map((make) => [make().name, make] as const))(
    '%s takes effect on five nodes, and never fails on an honest cluster',
    async (name, make) => {
      const { ops } = await play([make], { seed: 11, size: 5, forMs: 200_000 });
      const results = completed(ops).map(({ evidence, stage }) => `${stage} ${evidence.result}`);
      expect(ops.every(({ f, lane }) => f === name && lane === name)).toBe(true);
      expect(results.filter((result) => result.endsWith('failed'))).toEqual([]);
      expect(results.filter((result) => result === 'begin installed').length).toBeGreaterThan(10);
      expect(results.filter((result) => result === 'end installed').length).toBeGreaterThan(10);
    },
  );
});

describe('all lanes together', () => {
  it('leave a majority untouched, and nothing behind', async () => {
    let draws = 0;
    await fc.assert(
      fc.asyncProperty(runs, async (run) => {
        const { cluster, ops, mostHit } = await play(FAMILIES, run);
        draws += ops.filter(({ type }) => type === 'invoke').length;
        expect(mostHit).toBeLessThanOrEqual(hitLimit(run.size));
        expect(await cluster.clock.run(cluster.damage())).toEqual([]);
      }),
      { numRuns: 40 },
    );
    expect(draws).toBeGreaterThan(1000);
  });

  it('never fail on an honest cluster', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1_000_000), async (seed) => {
        const { ops } = await play(FAMILIES, { seed, size: 5, forMs: 60_000 });
        const bad = completed(ops).flatMap(({ evidence, fault, stage }) =>
          evidence.result === 'failed' ? [`${fault} ${stage}: ${evidence.why}`] : [],
        );
        expect(bad).toEqual([]);
      }),
      { numRuns: 15 },
    );
  });

  it('may be several of one kind', async () => {
    const kinds = FAMILIES.filter((make) => make().single === undefined);
    const second = kinds.map((make) => () => inLane(make(), `${make().name}-2`));
    const results = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(runs, async (run) => {
        const { cluster, ops, mostHit } = await play([...kinds, ...second], run);
        expect(mostHit).toBeLessThanOrEqual(hitLimit(run.size));
        expect(await cluster.clock.run(cluster.damage())).toEqual([]);
        for (const { lane, value, type } of ops) {
          const { evidence, fault, stage } = value as unknown as FaultValue;
          if (type === 'invoke' || evidence === undefined) continue;
          expect({ lane, stage, result: evidence.result }).not.toMatchObject({ result: 'failed' });
          expect([fault, `${fault}-2`]).toContain(lane);
          if (evidence.result === 'installed')
            results.set(lane ?? '', (results.get(lane ?? '') ?? 0) + 1);
        }
      }),
      { numRuns: 30 },
    );
    expect(results.size).toBe(2 * kinds.length);
  });

  it('begin and end in turns, a begin and its end under one id', async () => {
    const { ops } = await play(FAMILIES, { seed: 5, size: 5, forMs: 120_000 });
    const lanes = Map.groupBy(ops, ({ lane }) => lane ?? '');
    expect(lanes.size).toBe(FAMILIES.length);
    for (const [lane, events] of lanes) {
      for (const [at, { id, type, value }] of events.entries()) {
        const stage = Math.floor(at / 2) % 2 === 0 ? 'begin' : 'end';
        expect({ id, type, value }).toMatchObject({
          id: `${lane}-${Math.floor(at / 4) + 1}`,
          type: at % 2 === 0 ? 'invoke' : 'info',
          ...(events[at + 1] !== undefined && { value: { stage } }),
        });
      }
    }
  });

  it('ask and do the same for the same seed', async () => {
    const [a, b, other] = await Promise.all(
      [5, 5, 6].map((seed) => play(FAMILIES, { seed, size: 5, forMs: 60_000 })),
    );
    expect(a?.ops).toEqual(b?.ops);
    expect(a?.ops).not.toEqual(other?.ops);
  });
});
