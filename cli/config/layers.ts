/** Options of a run from several places: flags over a test over its project over the config. */
import type { RunConfig } from '../../harness/protocols/run.ts';
import type { System } from '../../harness/protocols/system.ts';
import type { Workload } from '../../harness/protocols/workload.ts';
import type { Flags } from '../flags.ts';
import { isCi } from '../options.ts';
import { type Catalogue, chooseSystem, findWorkload } from '../registry.ts';
import type { RunOptions } from './config.ts';
import { withConfig } from './flags.ts';
import { RUN_OPTIONS } from './schema.ts';

/** Where a value was said; `drawn`: nowhere, and chance chose it. */
export type Origin = 'flag' | 'test' | 'project' | 'config' | 'environment' | 'default' | 'drawn';

/** From the lowest. */
const RANKS: readonly Origin[] = ['default', 'config', 'project', 'test', 'flag'];

export interface Layer {
  readonly origin: 'config' | 'project' | 'test';
  readonly options: RunOptions;
}

export interface Layered {
  readonly flags: Flags;
  readonly system: System;
  readonly workload: Workload;
  /** By the name of the option, such as `duration` or `systemOptions.heartbeat`. */
  readonly origins: ReadonlyMap<string, Origin>;
}

/** Options that are objects: what one layer says is joined with what those below it say. */
const JOINED = ['systemOptions', 'workloadOptions', 'promises', 'thresholds'] as const;

interface Merged {
  readonly options: RunOptions;
  readonly origins: ReadonlyMap<string, Origin>;
}

/**
 * Puts the flags over the layers, the lowest of which comes first. What a lower layer says to the
 * system or the workload is left out where a higher one has chosen another, which does not know it.
 * Throws `bad-option` for an unknown system or workload.
 */
export function layered(
  given: Flags,
  isGiven: (flag: string) => boolean,
  layers: readonly Layer[],
  catalogue: Catalogue,
): Layered {
  const { options, origins } = merge(layers);
  const chosen = withConfig(given, options, isGiven);
  const system = chooseSystem(chosen, catalogue);
  const workload = findWorkload(chosen.workload, catalogue);
  const originOf = (name: string): Origin =>
    isGiven(name) ? 'flag' : (origins.get(name) ?? 'default');
  const known = (
    key: 'systemOptions' | 'workloadOptions',
    chosenBy: Origin,
    names: Readonly<Record<string, string>>,
  ): RunOptions => {
    const kept = Object.entries(options[key] ?? {}).filter(([name]) => {
      const saidBy = origins.get(`${key}.${name}`) ?? 'default';
      return Object.hasOwn(names, name) || RANKS.indexOf(saidBy) >= RANKS.indexOf(chosenBy);
    });
    return { [key]: Object.fromEntries(kept) };
  };
  const flags = withConfig(
    given,
    {
      ...options,
      ...known('systemOptions', originOf('system'), system.options),
      ...known('workloadOptions', originOf('workload'), workload.options),
    },
    isGiven,
  );
  return { flags, system, workload, origins };
}

function merge(layers: readonly Layer[]): Merged {
  const origins = new Map<string, Origin>();
  let options: Record<string, unknown> = {};
  for (const { origin, options: all } of layers) {
    const said = Object.entries(all).filter(([name]) => RUN_OPTIONS.includes(name));
    // One of them says which faults there are, whatever the other said before.
    if (said.some(([name]) => name === 'faults' || name === 'schedule')) {
      const { faults: _, schedule: __, ...rest } = options;
      options = rest;
      for (const name of ['faults', 'schedule']) origins.delete(name);
    }
    for (const [name, value] of said) {
      if (!JOINED.some((joined) => joined === name)) {
        options[name] = value;
        origins.set(name, origin);
        continue;
      }
      options[name] = { ...(options[name] as object | undefined), ...(value as object) };
      for (const inner of Object.keys(value as object)) origins.set(`${name}.${inner}`, origin);
    }
  }
  return { options, origins };
}

/** The options behind each part of a configuration: the flag, and its name in a config file. */
const BEHIND: Readonly<Record<string, readonly (readonly [flag: string, option: string])[]>> = {
  system: [['system', 'system']],
  backend: [['backend', 'backend']],
  nodes: [['nodes', 'nodes']],
  latencyMs: [['latency', 'latency']],
  workload: [['workload', 'workload']],
  'workloadOptions.clients': [['clients', 'clients']],
  'workloadOptions.nodes': [['nodes', 'nodes']],
  'workloadOptions.rate': [['rate', 'rate']],
  'workloadOptions.clientTimeoutMs': [['clientTimeout', 'clientTimeout']],
  'workloadOptions.latencyMs': [['latency', 'latency']],
  'workloadOptions.readModes': [['readMode', 'readModes']],
  'workloadOptions.capabilities': [['system', 'system']],
  faults: [
    ['fault', 'faults'],
    ['faults', 'faults'],
    ['schedule', 'schedule'],
  ],
  requireFaults: [['requireFaults', 'requireFaults']],
  seed: [['seed', 'seed']],
  durationMs: [['duration', 'duration']],
  quietMs: [['quietStart', 'quietStart']],
  faultIntervalMs: [['faultInterval', 'faultInterval']],
  faultDurationMs: [['faultDuration', 'faultDuration']],
  schedule: [['schedule', 'schedule']],
  'checkLimits.timeoutMs': [['checkTimeout', 'checkTimeout']],
  'checkLimits.memoryBytes': [['checkMemory', 'checkMemory']],
  unknown: [['unknown', 'unknown']],
  sometimes: [['sometimes', 'sometimes']],
};

/** Options with names of their own, and the flag that gives one of them as `name=value`. */
const NAMED: readonly (readonly [
  place: string,
  option: string,
  flag: 'systemOption' | 'workloadOption' | 'promise',
])[] = [
  ['systemOptions', 'systemOptions', 'systemOption'],
  ['workloadOptions.own', 'workloadOptions', 'workloadOption'],
  ['promises', 'promises', 'promise'],
];

/** Where each value of a resolved configuration was said, by its place: `checkLimits.timeoutMs`. */
export function originsOf(
  config: RunConfig,
  given: Flags,
  isGiven: (flag: string) => boolean,
  origins: ReadonlyMap<string, Origin>,
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, Origin>> {
  const out: Record<string, Origin> = {};
  for (const [place, behind] of Object.entries(BEHIND)) {
    if (place === 'schedule' && config.schedule === undefined) continue;
    if (place === 'sometimes' && config.sometimes === undefined) continue;
    if (place.endsWith('latencyMs') && config.latencyMs === undefined) continue;
    const said = behind.flatMap(([, option]) => origins.get(option) ?? [])[0];
    out[place] = behind.some(([flag]) => isGiven(flag)) ? 'flag' : (said ?? unsaid(place, env));
  }
  for (const [place, option, flag] of NAMED) {
    for (const name of Object.keys(namedIn(config, place))) {
      const isFlag =
        given[flag].some((text) => text.startsWith(`${name}=`)) ||
        (place === 'systemOptions' && (name === 'bug' || name === 'image') && isGiven(name));
      const said = origins.get(`${option}.${name}`) ?? (name === 'bug' && origins.get(name));
      out[`${place}.${name}`] = isFlag ? 'flag' : said || 'default';
    }
  }
  for (const metric of Object.keys(config.thresholds ?? {})) {
    const isFlag = (given.threshold ?? []).some((text) => text.startsWith(`${metric}:`));
    out[`thresholds.${metric}`] = isFlag ? 'flag' : (origins.get(`thresholds.${metric}`) ?? 'flag');
  }
  return out;
}

function namedIn(config: RunConfig, place: string): object {
  if (place === 'systemOptions') return config.systemOptions;
  return place === 'promises' ? config.promises : config.workloadOptions.own;
}

function unsaid(place: string, env: Readonly<Record<string, string | undefined>>): Origin {
  if (place === 'seed') return 'drawn';
  return place === 'requireFaults' && isCi(env) ? 'environment' : 'default';
}
