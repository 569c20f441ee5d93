/**
 * How far the linearizability checker gets: histories whose verdict is known by construction, one
 * cell a process, within 60 s and 2 GB; beside it another checker on the same files.
 *
 * Run: npx --no-install node bench/linearizability.ts [flags]
 *
 *   --only TEXT         cells whose name contains it
 *   --baseline CMD      another checker; it gets the file as its last argument, prints its verdict
 *                       last (valid or invalid, ok or illegal) or exits with 0, 1 or another code
 *   --form FORM         what the baseline reads: ops (default), edn, porcupine, jsonl
 *   --timeout SECONDS   --memory MB   for each cell, ours and the baseline's (60, 2048)
 *   --seed N            of the histories (1)
 *   --cell SPEC         one of your own instead, such as
 *                       operations=1000,clients=50,keys=1,values=5,indefinite=0.05,stale=0.5
 *                       values=unique; spread=at-random; cas=0.3; phantom=0.5; few=0.5
 *                       (where the violation is: a stale read, a phantom, or a value that is seen
 *                       once more often than it was written, which only counting shows)
 *   --write FILE        write that history in --form, and end
 *   --help              print this
 */
import { once } from 'node:events';
import { createWriteStream, readFileSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { knownHistory } from '../checkers/testkit/known-history.ts';
import { historyOfKnown, knownOps } from '../checkers/testkit/known-history-forms.ts';
import type { KnownHistory } from '../checkers/testkit/known-history-rows.ts';
import { realClock } from '../harness/core/clock.ts';
import { EXIT, HarnessError, messageOf } from '../harness/core/errors.ts';
import { Random, seedFrom } from '../harness/core/prng.ts';
import { msFromNanos } from '../harness/core/units.ts';
import { printEdn } from '../harness/history/formats/edn.ts';
import { printJsonl } from '../harness/history/formats/jsonl.ts';
import { printPorcupine } from '../harness/history/formats/porcupine.ts';
import { type Cell, cellOf, defaultCells, nameOf } from './linearizability-cells.ts';
import { type Limits, type Measured, measured } from './linearizability-process.ts';

const FORMS: Readonly<Record<string, (known: KnownHistory) => Iterable<string>>> = {
  ops: knownOps,
  edn: (known) => printEdn(historyOfKnown(known)),
  porcupine: (known) => printPorcupine(historyOfKnown(known)),
  jsonl: (known) => printJsonl(historyOfKnown(known)),
};

const OPTIONS = {
  only: { type: 'string', default: '' },
  baseline: { type: 'string', default: '' },
  form: { type: 'string', default: 'ops' },
  timeout: { type: 'string', default: '60' },
  memory: { type: 'string', default: '2048' },
  seed: { type: 'string', default: '1' },
  cell: { type: 'string', default: '' },
  write: { type: 'string', default: '' },
  help: { type: 'boolean', default: false },
} as const satisfies ParseArgsConfig['options'];

interface Plan {
  readonly cells: readonly Cell[];
  readonly seed: number;
  readonly limits: Limits;
  readonly form: string;
  /** Empty: none. */
  readonly baseline: readonly string[];
  /** Empty: measure. */
  readonly write: string;
}

const clock = realClock();

/** Reads the flags; undefined if they only ask for help. */
function planOf(argv: readonly string[]): Plan | undefined {
  const { values: flags } = parseArgs({ args: [...argv], options: OPTIONS });
  if (flags.help) return undefined;
  if (!(flags.form in FORMS)) bad(`--form: there are ${Object.keys(FORMS).join(', ')}`);
  if (flags.write !== '' && flags.cell === '') bad('--write: say also which --cell');
  const all = flags.cell === '' ? defaultCells() : [cellOf(flags.cell)];
  const cells = all.filter((cell) => nameOf(cell).includes(flags.only));
  if (cells.length === 0) bad(`--only: no cell has '${flags.only}' in its name`);
  return {
    cells,
    seed: Number(flags.seed),
    limits: { timeoutMs: Number(flags.timeout) * 1000, memoryMb: Number(flags.memory) },
    form: flags.form,
    baseline: flags.baseline.split(/\s+/).filter((word) => word !== ''),
    write: flags.write,
  };
}

function bad(message: string): never {
  throw new HarnessError('bad-option', message);
}

async function write(lines: Iterable<string>, path: string): Promise<void> {
  const file = createWriteStream(path);
  let chunk = '';
  for (const line of lines) {
    chunk += `${line}\n`;
    if (chunk.length < 1 << 16) continue;
    if (!file.write(chunk)) await once(file, 'drain');
    chunk = '';
  }
  file.end(chunk);
  await once(file, 'close');
}

function historyOfCell(cell: Cell, seed: number): KnownHistory {
  return knownHistory(Random.stream(seedFrom(seed), 'known-history'), cell);
}

interface Row {
  readonly name: string;
  readonly expected: string;
  readonly ours: Measured;
  readonly theirs: Measured | undefined;
}

async function rowOf(cell: Cell, plan: Plan, dir: string): Promise<Row> {
  const { seed, limits, form, baseline } = plan;
  const known = historyOfCell(cell, seed);
  const path = join(dir, 'history.ops');
  await write(knownOps(known), path);
  const script = join(import.meta.dirname, 'linearizability-cell.ts');
  const memory = String((limits.memoryMb / 2) * 2 ** 20);
  const command = [process.execPath, script, path, String(limits.timeoutMs), memory];
  const ours = await measured(command, limits, clock);
  let theirs: Measured | undefined;
  if (baseline.length > 0) {
    const theirPath = form === 'ops' ? path : join(dir, `history.${form}`);
    if (form !== 'ops') await write(FORMS[form]?.(known) ?? [], theirPath);
    theirs = await measured([...baseline, theirPath], limits, clock);
  }
  return { name: nameOf(cell), expected: known.expected, ours, theirs };
}

const WIDTH = 58;

function textOf({ name, expected, ours, theirs }: Row): string {
  const ms = (value: unknown): string => (typeof value === 'number' ? value.toFixed(0) : '–');
  const wrong = ({ verdict }: Measured): string =>
    (verdict === 'valid' || verdict === 'invalid') && verdict !== expected ? ' WRONG' : '';
  const cells = [
    name.padEnd(WIDTH),
    expected.padEnd(8),
    `${ours.verdict}${wrong(ours)}`.padEnd(10),
    ms(ours.said['readMs']).padStart(8),
    ms(ours.said['checkMs']).padStart(9),
    ms(ours.wallMs).padStart(9),
    ms(ours.peakMb).padStart(8),
  ];
  if (theirs !== undefined)
    cells.push(
      `${theirs.verdict}${wrong(theirs)}`.padEnd(10),
      ms(theirs.wallMs).padStart(9),
      ms(theirs.peakMb).padStart(8),
      ratioOf(ours, theirs, expected).padStart(9),
    );
  return cells.join(' ');
}

/** How many times as long the baseline took; at least that, where it came to no answer in time. */
function ratioOf(ours: Measured, theirs: Measured, expected: string): string {
  if (ours.verdict !== expected) return '–';
  const ratio = `${(theirs.wallMs / ours.wallMs).toFixed(2)}×`;
  if (theirs.verdict === expected) return ratio;
  return theirs.verdict === 'time' || theirs.verdict === 'unknown' ? `>${ratio}` : '–';
}

function heading(isCompared: boolean): string {
  const names = ['cell'.padEnd(WIDTH), 'expected', 'verdict   '];
  const ours = [' read ms', ' check ms', ' total ms', ' peak MB'];
  const theirs = ['baseline  ', ' total ms', ' peak MB', '    ratio'];
  return [...names, ...ours, ...(isCompared ? theirs : [])].join(' ');
}

async function measureAll(plan: Plan): Promise<void> {
  const { cells, limits, baseline } = plan;
  const dir = await mkdtemp(join(tmpdir(), 'schism-bench-'));
  const rows: Row[] = [];
  const started = clock.now();
  try {
    console.log(heading(baseline.length > 0));
    for (const cell of cells) {
      const row = await rowOf(cell, plan, dir);
      rows.push(row);
      console.log(textOf(row));
      for (const { error } of [row.ours, ...(row.theirs === undefined ? [] : [row.theirs])])
        if (error !== '') console.log(error.trimEnd());
    }
  } finally {
    await rm(dir, { recursive: true });
  }
  const decided = rows.filter(({ ours, expected }) => ours.verdict === expected).length;
  const seconds = (msFromNanos(clock.now() - started) / 1000).toFixed(0);
  console.log(`${decided} of ${rows.length} decided rightly, in ${seconds} s`);
  console.log(JSON.stringify({ bench: 'linearizability', limits, rows }));
}

async function writeOne({ cells, seed, form, write: path }: Plan): Promise<void> {
  const known = historyOfCell(cells[0] ?? {}, seed);
  await write(FORMS[form]?.(known) ?? [], path);
  const megabytes = ((await stat(path)).size / 1e6).toFixed(1);
  console.log(`${path}: ${known.length} operations, ${known.expected}, ${megabytes} MB`);
}

/** The head of this file. */
function manual(): string {
  const [head = ''] = readFileSync(import.meta.filename, 'utf8').split('*/');
  return head.replaceAll(/^(\/\*\*\n| \* ?)/gm, '').trimEnd();
}

try {
  const plan = planOf(process.argv.slice(2));
  if (plan === undefined) console.log(manual());
  else await (plan.write === '' ? measureAll(plan) : writeOne(plan));
} catch (error) {
  const isOurs = !(error instanceof HarnessError) && !(error instanceof TypeError);
  if (isOurs) throw error;
  console.error(`${messageOf(error)}; --help says what there is`);
  process.exitCode = EXIT.badArguments;
}
