/** What `schism explore` says. */

import type { RunConfig } from '../../harness/protocols/run.ts';
import { wrap } from '../../reports/layout.ts';
import type { Style } from '../../reports/style.ts';
import { clean, clipped, counted, countText, lengthText } from '../../reports/words.ts';
import { commandText } from '../shrink/words.ts';
import { DEFAULT_ROOT } from '../stored.ts';
import type { Finding, Tally } from './explore.ts';
import { lineOf } from './plan.ts';
import type { Space } from './space.ts';
import type { StoredFinding } from './store-finding.ts';

const WIDTH = 100;
const SENTENCE_MAX = 400;
const STEPS_SHOWN = 6;

export interface Headline {
  readonly space: Space;
  readonly seed: string;
  readonly budget: string;
  readonly workers: number;
  readonly uniform: boolean;
  /** Runs of earlier explorations from which this one goes on. */
  readonly before: number;
}

export function headlines(headline: Headline): readonly string[] {
  const { space, seed, budget, workers, uniform, before } = headline;
  const { system, backend, faults, fixed, workloads } = space;
  const guidance = uniform ? 'uniform' : 'guided';
  const from = before === 0 ? '' : `, going on from ${counted(before, 'earlier run')}`;
  return [
    `schism explore: ${system.name} on ${backend}, ${guidance}, ${budget}, ` +
      `${counted(workers, 'worker')}, seed ${seed}${from}`,
    ...wrap(
      `workloads ${fixed.workload ?? workloads.join(', ')}; faults ${faults.join(', ') || 'none'}`,
      WIDTH,
    ),
  ];
}

/** One line on where it is. */
export function progressLine(tally: Tally, situations: number): string {
  const { runs, ms, fresh, findings, broken } = tally;
  const perMinute = ms === 0 ? 0 : (runs * 60_000) / ms;
  const lately = fresh.reduce((sum, count) => sum + count, 0) / Math.max(1, fresh.length);
  const lost = lostRuns(broken);
  return [
    `${lengthText(ms)}: ${counted(runs, 'run')}`,
    `${countText(perMinute)} a minute`,
    `${counted(situations, 'situation')}, ${lately.toFixed(1)} new a run lately`,
    counted(findings.length, 'finding'),
    ...(lost === 0 ? [] : [`${countText(lost)} without an end`]),
  ].join(' · ');
}

export function lostRuns(broken: Tally['broken']): number {
  return [...broken.values()].reduce((sum, count) => sum + count, 0);
}

/** How to go on with a stored run. */
export function commandsFor(run: string, output: string): readonly string[] {
  const store = output === DEFAULT_ROOT ? [] : ['-o', output];
  return [
    commandText(['explain', run, ...store]),
    commandText(['shrink', run, '--run', ...store]),
    commandText(['replay', run, ...store]),
  ];
}

export function findingLines(
  { key, violation, runs, ms, config, plan }: Finding,
  stored: StoredFinding | undefined,
  output: string,
  style: Style,
): readonly string[] {
  const sentence = clipped(clean(violation.sentence), SENTENCE_MAX);
  const steps = plan.steps.map((step) => stepText(lineOf(step)));
  const more = steps.length - STEPS_SHOWN;
  return [
    `${style.bad('✗')} ${style.strong(clean(key))}, after ${counted(runs, 'run')} and ${lengthText(ms)}`,
    ...indented(sentence, 4),
    ...indented(loadText(config), 4),
    ...steps.slice(0, STEPS_SHOWN).flatMap((step) => indented(step, 6)),
    ...(more > 0 ? [`      and ${counted(more, 'more fault', 'more faults')}`] : []),
    ...(stored === undefined ? [] : storedLines(stored, output)),
  ];
}

function storedLines({ run, verdict, same }: StoredFinding, output: string): readonly string[] {
  const commands = commandsFor(run, output).map((command) => `    ${command}`);
  if (verdict !== 'fail')
    return [
      `    Played once more, it did not show (${verdict}): the run is stored all the same.`,
      ...commands,
    ];
  if (same === false)
    return [
      '    Played once more, it was not entry for entry the same; it was found again.',
      ...commands,
    ];
  return commands;
}

function indented(text: string, by: number): readonly string[] {
  return wrap(text, WIDTH - by).map((line) => `${' '.repeat(by)}${line}`);
}

function loadText({
  nodes,
  workload,
  workloadOptions,
  systemOptions,
  durationMs,
}: RunConfig): string {
  const { clients, rate, own } = workloadOptions;
  const options = [...Object.entries(systemOptions), ...Object.entries(own)]
    .filter(([name]) => name !== 'bug')
    .map(([name, value]) => `${name}=${value}`);
  return [
    counted(nodes.length, 'node'),
    workload,
    counted(clients, 'client'),
    rate === 0 ? 'as fast as they go' : `${rate}/s`,
    lengthText(durationMs),
    ...options,
  ].join(', ');
}

function stepText(line: ReturnType<typeof lineOf>): string {
  const { at, for: duration, fault, ...options } = line;
  const words = Object.entries(options).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  return [`at ${at} for ${duration}: ${fault}`, ...words].join(', ').replaceAll('"', '');
}

/** What was covered, and no more than that. */
export function endLines(tally: Tally, situations: number): readonly string[] {
  const { runs, failed, undecided, ms, virtualMs, operations, broken, findings } = tally;
  const simulated = virtualMs === 0 ? '' : `, ${lengthText(virtualMs)} of simulated time`;
  const found =
    findings.length === 0
      ? 'No violation was found in what ran.'
      : `${counted(findings.length, 'finding')}, in ${counted(failed, 'run')}.`;
  const lost = [...broken].toSorted(([, a], [, b]) => b - a);
  const without = lostRuns(broken);
  return [
    '',
    `${counted(runs, 'run')} in ${lengthText(ms)}${simulated}, ${counted(operations, 'acknowledged operation')}; ` +
      `${counted(situations, 'situation')} seen. ${found}`,
    ...(undecided > 0 ? [`${counted(undecided, 'run')} that no checker could decide.`] : []),
    ...(lost.length > 0
      ? [
          `${counted(without, 'run')} did not come to an end, and ${without === 1 ? 'says' : 'say'} nothing:`,
        ]
      : []),
    ...lost
      .slice(0, 5)
      .flatMap(([why, count]) => indented(`${count} × ${clipped(clean(why), 160)}`, 2)),
    ...tableLines(tally.hits),
  ];
}

/** Faults that took effect, by kind and by whom they hit. */
function tableLines(hits: Tally['hits']): readonly string[] {
  if (hits.size === 0) return [];
  const rows = Map.groupBy(
    [...hits].toSorted(([, a], [, b]) => b - a),
    ([hit]) => hit.split(' ', 1)[0] ?? '',
  );
  const width = Math.max(...[...rows.keys()].map((kind) => kind.length));
  return [
    '',
    'Faults that took effect, by whom they hit (the role as last seen):',
    ...[...rows].flatMap(([kind, all]) => {
      const whom = all.map(([hit, count]) => `${hit.slice(kind.length + 1)} ${countText(count)}`);
      const [first = '', ...more] = wrap(whom.join(', '), WIDTH - width - 4);
      return [
        `  ${kind.padEnd(width)}  ${first}`,
        ...more.map((line) => `${' '.repeat(width + 4)}${line}`),
      ];
    }),
  ];
}

export const MORE_OF_THE_SAME =
  'More of the same: hardly anything new in the latest runs. Other nodes, workloads or faults would show more.';
