import { describe, expect, test } from 'vitest';
import type { RunConfig, ScheduledFault } from '../../harness/protocols/run.ts';
import { reads } from '../../workloads/reads.ts';
import { register } from '../../workloads/register.ts';
import { reduce } from './reduce.ts';
import { aConfig } from './testing.ts';

/** Eight faults of three kinds, one every two seconds. */
const SCHEDULE: readonly ScheduledFault[] = Array.from({ length: 8 }, (_, at) => ({
  atMs: 1000 + 2017 * at,
  forMs: 1234,
  fault: ['pause', 'kill', 'partition'][at % 3] as string,
  options: { target: at % 2 === 0 ? 'leader' : 'followers' },
}));

const TIMING = { heartbeatMs: 50, electionMs: 500 };

interface Reduced {
  readonly config: RunConfig;
  readonly tried: readonly string[];
}

async function reduced(
  shows: (config: RunConfig) => boolean,
  { start = {}, isExact = true, most = Infinity }: Partial<Options> = {},
): Promise<Reduced> {
  const tried: string[] = [];
  const faults = ['pause', 'kill', 'partition'];
  const config = await reduce(aConfig({ schedule: SCHEDULE, faults, ...start }), {
    accepts: (change) => {
      tried.push(change.what);
      return Promise.resolve(shows(change.config) ? change.config : undefined);
    },
    isOver: () => tried.length >= most,
    isExact,
    timing: TIMING,
    workloads: [register, reads],
  });
  return { config, tried };
}
interface Options {
  readonly start: Partial<RunConfig>;
  readonly isExact: boolean;
  readonly most: number;
}

function has(config: RunConfig, fault: string, target: string): boolean {
  return (config.schedule ?? []).some(
    (one) => one.fault === fault && one.options['target'] === target,
  );
}

const WAITS = { after: 'leader-change', delayMs: 130, withinMs: 4000 } as const;

describe('what faults wait for', () => {
  const options = { target: 'leader' };
  const schedule: readonly ScheduledFault[] = [
    { atMs: 1000, forMs: 1000, fault: 'kill', options },
    { atMs: 1200, forMs: 400, fault: 'pause', options, lane: 'pause-2', trigger: WAITS },
  ];
  const start = { schedule, faults: ['kill', 'pause'] };

  test('is left out where a time will do, and so is a lane of its own', async () => {
    const { config, tried } = await reduced((one) => has(one, 'pause', 'leader'), { start });
    expect(config.schedule).toEqual([{ atMs: 500, forMs: 100, fault: 'pause', options }]);
    expect(tried).toContain('pause-2 leader 400 ms at 1.33 s');
  });

  test('stays where it is needed, without its delay if that will do', async () => {
    const isWaiting = ({ schedule: all = [] }: RunConfig): boolean =>
      all.some(({ trigger }) => trigger !== undefined);
    const { config } = await reduced(isWaiting, { start });
    expect(config.schedule).toEqual([
      { atMs: 500, forMs: 100, fault: 'pause', options, trigger: { ...WAITS, delayMs: 0 } },
    ]);
  });
});

describe('a run is made smaller', () => {
  test('to the one fault that it takes, at the beginning, round and short', async () => {
    const { config } = await reduced(
      (one) => has(one, 'kill', 'followers') && one.durationMs >= 1200,
    );
    expect(config.schedule).toEqual([
      { atMs: 500, forMs: 100, fault: 'kill', options: { target: 'followers' } },
    ]);
    expect(config).toMatchObject({ faults: ['kill'], durationMs: 2000, nodes: ['n1'] });
    expect(config.workloadOptions).toMatchObject({ clients: 1, nodes: ['n1'], own: { keys: '1' } });
  });

  test('to two that it takes together', async () => {
    const { config } = await reduced(
      (one) => has(one, 'pause', 'leader') && has(one, 'kill', 'followers'),
    );
    expect(config.schedule?.map(({ fault }) => fault).toSorted()).toEqual(['kill', 'pause']);
  });

  test('to none, where it shows without any', async () => {
    const { config } = await reduced(({ durationMs }) => durationMs >= 3000);
    expect(config).toMatchObject({ faults: [], durationMs: 5000 });
    expect(config).not.toHaveProperty('schedule');
  });

  test('to one of its workloads, with the options that this one has', async () => {
    const base = aConfig({});
    const own = { 'read-timeout': '100', deletes: '5' };
    const start = { workload: 'register+reads', workloadOptions: { ...base.workloadOptions, own } };
    const { config } = await reduced(({ workload }) => workload.includes('reads'), { start });
    expect(config.workload).toBe('reads');
    expect(config.workloadOptions.own).toEqual({ 'read-timeout': '100', keys: '1' });
  });

  test('not below the number of clients or nodes that it takes', async () => {
    const { config } = await reduced(
      ({ nodes, workloadOptions }) => nodes.length >= 3 && workloadOptions.clients >= 3,
      { start: { nodes: ['n1', 'n2', 'n3', 'n4', 'n5'] } },
    );
    expect(config.nodes).toEqual(['n1', 'n2', 'n3']);
    expect(config.workloadOptions).toMatchObject({ clients: 3, nodes: ['n1', 'n2', 'n3'] });
  });

  test('with less time before the faults', async () => {
    const { config } = await reduced(() => true, { start: { quietMs: 5000 } });
    expect(config).toMatchObject({ quietMs: 500, durationMs: 500, faults: [] });
  });

  describe('where a fault slows all links', () => {
    const slow = { atMs: 1000, forMs: 9000, fault: 'latency', options: { latency: '63ms' } };
    const start = {
      schedule: [slow, ...SCHEDULE],
      faults: ['latency', 'pause', 'kill', 'partition'],
    };
    const isFar = ({ latencyMs = 0, schedule = [] }: RunConfig, ms: number): boolean =>
      latencyMs >= ms || schedule.some(({ fault }) => fault === 'latency');

    test('to the latency of a run instead, as round as can be', async () => {
      const { config, tried } = await reduced(
        (one) => isFar(one, 40) && has(one, 'kill', 'followers'),
        { start },
      );
      expect(config).toMatchObject({ latencyMs: 50, faults: ['kill'] });
      expect(config.schedule?.length).toBe(1);
      expect(tried).toContain('63 ms between nodes instead of a fault');
    });

    test('and to none where it takes none', async () => {
      const { config } = await reduced((one) => has(one, 'kill', 'followers'), {
        start: { ...start, latencyMs: 30 },
      });
      expect(config).not.toHaveProperty('latencyMs');
    });

    test('keeps the fault where only that will do, after a last try', async () => {
      const last: string[] = [];
      const config = await reduce(aConfig(start), {
        accepts: ({ what, config: one, isWorthMore }) => {
          if (isWorthMore === true) last.push(what);
          return Promise.resolve(isFar(one, Number.POSITIVE_INFINITY) ? one : undefined);
        },
        isOver: () => false,
        isExact: true,
        timing: TIMING,
        workloads: [register],
      });
      expect(config.schedule?.map(({ fault }) => fault)).toEqual(['latency']);
      const what = '63 ms between nodes instead of a fault';
      expect(last).toEqual([what, what]);
    });
  });

  test('by kinds of fault, where they come by chance', async () => {
    const start = aConfig({ faults: ['pause', 'kill', 'partition'] });
    const tried: string[] = [];
    const config = await reduce(start, {
      accepts: ({ what, config: one }) => {
        tried.push(what);
        return Promise.resolve(one.faults.includes('kill') ? one : undefined);
      },
      isOver: () => false,
      isExact: true,
      timing: TIMING,
      workloads: [register],
    });
    expect(config.faults).toEqual(['kill']);
    expect(tried.slice(0, 4)).toEqual(['any fault', 'pause', 'kill', 'partition']);
  });

  test('and stays as it is where nothing may go', async () => {
    const { config, tried } = await reduced(() => false);
    expect(config).toEqual(aConfig({ schedule: SCHEDULE, faults: config.faults }));
    expect(tried.length).toBeLessThan(60);
  });

  test('until its time is up, with the smallest until then', async () => {
    const { config, tried } = await reduced((one) => has(one, 'kill', 'followers'), { most: 3 });
    expect(tried).toEqual(['any fault', 'pause', 'kill']);
    expect(config.faults).toEqual(['kill', 'partition']);
  });

  test('in fewer steps where each takes many runs', async () => {
    const shows = (one: RunConfig): boolean => has(one, 'kill', 'followers');
    const [exact, counted] = [await reduced(shows), await reduced(shows, { isExact: false })];
    expect(counted.tried.length).toBeLessThan(exact.tried.length);
    expect(counted.config.schedule?.length).toBe(1);
  });
});
