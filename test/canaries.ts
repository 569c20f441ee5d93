/**
 * The track record: `npm run canaries -- [--bound 200] [--bug NAME] [--process] [--markdown]`.
 * Every planted bug is looked for from seed 1 on, as somebody would who knows of none; then its
 * recorded run is played, with the bug and without. Ends with exit code 1 when one is not found,
 * or when a store without bugs is accused. Knows each bug only as the value of an option.
 */
import { parseArgs } from 'node:util';
import { realClock } from '../harness/core/clock.ts';
import { secondsText } from '../harness/core/units.ts';
import {
  CANARIES,
  type Canary,
  type CanaryRun,
  commandOf,
  wordsOf,
} from '../regressions/raftkv-canaries.ts';
import {
  PROCESS_CANARIES,
  type ProcessCanary,
  processCommandOf,
  processWordsOf,
} from '../regressions/raftkv-process-canaries.ts';
import { hunt, kindsOf, recordedProcessRun } from './recorded-process-run.ts';
import { recordedRun } from './recorded-run.ts';

const { values } = parseArgs({
  options: {
    bound: { type: 'string', default: '200' },
    bug: { type: 'string' },
    process: { type: 'boolean', default: false },
    markdown: { type: 'boolean', default: false },
  },
});
const clock = realClock();
let isGood = true;

/** What is said of one bug, in the order of the columns. */
interface Row {
  readonly bug: string;
  readonly workload: string;
  readonly faults: string;
  /** Schedules or runs played until it was seen. */
  readonly played: string;
  /** Real seconds that this took. */
  readonly seconds: string;
  readonly seenAs: string;
  readonly command: string;
}

/** Looks for the bug from seed 1 on, then plays the recorded run with it and without. */
async function inSimulator(canary: Canary, bound: number): Promise<Row> {
  const { bug, run, expected } = canary;
  const start = clock.now();
  const seed = await firstSeed(canary, bound);
  const seconds = secondsText(clock.now() - start);
  const kinds = kindsOf((await recordedRun([...wordsOf(canary), '--bug', bug])).checks);
  const missing = expected.filter((kind) => !kinds.has(kind));
  const clean = await recordedRun(wordsOf(canary));
  const accused = kindsOf(clean.checks).size > 0 || clean.problems.length > 0;
  if (seed === undefined) complain(`${bug}: not found within ${bound} schedules`);
  if (missing.length > 0) complain(`${bug}: seed ${canary.seed} does not show ${missing.join()}`);
  if (accused) complain(`${bug}: seed ${canary.seed} accuses a store without it`);
  return {
    ...aboutRun(bug, run),
    played: seed === undefined ? `none of ${bound}` : String(seed),
    seconds,
    seenAs: expected.join(', '),
    command: commandOf(canary),
  };
}

/** The first seed whose run shows all that is expected; so many were played. */
async function firstSeed({ bug, run, expected }: Canary, bound: number) {
  for (let seed = 1; seed <= bound; seed++) {
    const { checks } = await recordedRun([...wordsOf({ run, seed }), '--bug', bug]);
    const kinds = kindsOf(checks);
    if (expected.every((kind) => kinds.has(kind))) return seed;
  }
  return undefined;
}

async function onProcesses(canary: ProcessCanary): Promise<Row> {
  const { bug, run } = canary;
  const start = clock.now();
  const { tries, seen } = await hunt(canary);
  const seconds = secondsText(clock.now() - start);
  const { checks } = await recordedProcessRun(processWordsOf(canary, 1));
  const isSeen = seen.length > 0;
  if (!isSeen) complain(`${bug}: not seen in ${tries} runs on processes`);
  if (kindsOf(checks).size > 0) complain(`${bug}: processes without it are accused`);
  return {
    ...aboutRun(bug, run),
    played: isSeen ? `${tries}` : `none of ${tries}`,
    seconds,
    seenAs: seen.join(', '),
    command: processCommandOf(canary),
  };
}

function aboutRun(bug: string, { workload, faults }: CanaryRun) {
  const schedule = /([\w-]+)\.json$/.exec(faults)?.[1];
  const random = /--fault (\S+)/.exec(faults)?.[1];
  return { bug, workload, faults: schedule ?? (random ? `random ${random}` : 'none') };
}

function complain(text: string): void {
  isGood = false;
  console.error(text);
}

function header(played: string): Row {
  return {
    bug: 'bug',
    workload: 'workload',
    faults: 'faults',
    played,
    seconds: 'seconds',
    seenAs: 'seen as',
    command: 'command',
  };
}

function print(row: Row): void {
  const { bug, workload, faults, played, seconds, seenAs, command } = row;
  if (values.markdown) {
    const code = row.command === 'command' ? command : `\`${command}\``;
    console.log(`| ${[bug, workload, faults, played, seconds, seenAs, code].join(' | ')} |`);
    if (row.command === 'command') console.log(`|${' --- |'.repeat(7)}`);
    return;
  }
  const cells = [bug.padEnd(20), workload.padEnd(14), faults.padEnd(25), played.padEnd(10)];
  console.log(`${[...cells, seconds.padEnd(8), seenAs].join(' ')}\n    ${command}`);
}

/** One after the other, each printed as soon as it is known. */
async function table<C extends { readonly bug: string }>(
  title: string,
  played: string,
  canaries: readonly C[],
  play: (canary: C) => Promise<Row>,
): Promise<void> {
  console.log(`\n${title}\n`);
  print(header(played));
  for (const canary of canaries)
    if (values.bug === undefined || canary.bug === values.bug) print(await play(canary));
}

const bound = Number(values.bound);
await table('In the simulator', 'schedules', CANARIES, (canary) => inSimulator(canary, bound));
if (values.process) await table('On real processes', 'runs', PROCESS_CANARIES, onProcesses);
process.exitCode = isGood ? 0 : 1;
