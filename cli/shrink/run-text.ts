/** What `schism shrink --run` says: a table as it goes, and the smallest run at the end. */
import type { RunConfig } from '../../harness/protocols/run.ts';
import { commandLines } from '../../reports/layout.ts';
import { intervalText, type Rate } from '../../reports/rate.ts';
import type { Style } from '../../reports/style.ts';
import { clean, counted, lengthText } from '../../reports/words.ts';
import { faultLine, timeText } from './changes.ts';
import { type Target, targetText } from './target.ts';
import { conclusionText, type Row } from './trials.ts';

export interface Result {
  /** That was shrunk. */
  readonly run: string;
  readonly target: Target;
  readonly original: RunConfig;
  readonly smallest: RunConfig;
  /** Of the smallest, played once more. */
  readonly rate: Rate;
  readonly rows: readonly Row[];
  readonly file: string;
  readonly scheduleFile?: string;
  readonly command: string;
  /** The run of the smallest that showed it, and its folder. */
  readonly kept?: string;
  readonly keptDir?: string;
  readonly budgetEnded: boolean;
  readonly interrupted?: 'SIGINT' | 'SIGTERM';
  readonly wallMs: number;
}

const WHAT = 48;

export function headLines(name: string, target: Target, isExact: boolean): readonly string[] {
  const what = targetText(target);
  const heads = isExact ? 'shows it' : 'found   of   95 % interval (Wilson)';
  return [` shrink --run ${clean(name)}: ${clean(what)}`, '', `   ${''.padEnd(WHAT)}${heads}`];
}

export function rowLine(row: Row, style: Style, isExact: boolean): string {
  const what = row.kind === 'without' ? `without ${row.what}` : row.what;
  const said = conclusionText(row);
  const counts = isExact ? seedsText(row.rate) : countsText(row.rate);
  const line = `   ${cut(clean(what)).padEnd(WHAT)}${counts}`;
  const paint = row.conclusion === 'enough' ? style.good : style.dim;
  return said === '' ? line.trimEnd() : `${line} ${paint(`← ${said}`)}`;
}

/** Of a simulator it is no chance: some seed showed it, or none of so many. */
function seedsText({ found, of }: Rate): string {
  const seed = of === 1 ? 'yes' : `yes, seed #${of}`;
  return (found > 0 ? seed : `no, ${counted(of, 'seed')}`).padEnd(13);
}

function countsText(rate: Rate): string {
  const interval = rate.of === 0 ? '–' : intervalText(rate);
  return `${String(rate.found).padStart(5)}${String(rate.of).padStart(5)}   ${interval.padEnd(15)}`;
}

function cut(text: string): string {
  return text.length < WHAT ? text : `${text.slice(0, WHAT - 2)}…`;
}

/** `others`: what was found instead, and in how many runs. */
export function notShownLines(
  rows: readonly Row[],
  others: ReadonlyMap<string, number>,
): readonly string[] {
  const of = rows.reduce((sum, { rate }) => sum + rate.of, 0);
  const instead = [...others].map(([what, count]) => `   ${clean(what)}: ${counted(count, 'run')}`);
  return [
    '',
    ` It did not show again in ${counted(of, 'run')}, so there is nothing to make smaller. With more`,
    ' --repeats or a longer --budget it may; `schism replay --repeat-each` counts how often it does.',
    ...(instead.length === 0
      ? []
      : [' Something else was found, which --any takes as well:', ...instead]),
  ];
}

export function resultLines(result: Result, style: Style, columns: number): readonly string[] {
  const { smallest, original, rate, command, file, scheduleFile, kept, keptDir } = result;
  const runs = result.rows.reduce((sum, row) => sum + row.rate.of, 0);
  const { schedule, faults } = smallest;
  const named = schedule?.map(faultLine) ?? faults.map((fault) => `${fault}, at random`);
  const label = (name: string, text: string): string =>
    `${style.dim(` ${name}`.padEnd(15))}${text}`;
  const list = commandLines(clean(command), columns - 15);
  const unseen = rate.of === 0 ? 'it was not played again' : `not in ${counted(rate.of, 'run')}`;
  const shown = kept === undefined ? unseen : `run ${kept}, ${keptDir}`;
  return [
    '',
    style.strong(` The smallest that showed it: ${sizeText(smallest)}`),
    ` It was: ${sizeText(original)}`,
    ...named.map((fault) => `   ${clean(fault)}`),
    ...endText(result),
    '',
    label('Shown again', clean(shown)),
    label('Written', clean([file, scheduleFile ?? ''].filter((one) => one !== '').join(', '))),
    ...list.map((line, at) => label(at === 0 ? 'Run it' : '', line)),
    '',
    style.dim(` ${counted(runs, 'run')} in ${lengthText(result.wallMs)}`),
  ];
}

/** `1 fault, 5.5 s, 3 nodes, 6 clients, seed 1`. */
function sizeText(config: RunConfig): string {
  const { schedule, faults, durationMs, nodes, latencyMs, workloadOptions } = config;
  const count =
    schedule === undefined ? counted(faults.length, 'kind') : counted(schedule.length, 'fault');
  const what =
    faults.length === 0 ? 'no fault' : `${count}${schedule === undefined ? ' of fault' : ''}`;
  return [
    what,
    timeText(durationMs),
    counted(nodes.length, 'node'),
    ...(latencyMs === undefined ? [] : [`${timeText(latencyMs)} between them`]),
    counted(workloadOptions.clients, 'client'),
  ].join(', ');
}

function endText({ budgetEnded, interrupted }: Result): readonly string[] {
  if (interrupted !== undefined)
    return [` Interrupted by ${interrupted}: this is the smallest until then.`];
  return budgetEnded ? [' The budget ended: more might go (--budget).'] : [];
}

export function resultDocument(result: Result): object {
  const { run, target, smallest, rate, rows, file, scheduleFile, command, kept } = result;
  return {
    schism: 1,
    shrunk: run,
    check: target.checker,
    anomaly: target.kind,
    rows,
    smallest,
    shownAgain: rate,
    ...(kept !== undefined && { run: kept }),
    file,
    ...(scheduleFile !== undefined && { scheduleFile }),
    command,
    budgetEnded: result.budgetEnded,
    ...(result.interrupted !== undefined && { interrupted: result.interrupted }),
    wallMs: result.wallMs,
  };
}
