/**
 * What takes too long for every commit:
 * `npm run soak -- [--kills 200] [--runs 10] [--seconds 60] [--schedules 20000] [--identity 1000]
 * [--histories 100000] [--differential 10000]`; 0 leaves a part out.
 * Prints its numbers, and ends with exit code 1 when anything was lost or accused.
 */
import { glob, mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import {
  type LockstepReport,
  playInLockstep,
} from '../cluster/raftkv/differential/lockstep-property.ts';
import { realClock } from '../harness/core/clock.ts';
import { silentLog } from '../harness/core/log.ts';
import { freshSeed, parseSeed, type Seed, seedFrom, seedText } from '../harness/core/prng.ts';
import { msFromNanos, nanos } from '../harness/core/units.ts';
import { startWatchdog } from '../harness/runner/undo.ts';
import { compareProcesses } from './identity.ts';
import { playMixed } from './mixed-soak.ts';
import { killLoop } from './raftkv-kills.ts';
import { soundAll } from './soundness-soak.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    runs: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '60' },
    schedules: { type: 'string', default: '20000' },
    identity: { type: 'string', default: '1000' },
    histories: { type: 'string', default: '100000' },
    differential: { type: 'string', default: '10000' },
    seed: { type: 'string' },
  },
});
const first = values.seed === undefined ? freshSeed() : parseSeed(values.seed);
let isGood = true;
/** Of ten thousand commands so many kill and start both systems. */
const RESTARTS = 10;

/** Kills real raftkv nodes under load: everything that was acknowledged must stay. */
async function kills(count: number): Promise<void> {
  const progress = (text: string): void => console.log(`  ${text}`);
  const report = await killLoop({ kills: count, seed: first, progress });
  const { lost, crashed, acknowledged, unknown, seconds } = report;
  console.log(
    `${count} kills in ${seconds} s (seed ${seedText(first)}): ${acknowledged} writes acknowledged, ` +
      `${unknown} unknown, ${lost.length} lost, ${crashed.length} crashes`,
  );
  for (const line of [...lost.slice(0, 20), ...crashed]) console.log(`  ${line}`);
  if (lost.length > 0 || crashed.length > 0) isGood = false;
}

/** The same seeds in two processes: their histories must be equal to the byte. */
async function identity(count: number): Promise<void> {
  const { seeds, entries, different, unequal } = await compareProcesses(1, count);
  console.log(
    `${seeds} seeds in two processes: ${entries} entries each, ${different} different histories, ` +
      `${unequal.length} unequal ${unequal.slice(0, 20).join(' ')}`,
  );
  if (unequal.length > 0 || different < seeds) isGood = false;
}

/** How many terms had a leader, as the members logged it. */
async function leaderTerms(dir: string): Promise<number> {
  const terms = new Set<number>();
  for await (const path of glob('.schism/runs/*/tests/*/nodes/*/*.log', { cwd: dir }))
    for (const line of (await readFile(join(dir, path), 'utf8')).split('\n')) {
      const [, term] = /"msg":"leader changed","leader":"[^"]+","term":(\d+)/.exec(line) ?? [];
      if (term !== undefined) terms.add(Number(term));
    }
  return terms.size;
}

/** Whole runs as a user starts them, each with its own seed. */
async function runs(count: number, seconds: number): Promise<void> {
  for (let run = 0; run < count; run++) {
    const seed: Seed = seedFrom(first + run);
    const dir = await mkdtemp(join(tmpdir(), 'schism-soak-'));
    const result = await execa(
      process.execPath,
      [
        join(ROOT, 'cli/main.ts'),
        'run',
        '--system=raftkv',
        '--fault=partition,kill,pause',
        `--duration=${seconds}s`,
        '--require-faults',
        `--seed=${seedText(seed)}`,
      ],
      { cwd: dir, reject: false, all: true },
    );
    const leaders = await leaderTerms(dir);
    const verdict = /^.*\b(PASS|FAIL|UNKNOWN|ERROR)\b.*$/gm.exec(result.all)?.[0] ?? 'no verdict';
    const said = `exit ${result.exitCode}; ${verdict.trim()}; ${leaders} terms with a leader`;
    console.log(`run ${run + 1}, seed ${seedText(seed)}: ${said}`);
    if (result.exitCode === 0) {
      await rm(dir, { recursive: true, force: true });
    } else {
      isGood = false;
      console.log(`  kept in ${dir}`);
    }
  }
}

/** Simulated runs of mixed faults: the correct store is never accused. */
async function schedules(count: number): Promise<void> {
  let played = 0;
  const report = await playMixed(first, count, availableParallelism(), () => {
    played++;
    if (played % 1000 === 0) console.log(`  ${played} of ${count}`);
  });
  const { virtualSeconds, operations, faults, accused, undecided } = report;
  console.log(
    `${report.runs} simulated schedules (seeds from ${first}): ${Math.round(virtualSeconds)} s of ` +
      `virtual time, ${operations} operations ok, ${faults} faults, ${accused.length} accused, ` +
      `${undecided.length} undecided`,
  );
  for (const { seed, what, wrong, undecided: by } of [...accused, ...undecided].slice(0, 20))
    console.log(`  seed ${seed}: ${what}: ${[...wrong, ...by].join('; ')}`);
  if (accused.length > 0 || undecided.length > 0) isGood = false;
}

/** Histories of every model: no verdict but the right one, and no certificate that does not hold. */
async function histories(count: number): Promise<void> {
  const rows = await soundAll(first, count, availableParallelism(), (row) => {
    const { model, size, valid, invalid, undecided, problems } = row;
    console.log(
      `  ${model}, ${size}: ${valid} valid, ${invalid} invalid, ${undecided} too hard to compare, ` +
        `${problems.length} disagreements`,
    );
    for (const problem of problems.slice(0, 5)) console.log(`    ${problem}`);
  });
  const total = (size: string): number =>
    rows.reduce((sum, row) => sum + (row.size === size ? row.valid + row.invalid : 0), 0);
  const wrong = rows.reduce((sum, { problems }) => sum + problems.length, 0);
  const models = new Set(rows.map(({ model }) => model)).size;
  console.log(
    `${models} models (seeds from ${first}): ${total('small')} small histories and ` +
      `${total('large')} larger ones, ${wrong} disagreements`,
  );
  // A thread that broke off says nothing of what it left.
  if (wrong > 0 || total('small') < models * count || models === 0) isGood = false;
}

/** raftkv and etcd are asked the same: whatever it is, they answer alike. */
async function differential(count: number): Promise<void> {
  const clock = realClock();
  await using undo = await startWatchdog({ runId: `soak-${process.pid}`, clock, log: silentLog });
  const pairs = Math.min(count, 2 * availableParallelism());
  let played = 0;
  const onSequence = (): void => {
    played++;
    if (played % 1000 === 0) console.log(`  ${played} of ${count}`);
  };
  const startNanos = clock.now();
  const reports = await Promise.all(
    Array.from({ length: pairs }, (_, pair) =>
      playInLockstep(
        {
          sequences: Math.ceil(count / pairs),
          seed: seedFrom(first + pair),
          restarts: RESTARTS,
          onSequence,
          onDifference: (text) => console.log(`  a difference, to be shortened:\n${text}`),
        },
        { clock, undo },
      ),
    ),
  );
  const seconds = Math.round(msFromNanos(nanos(clock.now() - startNanos)) / 1000);
  const sum = (of: (report: LockstepReport) => number): number =>
    reports.reduce((total, report) => total + of(report), 0);
  const found = reports.flatMap(({ difference = [] }) => difference);
  console.log(
    `${sum((each) => each.sequences)} sequences to raftkv and etcd in ${seconds} s (seeds from ` +
      `${first}): ${sum((each) => each.commands)} commands, ${sum((each) => each.asked)} requests ` +
      `to each, ${found.length} differences`,
  );
  for (const difference of found) console.log(difference);
  if (found.length > 0) isGood = false;
}

if (values.histories !== '0') await histories(Number(values.histories));
if (values.kills !== '0') await kills(Number(values.kills));
if (values.identity !== '0') await identity(Number(values.identity));
if (values.schedules !== '0') await schedules(Number(values.schedules));
if (values.differential !== '0') await differential(Number(values.differential));
await runs(Number(values.runs), Number(values.seconds));
process.exitCode = isGood ? 0 : 1;
