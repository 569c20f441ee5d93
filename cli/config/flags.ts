import type { Flags } from '../flags.ts';
import type { ConfigValue, RunOptions, SchismConfig } from './config.ts';

/**
 * The flags of a run with those of a config file under them. `isGiven` tells a flag of the command
 * line from one that has its default. Of flags that may be given several times the last one counts, so
 * the file's come first.
 */
export function withConfig(
  flags: Flags,
  config: SchismConfig,
  isGiven: (flag: string) => boolean,
): Flags {
  const { workload, readModes, systemOptions, workloadOptions, promises, nodes } = config;
  const texts: { readonly [name in keyof Flags]?: ConfigValue | undefined } = {
    system: config.system,
    backend: config.backend,
    bug: config.bug,
    nodes: typeof nodes === 'object' ? nodes.join(',') : nodes,
    latency: config.latency,
    workload: typeof workload === 'object' ? workload.join(',') : workload,
    clients: config.clients,
    clientTimeout: config.clientTimeout,
    rate: config.rate,
    readMode: readModes?.join(','),
    faultInterval: config.faultInterval,
    faultDuration: config.faultDuration,
    duration: config.duration,
    quietStart: config.quietStart,
    seed: config.seed,
    checkTimeout: config.checkTimeout,
    checkMemory: config.checkMemory,
    unknown: config.unknown,
    sometimes: config.sometimes?.join(','),
    output: config.output,
  };
  const ours = Object.entries(texts).flatMap(([name, value]) =>
    value === undefined || isGiven(name) ? [] : [[name, String(value)] as const],
  );
  const { requireFaults } = config;
  return {
    ...flags,
    ...Object.fromEntries(ours),
    ...(isGiven('requireFaults') || requireFaults === undefined ? {} : { requireFaults }),
    ...faultsOf(config, isGiven),
    systemOption: [...pairs(systemOptions), ...flags.systemOption],
    workloadOption: [...pairs(workloadOptions), ...flags.workloadOption],
    promise: [...pairs(promises), ...flags.promise],
    ...(config.thresholds !== undefined && { thresholds: config.thresholds }),
  };
}

/** Which faults: three flags that exclude each other, so that one given drops all of the file's. */
function faultsOf(
  { faults, schedule }: RunOptions,
  isGiven: (flag: string) => boolean,
): Pick<Flags, 'fault' | 'schedule'> & { readonly faults?: boolean } {
  if (['fault', 'faults', 'schedule'].some(isGiven)) return {};
  return {
    ...(faults === false && { faults }),
    ...(Array.isArray(faults) && { fault: faults.join(',') }),
    ...(schedule !== undefined && { schedule }),
  };
}

function pairs(options: Readonly<Record<string, ConfigValue>> = {}): string[] {
  return Object.entries(options).map(([name, value]) => `${name}=${value}`);
}
