/** A fault that waits for an event is there as soon as it comes: what takes long was looked at before. */
import { describe, expect, test } from 'vitest';
import { sleep } from '../../harness/core/clock.ts';
import { msFromNanos } from '../../harness/core/units.ts';
import type { FaultValue, Nemesis, NemesisContext } from '../../harness/protocols/nemesis.ts';
import type { Grudge } from '../../harness/protocols/network.ts';
import { blackhole, hold, latency } from './link.ts';
import type { FaultOptions } from './options.ts';
import { partition } from './partition.ts';
import { FakeCluster, faultOp } from './testing.ts';

const LOOK_MS = 300;
/** Nobody hears anybody. */
const ALL: Grudge = new Map([
  ['n1', new Set(['n2', 'n3'])],
  ['n2', new Set(['n1', 'n3'])],
  ['n3', new Set(['n1', 'n2'])],
]);

/** A cluster of three over whose links bytes take long; it notes when it is asked for what. */
class SlowLinks extends FakeCluster {
  looks = 0;
  brokenAtMs: number | undefined;

  constructor() {
    super(3);
  }

  slow(): NemesisContext {
    const network = this.network();
    const broken = (): void => {
      this.brokenAtMs ??= this.nowMs();
    };
    return this.context(1, {
      network: {
        ...network,
        observe: async () => {
          this.looks++;
          const matrix = await network.observe();
          await sleep(this.clock, LOOK_MS);
          return matrix;
        },
        drop: (grudge) => {
          broken();
          return network.drop(grudge);
        },
        shape: (link, shape) => {
          broken();
          return network.shape(link, shape);
        },
      },
    });
  }

  nowMs(): number {
    return msFromNanos(this.clock.now());
  }
}

interface Played {
  readonly value: FaultValue;
  /** From the event until the first link was broken. */
  readonly tookMs: number;
}

/** It waits so long, then the event comes. */
async function played(
  cluster: SlowLinks,
  nemesis: Nemesis,
  options: FaultOptions,
  waitMs: number | undefined,
  onEvent: (ctx: NemesisContext) => Promise<void> = () => Promise.resolve(),
): Promise<Played> {
  const ctx = cluster.slow();
  const op = faultOp(nemesis.name, { ...options, stage: 'begin' });
  const over = new AbortController();
  const play = async (): Promise<Played> => {
    const looking = waitMs === undefined ? undefined : nemesis.lookAhead?.(op, ctx, over.signal);
    await sleep(cluster.clock, waitMs ?? 0);
    over.abort();
    await onEvent(ctx);
    const startMs = cluster.nowMs();
    const value = await nemesis.invoke(op, ctx);
    await looking;
    return { value, tookMs: (cluster.brokenAtMs ?? Number.NaN) - startMs };
  };
  return cluster.clock.run(play());
}

const CUTS: readonly [string, () => Nemesis, FaultOptions][] = [
  ['partition', partition, { shape: 'isolate-leader' }],
  ['hold', hold, { target: 'leader' }],
  ['blackhole', blackhole, { target: 'leader' }],
];

describe('a cut that waits', () => {
  test.each(CUTS)('%s is there at once when its event comes', async (_, make, options) => {
    const ahead = new SlowLinks();
    const waited = await played(ahead, make(), options, 2500);
    expect(waited.value.evidence.result).toBe('installed');
    expect(waited.tookMs).toBeLessThan(10);
    // Two while it waited, each a look and an election apart; one that proves the cut.
    expect(ahead.looks).toBe(3);

    const unprepared = await played(new SlowLinks(), make(), options, undefined);
    expect(unprepared.value.evidence.result).toBe('installed');
    expect(unprepared.tookMs).toBeGreaterThanOrEqual(LOOK_MS);
  });

  test.each(CUTS)('%s looks again when all seemed cut before', async (_, make, options) => {
    const cluster = new SlowLinks();
    await cluster.clock.run(cluster.network().drop(ALL));
    const { value } = await played(cluster, make(), options, 2500, () =>
      cluster.network().undrop(ALL),
    );
    expect(value.evidence.result).toBe('installed');
  });

  test('is skipped when all are cut now', async () => {
    const cluster = new SlowLinks();
    await cluster.clock.run(cluster.network().drop(ALL));
    const { value } = await played(cluster, partition(), { shape: 'isolate-leader' }, 2500);
    expect(value.evidence).toMatchObject({
      result: 'skipped',
      why: expect.stringContaining('nothing passes'),
    });
  });

  test('uses a look once only', async () => {
    const cluster = new SlowLinks();
    const nemesis = partition();
    await played(cluster, nemesis, { shape: 'isolate-leader' }, 2500);
    const before = cluster.looks;
    cluster.brokenAtMs = undefined;
    const { tookMs } = await played(cluster, nemesis, { shape: 'isolate-leader' }, undefined);
    expect(tookMs).toBeGreaterThanOrEqual(LOOK_MS);
    expect(cluster.looks).toBeGreaterThan(before + 1);
  });
});

test('latency measures round trips when it begins, not before', async () => {
  const cluster = new SlowLinks();
  const { value } = await played(cluster, latency(), { target: 'leader', latency: '500ms' }, 2500);
  expect(value.evidence.result).toBe('installed');
  expect(cluster.looks).toBe(2);
});

test('words that nobody knows are told when it begins', async () => {
  const { value } = await played(new SlowLinks(), partition(), { shape: 'none-such' }, 2500);
  expect(value.evidence).toMatchObject({ result: 'failed', why: expect.stringContaining('shape') });
});
