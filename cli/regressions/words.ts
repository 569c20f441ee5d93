/** A regression as a command line, and in a few words. */
import { basename, relative } from 'node:path';
import { invariant } from '../../harness/core/invariant.ts';
import type { RunOptions } from '../config/config.ts';
import type { Regression, Verdict } from './regression.ts';

/**
 * What `schism run` is told to play it once, without that word; paths are relative to `home`, which is
 * the working folder unless said. Not for one with faults of its own: they stand in its file alone.
 */
export function wordsOf({ options }: Pick<Regression, 'options'>, home = ''): readonly string[] {
  const { systemOptions = {}, workloadOptions = {}, promises = {} } = options;
  return [
    ...single('--system', options.system),
    ...single('--backend', options.backend),
    ...single('--bug', options.bug),
    ...single('--workload', joined(options.workload)),
    ...single('--nodes', joined(options.nodes)),
    ...single('--latency', options.latency),
    ...single('--clients', options.clients),
    ...single('--client-timeout', options.clientTimeout),
    ...single('--rate', options.rate),
    ...single('--read-mode', joined(options.readModes)),
    ...single('--quiet-start', options.quietStart),
    ...single('--duration', options.duration),
    ...pairs('-O', systemOptions),
    ...pairs('-W', workloadOptions),
    ...pairs('--promise', promises),
    ...faultWords(options, home),
    ...single('--seed', options.seed),
  ];
}

function single(flag: string, value: string | number | undefined): readonly string[] {
  return value === undefined ? [] : [flag, String(value)];
}

function joined(value: string | number | readonly string[] | undefined): string | undefined {
  if (value === undefined) return undefined;
  return typeof value === 'object' ? value.join(',') : String(value);
}

function pairs(flag: string, values: object): readonly string[] {
  return Object.entries(values).flatMap(([name, value]) => [flag, `${name}=${String(value)}`]);
}

function faultWords(options: RunOptions, home: string): readonly string[] {
  const { faults, schedule, faultInterval, faultDuration } = options;
  invariant(typeof schedule !== 'object', 'faults of its own have no words');
  if (schedule !== undefined) return ['--schedule', relative(home, schedule)];
  if (faults === false) return ['--no-faults'];
  return [
    ...single('--fault', joined(faults)),
    ...single('--fault-interval', faultInterval),
    ...single('--fault-duration', faultDuration),
  ];
}

/** `halves`, `random kill`, `2 of its own` or `none`. */
export function faultsText({ faults, schedule }: RunOptions): string {
  if (typeof schedule === 'string') return basename(schedule, '.json');
  if (schedule !== undefined) return `${schedule.length} of its own`;
  return faults === false || faults?.length === 0 ? 'none' : `random ${faults?.join(', ') ?? ''}`;
}

/** `raftkv with the bug even-quorum, workload register, 4 nodes, faults: halves`. */
export function playedText({ options, system }: Pick<Regression, 'options' | 'system'>): string {
  const { bug, workload, nodes, latency } = options;
  return [
    `${system}${bug === undefined ? '' : ` with the bug ${bug}`}`,
    ...(workload === undefined ? [] : [`workload ${joined(workload)}`]),
    ...(nodes === undefined ? [] : [`${typeof nodes === 'number' ? nodes : nodes.length} nodes`]),
    ...(latency === undefined ? [] : [`${latency} between them`]),
    `faults: ${faultsText(options)}`,
  ].join(', ');
}

/** Whether one run that showed these kinds of anomaly showed what is asked for. */
export function isShown(expect: Verdict, kinds: ReadonlySet<string>): boolean {
  if (expect.verdict === 'pass') return kinds.size === 0;
  const { anomalies, every } = expect;
  if (anomalies.length === 0) return kinds.size > 0;
  const has = (kind: string): boolean => kinds.has(kind);
  return every ? anomalies.every(has) : anomalies.some(has);
}
