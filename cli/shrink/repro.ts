/** A configuration as somebody would have written it: words of a command line, and a test file. */
import { needsOwnObject } from '../../cluster/nemeses/trigger-spec.ts';
import type { JsonValue } from '../../harness/core/json.ts';
import { type Seed, seedText } from '../../harness/core/prng.ts';
import type { FaultTrigger, RunConfig, ScheduledFault } from '../../harness/protocols/run.ts';
import type { System } from '../../harness/protocols/system.ts';
import { clean } from '../../reports/words.ts';
import type { RunOptions, ScheduleLine } from '../config/config.ts';
import type { ViolationTestOptions } from '../suite/chaos-test.ts';

/** `2900ms` or `3s`, as `parseDurationMs` reads it. */
export function durationText(ms: number): string {
  return ms % 1000 === 0 && ms > 0 ? `${ms / 1000}s` : `${Number(ms.toFixed(6))}ms`;
}

export function scheduleLines(schedule: readonly ScheduledFault[]): readonly ScheduleLine[] {
  return schedule.map(scheduleLine);
}

const LINE_KEYS: readonly string[] = ['at', 'for', 'fault', 'lane'];

/** Read again, with the times of any system, it gives the same fault. */
function scheduleLine({
  atMs,
  forMs,
  fault,
  options,
  lane,
  trigger,
}: ScheduledFault): ScheduleLine {
  return {
    at: durationText(atMs),
    ...triggerWords(trigger),
    fault,
    for: durationText(forMs),
    ...(lane !== undefined && { lane }),
    ...(needsOwnObject(options, trigger, LINE_KEYS) ? { options } : options),
  };
}

function triggerWords(trigger: FaultTrigger | undefined): Readonly<Record<string, string>> {
  if (trigger === undefined) return {};
  const within = durationText(trigger.withinMs);
  if ('while' in trigger) return { while: trigger.while, on: trigger.on, within };
  const { after, of, delayMs } = trigger;
  return {
    after,
    ...(of !== undefined && { of }),
    ...(delayMs > 0 && { delay: durationText(delayMs) }),
    within,
  };
}

/** Resolved again, these give the same configuration. `system`: the one it runs. */
export function optionsOf(config: RunConfig, system: Pick<System, 'promises'>): RunOptions {
  const { workloadOptions, systemOptions, promises } = config;
  const { bug, ...options } = systemOptions;
  const own = Object.entries(promises).filter(
    ([mode, promise]) => system.promises[mode as keyof typeof promises] !== promise,
  );
  return {
    system: config.system,
    backend: config.backend,
    ...(Object.keys(options).length > 0 && { systemOptions: options }),
    ...(bug !== undefined && { bug }),
    nodes: countOrNames(config.nodes),
    ...(config.latencyMs !== undefined && { latency: durationText(config.latencyMs) }),
    workload: config.workload.split('+'),
    ...(Object.keys(workloadOptions.own).length > 0 && { workloadOptions: workloadOptions.own }),
    clients: workloadOptions.clients,
    clientTimeout: durationText(workloadOptions.clientTimeoutMs),
    rate: workloadOptions.rate,
    readModes: workloadOptions.readModes,
    ...(own.length > 0 && { promises: Object.fromEntries(own) }),
    ...faultOptions(config),
    duration: durationText(config.durationMs),
    quietStart: durationText(config.quietMs),
    seed: seedText(config.seed as Seed),
    ...(config.thresholds !== undefined && { thresholds: config.thresholds }),
  };
}

function countOrNames(nodes: readonly string[]): number | readonly string[] {
  return nodes.every((name, at) => name === `n${at + 1}`) ? nodes.length : nodes;
}

function faultOptions(
  config: RunConfig,
): Pick<RunOptions, 'faults' | 'schedule' | 'faultInterval' | 'faultDuration'> {
  if (config.schedule !== undefined) return { schedule: scheduleLines(config.schedule) };
  if (config.faults.length === 0) return { faults: false };
  return {
    faults: config.faults,
    faultInterval: durationText(config.faultIntervalMs),
    faultDuration: durationText(config.faultDurationMs),
  };
}

/** The same for `schism run`, without that word; `scheduleFile` holds the faults. */
export function runWords(options: RunOptions, scheduleFile: string): readonly string[] {
  const { nodes, workload, faults, schedule, systemOptions = {}, workloadOptions = {} } = options;
  const pairs = (flag: string, values: object): string[] =>
    Object.entries(values).flatMap(([name, value]) => [flag, `${name}=${value}`]);
  const single: readonly (readonly [flag: string, value: string | number | undefined])[] = [
    ['--system', options.system],
    ['--backend', options.backend],
    ['--bug', options.bug],
    ['--nodes', String(nodes)],
    ['--latency', options.latency],
    ['--workload', String(workload)],
    ['--clients', options.clients],
    ['--client-timeout', options.clientTimeout],
    ['--rate', options.rate],
    ['--read-mode', String(options.readModes)],
    ['--fault', Array.isArray(faults) ? faults.join(',') : undefined],
    ['--fault-interval', options.faultInterval],
    ['--fault-duration', options.faultDuration],
    ['--schedule', schedule === undefined ? undefined : scheduleFile],
    ['--duration', options.duration],
    ['--quiet-start', options.quietStart],
    ['--seed', options.seed],
  ];
  return [
    ...single.flatMap(([flag, value]) => (value === undefined ? [] : [flag, String(value)])),
    ...(faults === false ? ['--no-faults'] : []),
    ...pairs('-O', systemOptions),
    ...pairs('-W', workloadOptions),
    ...pairs('--promise', options.promises ?? {}),
  ];
}

export interface Repro {
  readonly title: string;
  readonly options: ViolationTestOptions;
  /** For the reader of the file: where it comes from. One line each. */
  readonly notes: readonly string[];
}

/** A test file for `schism run`. */
export function chaosFile({ title, options, notes }: Repro): string {
  return [
    // Names of checks and kinds come from what was stored: they end no comment.
    ...notes.map((note) => `// ${clean(note)}`),
    "import { test } from 'schism';",
    '',
    `test.expectViolation(${textLiteral(title)}, ${literal(options as unknown as JsonValue, '')});`,
    '',
  ].join('\n');
}

const WIDTH = 90;

/** A value as people write it in TypeScript. */
function literal(value: JsonValue, indent: string): string {
  if (typeof value === 'string') return textLiteral(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const deeper = `${indent}  `;
  const isList = Array.isArray(value);
  const inside = isList
    ? value.map((one: JsonValue) => literal(one, deeper))
    : Object.entries(value).map(([name, one]) => `${keyText(name)}: ${literal(one, deeper)}`);
  const [open, close, space] = isList ? ['[', ']', ''] : ['{', '}', ' '];
  const line = `${open}${space}${inside.join(', ')}${space}${close}`;
  const isShort = indent.length + line.length <= WIDTH && indent !== '' && !line.includes('\n');
  if (isShort || inside.length === 0) return inside.length === 0 ? `${open}${close}` : line;
  const lines = inside.map((one) => `${deeper}${one},\n`);
  return `${open}\n${lines.join('')}${indent}${close}`;
}

function keyText(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : textLiteral(name);
}

function textLiteral(text: string): string {
  const escaped = JSON.stringify(text).slice(1, -1).replaceAll(String.raw`\"`, '"');
  return `'${escaped.replaceAll("'", String.raw`\'`)}'`;
}
