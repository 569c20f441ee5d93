import { readFile } from 'node:fs/promises';
import { requireProperties } from '../checkers/sometimes/sometimes.ts';
import { parseSchedule } from '../cluster/nemeses/parse-schedule.ts';
import { HarnessError, messageOf } from '../harness/core/errors.ts';
import { LIMITS } from '../harness/core/limits.ts';
import { freshSeed, parseSeed, Random, seedFrom } from '../harness/core/prng.ts';
import { suggest } from '../harness/core/suggest.ts';
import { type NodeName, parseDurationMs } from '../harness/core/units.ts';
import type { ReadMode } from '../harness/history/op.ts';
import { NETWORK_ABILITIES } from '../harness/protocols/network.ts';
import type { RunConfig } from '../harness/protocols/run.ts';
import type { BackendName, ReadPromise, System, Timing } from '../harness/protocols/system.ts';
import type { Workload } from '../harness/protocols/workload.ts';
import { attachedRun } from './config/attach.ts';
import type { AttachConfig, ScheduleLine } from './config/config.ts';
import { thresholdsOf } from './config/thresholds.ts';
import { BUILT_IN, type Catalogue, makeNemesis } from './registry.ts';

/** The flags of `run` as the command line gives them; all texts, all checked here. */
export interface RunFlags {
  readonly backend?: string;
  readonly nodes?: string;
  readonly latency?: string;
  readonly workloadOption: readonly string[];
  readonly systemOption: readonly string[];
  readonly bug?: string;
  /** Of the nodes' containers: an option of the system, with a flag of its own. */
  readonly image?: string;
  /** `false` for `--no-faults`. */
  readonly fault?: string;
  readonly faults: boolean;
  readonly requireFaults?: boolean;
  readonly seed?: string;
  readonly duration: string;
  readonly quietStart: string;
  readonly faultInterval?: string;
  readonly faultDuration?: string;
  /** A file, or from a config the faults themselves. */
  readonly schedule?: string | readonly ScheduleLine[];
  readonly thresholds?: RunConfig['thresholds'];
  /** Properties, comma-separated, that a run must reach. */
  readonly sometimes?: string;
  /** `metric: expression`, over what a config asks of that metric. */
  readonly threshold?: readonly string[];
  readonly clients?: string;
  readonly clientTimeout: string;
  readonly rate: string;
  readonly readMode?: string;
  readonly promise: readonly string[];
  readonly checkTimeout: string;
  readonly checkMemory: string;
  readonly unknown: string;
}

const MODES: readonly ReadMode[] = ['linearizable', 'serializable'];
const PROMISES: readonly ReadPromise[] = ['linearizable', 'serializable'];
const UNKNOWN = ['fail', 'warn', 'pass'] as const;

function bad(message: string): never {
  throw new HarnessError('bad-option', message);
}

/**
 * Resolves the flags against a system and a workload; throws `bad-option` for the first bad one.
 * `attach`: where the nodes are, for backend `attach`. `catalogue`: the faults there are.
 */
export async function resolveConfig(
  flags: RunFlags,
  system: System,
  workload: Workload,
  env: Readonly<Record<string, string | undefined>>,
  attach?: AttachConfig,
  catalogue: Catalogue = BUILT_IN,
): Promise<RunConfig> {
  const missing = workload.needs.filter((need) => !system.capabilities.includes(need));
  if (missing.length > 0)
    bad(
      `workload ${workload.name} needs ${missing.join(', ')}, which ${system.name} does not have`,
    );
  const backend = backendOf(flags.backend, system);
  if (flags.bug !== undefined && !('bug' in system.options))
    bad(`--bug: ${system.name} has no planted bugs; raftkv and memory have`);
  const options = pairs(
    '--system-option',
    [
      ...flags.systemOption,
      ...(flags.bug === undefined ? [] : [`bug=${flags.bug}`]),
      ...(flags.image === undefined ? [] : [`image=${flags.image}`]),
    ],
    Object.keys(system.options),
    system.name,
  );
  const attached = backend === 'attach' ? attachedRun(attach, { ...flags, options }) : undefined;
  const nodes = nodesOf(attached?.nodes.join() ?? flags.nodes ?? String(system.defaultNodes));
  const systemOptions = attached?.systemOptions ?? options;
  const own = pairs(
    '--workload-option',
    flags.workloadOption,
    Object.keys(workload.options),
    workload.name,
  );
  const durationMs = parseDurationMs(flags.duration, '--duration');
  const timing = system.timing(systemOptions);
  const latencyMs = latencyOf(flags.latency, system, timing);
  const schedule =
    flags.schedule === undefined
      ? undefined
      : await scheduleFrom(flags.schedule, timing, catalogue);
  const workloadOptions = {
    clients: clientsOf(flags.clients ?? `${2 * (workload.parts ?? 1)}n`, nodes.length),
    nodes,
    rate: numberOf('--rate', flags.rate, 0, 1_000_000),
    clientTimeoutMs: parseDurationMs(flags.clientTimeout, '--client-timeout'),
    ...(latencyMs > 0 && { latencyMs }),
    readModes: readModesOf(flags.readMode, workload),
    capabilities: system.capabilities,
    own,
  };
  // Only the workload can read its own options: let it, before anything is started.
  workload.build(workloadOptions, Random.stream(seedFrom(0), 'options'));
  const faults = canHave(faultsOf(flags, schedule, nodes.length), system);
  for (const fault of faults) makeNemesis(fault, catalogue);
  const kinds = Object.keys(catalogue.nemeses);
  const thresholds = thresholdsOf(flags.thresholds, flags.threshold, kinds);
  const sometimes = sometimesOf(flags.sometimes);
  return {
    system: system.name,
    systemOptions,
    backend,
    nodes,
    ...(latencyMs > 0 && { latencyMs }),
    workload: workload.name,
    workloadOptions,
    faults,
    requireFaults: flags.requireFaults ?? isCi(env),
    seed: flags.seed === undefined ? freshSeed() : parseSeed(flags.seed),
    durationMs,
    quietMs: parseDurationMs(flags.quietStart, '--quiet-start'),
    // A short run should still see a few faults of each kind.
    faultIntervalMs:
      flags.faultInterval === undefined
        ? Math.min(5000, durationMs / 4)
        : parseDurationMs(flags.faultInterval, '--fault-interval', timing),
    faultDurationMs:
      flags.faultDuration === undefined
        ? Math.min(4000, durationMs / 5)
        : parseDurationMs(flags.faultDuration, '--fault-duration', timing),
    ...(schedule !== undefined && { schedule }),
    promises: promisesOf(flags.promise, system, workload),
    checkLimits: {
      timeoutMs: parseDurationMs(flags.checkTimeout, '--check-timeout'),
      memoryBytes: bytesOf(flags.checkMemory),
    },
    unknown: oneOf('--unknown', flags.unknown, UNKNOWN),
    ...(thresholds !== undefined && { thresholds }),
    ...(sometimes.length > 0 && { sometimes }),
  };
}

/** Each once, in the order asked. */
function sometimesOf(text = ''): readonly string[] {
  const names = text.split(',').map((name) => name.trim());
  const asked = [...new Set(names.filter((name) => name !== ''))];
  requireProperties(asked, '--sometimes');
  return asked;
}

function backendOf(text: string | undefined, { name, backends }: System): BackendName {
  const [first] = backends;
  if (first === undefined) bad(`${name} has no backend`);
  if (text === undefined) return first;
  const found = backends.find((each) => each === text);
  if (found !== undefined) return found;
  return bad(
    `--backend: ${name} has no '${text}'${suggest(text, backends)}; it has: ${backends.join(', ')}`,
  );
}

function nodesOf(text: string): readonly NodeName[] {
  const names = /^\d+$/.test(text)
    ? Array.from({ length: Number(text) }, (_, index) => `n${index + 1}`)
    : text.split(',');
  if (names.length < 1 || names.length > LIMITS.nodesMax)
    bad(`--nodes: ${names.length} nodes; there can be 1 to ${LIMITS.nodesMax}`);
  const wrong = names.find((name) => !/^[a-z][a-z0-9-]{0,30}$/.test(name));
  if (wrong !== undefined)
    bad(`--nodes: '${wrong}' is not a node name; write a number, or names such as n1,n2,n3`);
  if (new Set(names).size !== names.length) bad(`--nodes: a name stands twice in '${text}'`);
  return names;
}

/**
 * Whole milliseconds, as Toxiproxy counts them. With a round trip of two election timeouts, which is
 * the longest that a candidate waits for votes, nobody would ever lead.
 */
function latencyOf(
  text: string | undefined,
  { name, network }: Pick<System, 'name' | 'network'>,
  timing: Timing,
): number {
  if (text === undefined) return 0;
  const latencyMs = Math.round(parseDurationMs(text, '--latency', timing));
  if (latencyMs > LIMITS.latencyMsMax)
    bad(`--latency: '${text}' is too long; it can be 0 to ${LIMITS.latencyMsMax / 1000}s`);
  if (latencyMs > 0 && !network.has('latency'))
    bad(`--latency: ${name} has no latency on its links; they can: ${[...network].join(', ')}`);
  if (latencyMs >= timing.electionMs)
    bad(
      `--latency: with ${latencyMs} ms each way nobody wins an election, whose timeout here is ` +
        `${timing.electionMs} ms; less, or a longer timeout`,
    );
  return latencyMs;
}

/** A whole number, or `3n` for three on each node. */
function clientsOf(text: string, nodes: number): number {
  const match = /^(\d+)(n?)$/.exec(text);
  if (match === null) bad(`--clients: '${text}' is not a number; write 10, or 2n for two a node`);
  const clients = Number(match[1]) * (match[2] === 'n' ? nodes : 1);
  if (clients < 1 || clients > LIMITS.clientsMax)
    bad(`--clients: ${clients} is out of range; there can be 1 to ${LIMITS.clientsMax}`);
  return clients;
}

function numberOf(flag: string, text: string, min: number, max: number): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max))
    bad(`${flag}: '${text}' is not a number from ${min} to ${max}`);
  return value;
}

/** `512MB` or `4GB`, at least 64 MB; throws `bad-option`. */
export function bytesOf(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(MB|GB)$/i.exec(text);
  if (match === null) bad(`--check-memory: '${text}' is not a size; write 512MB or 4GB`);
  const bytes = Number(match[1]) * (match[2]?.toUpperCase() === 'GB' ? 2 ** 30 : 2 ** 20);
  if (bytes < 64 * 2 ** 20) bad(`--check-memory: '${text}' is too small; give at least 64MB`);
  return bytes;
}

function readModesOf(text: string | undefined, workload: Workload): readonly ReadMode[] {
  if (text === undefined) return workload.readModes;
  const modes = listOf('--read-mode', text, MODES);
  const not = modes.find((mode) => !workload.readModes.includes(mode));
  return not === undefined
    ? modes
    : bad(
        `--read-mode: workload ${workload.name} does not ask ${not} reads; --workload reads does`,
      );
}

/** `CI=false`, as some set it, means what it says. */
export function isCi(env: Readonly<Record<string, string | undefined>>): boolean {
  return !['', '0', 'false'].includes(env['CI'] ?? '');
}

function oneOf<T extends string>(flag: string, text: string, all: readonly T[]): T {
  const found = all.find((item) => item === text);
  return found ?? bad(`${flag}: '${text}'${suggest(text, all)}; it is one of ${all.join(', ')}`);
}

function listOf<T extends string>(flag: string, text: string, all: readonly T[]): readonly T[] {
  return [...new Set(text.split(',').map((item) => oneOf(flag, item.trim(), all)))];
}

function pairs(
  flag: string,
  texts: readonly string[],
  known: readonly string[],
  owner: string,
): Readonly<Record<string, string>> {
  const out: Record<string, string> = {};
  for (const text of texts) {
    const match = /^([a-z][a-z0-9-]*)=(.*)$/s.exec(text);
    const [, name, value] = match ?? [];
    if (name === undefined || value === undefined) bad(`${flag}: '${text}' is not name=value`);
    if (!known.includes(name)) {
      const there = known.length === 0 ? 'it has none' : `it has: ${known.join(', ')}`;
      bad(`${flag}: ${owner} has no option '${name}'${suggest(name, known)}; ${there}`);
    }
    out[name] = value;
  }
  return out;
}

/** `mode=model` texts over what is promised anyway; throws `bad-option`. */
export function promisesOf(
  texts: readonly string[],
  { promises }: Pick<System, 'promises'>,
  { readModes: asked, name }: Pick<Workload, 'readModes' | 'name'>,
): RunConfig['promises'] {
  const out = { ...promises };
  for (const text of texts) {
    const [mode = '', promise] = text.split('=', 2);
    if (promise === undefined)
      bad(`--promise: '${text}' is not mode=model; write serializable=linearizable`);
    if (!asked.includes(oneOf('--promise', mode, MODES)))
      bad(`--promise: workload ${name} does not ask ${mode} reads; --workload reads does`);
    out[oneOf('--promise', mode, MODES)] = oneOf('--promise', promise, PROMISES);
  }
  return out;
}

/**
 * A shape that the system's links cannot do is refused before anything starts, and so is one beside
 * `link`: where two lanes install one shape, neither can prove its own.
 */
function canHave(faults: readonly string[], { name, network }: System): readonly string[] {
  const double = faults.includes('link') && NETWORK_ABILITIES.find((each) => faults.includes(each));
  if (typeof double === 'string') bad(`--fault: link draws ${double}, too; leave one of them out`);
  for (const fault of faults) {
    const needed = NETWORK_ABILITIES.find(
      (each) => each === (fault === 'partition' ? 'cut' : fault),
    );
    if (needed !== undefined && !network.has(needed))
      bad(`--fault: ${name} has no ${fault} on its links; they can: ${[...network].join(', ')}`);
  }
  return faults;
}

function faultsOf(
  flags: RunFlags,
  schedule: RunConfig['schedule'],
  nodes: number,
): readonly string[] {
  if (!flags.faults) {
    if (flags.fault !== undefined || schedule !== undefined)
      bad('--no-faults: give it alone, without --fault or --schedule');
    return [];
  }
  if (schedule !== undefined) {
    if (flags.fault !== undefined) bad('--schedule: it names the faults itself; leave --fault out');
    return [...new Set(schedule.map(({ fault }) => fault))];
  }
  // One or two nodes cannot be parted so that somebody goes on.
  const text = flags.fault ?? (nodes > 2 ? 'partition,kill,pause' : 'kill,pause');
  return [...new Set(text.split(',').map((item) => item.trim()))];
}

async function scheduleFrom(
  given: string | readonly ScheduleLine[],
  timing: Timing,
  catalogue: Catalogue,
): Promise<RunConfig['schedule']> {
  const nemeses = Object.keys(catalogue.nemeses).map((name) => makeNemesis(name, catalogue));
  if (typeof given !== 'string')
    return parseSchedule(JSON.stringify(given), 'schedule', nemeses, timing);
  let text: string;
  try {
    text = await readFile(given, 'utf8');
  } catch (error) {
    throw new HarnessError('bad-input', `--schedule: cannot read ${given}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return parseSchedule(text, given, nemeses, timing);
}
