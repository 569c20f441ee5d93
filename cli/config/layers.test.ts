import { Command } from 'commander';
import { expect, test } from 'vitest';
import { addRunFlags, type Flags } from '../flags.ts';
import { resolveConfig } from '../options.ts';
import { BUILT_IN } from '../registry.ts';
import type { RunOptions } from './config.ts';
import { type Layer, type Layered, layered, originsOf } from './layers.ts';

interface Under {
  readonly config?: RunOptions;
  readonly project?: RunOptions;
  readonly test?: RunOptions;
}

interface Said {
  readonly given: Flags;
  readonly isGiven: (flag: string) => boolean;
  readonly found: Layered;
}

function under(
  words: readonly string[],
  { config = {}, project = {}, test: own = {} }: Under,
): Said {
  const command = addRunFlags(new Command('run')).parse([...words], { from: 'user' });
  const isGiven = (name: string): boolean => command.getOptionValueSource(name) === 'cli';
  const layers: readonly Layer[] = [
    { origin: 'config', options: config },
    { origin: 'project', options: project },
    { origin: 'test', options: own },
  ];
  const given = command.opts<Flags>();
  return { given, isGiven, found: layered(given, isGiven, layers, BUILT_IN) };
}

test('a test counts over its project, a project over the config, and a flag over all', () => {
  const all: Under = {
    config: { rate: 1, duration: '1s', clients: 1, seed: 1 },
    project: { duration: '2s', clients: 2, seed: 2 },
    test: { clients: 3, seed: 3 },
  };
  const { found } = under(['--seed', '4'], all);
  expect(found.flags).toMatchObject({ rate: '1', duration: '2s', clients: '3', seed: '4' });
  expect(Object.fromEntries(found.origins)).toEqual({
    rate: 'config',
    duration: 'project',
    clients: 'test',
    seed: 'test',
  });
});

test('options with names of their own are joined', () => {
  const { found } = under(['-O', 'election=9s'], {
    config: { systemOptions: { heartbeat: '10ms', election: '1s' }, thresholds: { a: ['1'] } },
    test: { systemOptions: { heartbeat: '20ms' }, thresholds: { b: ['2'] } },
  });
  expect(found.flags.systemOption).toEqual(['heartbeat=20ms', 'election=1s', 'election=9s']);
  expect(found.flags.thresholds).toEqual({ a: ['1'], b: ['2'] });
});

test('a schedule takes the place of the faults below it, and the other way round', () => {
  const line = { at: '1s', fault: 'kill', for: '1s' };
  expect(
    under([], { config: { faults: ['pause'] }, test: { schedule: [line] } }).found.flags,
  ).toMatchObject({ schedule: [line], faults: true });
  const { flags } = under([], { config: { schedule: 's.json' }, test: { faults: false } }).found;
  expect(flags.schedule).toBeUndefined();
  expect(flags.faults).toBe(false);
  const own = under([], { config: { schedule: 's.json' }, project: { schedule: 't.json' } });
  expect(own.found.flags.schedule).toBe('t.json');
});

test('who chooses another system or workload need not take away what only the former knew', () => {
  const config: RunOptions = {
    system: 'raftkv',
    systemOptions: { heartbeat: '10ms', bug: 'dirty-read' },
    workload: 'reads',
    workloadOptions: { 'read-timeout': 100, keys: 3 },
  };
  const { flags, system } = under(['--system', 'memory'], {
    config,
    test: { workload: 'register' },
  }).found;
  expect(system.name).toBe('memory');
  expect(flags.systemOption).toEqual(['bug=dirty-read']);
  expect(flags.workloadOption).toEqual(['keys=3']);
  // Where it was said beside the choice, it is a mistake, and is refused later.
  const wrong = under([], { config: { system: 'memory', systemOptions: { heartbeat: '1s' } } });
  expect(wrong.found.flags.systemOption).toEqual(['heartbeat=1s']);
});

test('unknown systems and workloads are refused with the nearest name', () => {
  expect(() => under([], { test: { system: 'raftvk' } })).toThrow("(did you mean 'raftkv'?)");
  expect(() => under([], { test: { workload: ['register', 'raeds'] } })).toThrow(
    "unknown workload 'raeds' (did you mean 'reads'?)",
  );
});

test('of every value it can be said where it comes from', async () => {
  const words = ['--bug', 'stale-read', '-W', 'keys=2', '--promise', 'serializable=linearizable'];
  const asked = [...words, '--threshold', 'ops_unknown: rate<0.5', '--check-timeout', '1m'];
  const { given, isGiven, found } = under(asked, {
    config: { system: 'memory', workloadOptions: { 'ops-per-key': 9 }, faults: ['kill'] },
    test: { thresholds: { throughput: ['rate>1'] }, promises: { linearizable: 'serializable' } },
  });
  const { flags, system, workload, origins } = found;
  const config = await resolveConfig(flags, system, workload, {});
  expect(originsOf(config, given, isGiven, origins, { CI: '1' })).toEqual({
    system: 'config',
    backend: 'default',
    nodes: 'default',
    workload: 'default',
    'workloadOptions.clients': 'default',
    'workloadOptions.nodes': 'default',
    'workloadOptions.rate': 'default',
    'workloadOptions.clientTimeoutMs': 'default',
    'workloadOptions.readModes': 'default',
    'workloadOptions.capabilities': 'config',
    'workloadOptions.own.keys': 'flag',
    'workloadOptions.own.ops-per-key': 'config',
    'systemOptions.bug': 'flag',
    faults: 'config',
    requireFaults: 'environment',
    seed: 'drawn',
    durationMs: 'default',
    quietMs: 'default',
    faultIntervalMs: 'default',
    faultDurationMs: 'default',
    'promises.linearizable': 'test',
    'promises.serializable': 'flag',
    'checkLimits.timeoutMs': 'flag',
    'checkLimits.memoryBytes': 'default',
    unknown: 'default',
    'thresholds.ops_unknown': 'flag',
    'thresholds.throughput': 'test',
  });
});
