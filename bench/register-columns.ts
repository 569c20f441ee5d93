/**
 * What it costs to judge registers once a history is in memory, in processor time, beside the
 * baseline: one bare pass that reads every number of the columns, which nothing can be faster than.
 *
 * Run: npx --no-install node bench/register-columns.ts [operations [keys [clients]]]
 */

import type { RegisterColumns } from '../checkers/linearizable/columns.ts';
import { revisionWitness } from '../checkers/linearizable/fast/revision-witness.ts';
import { uniqueWrites } from '../checkers/linearizable/fast/unique-writes.ts';
import { historyColumns } from '../checkers/linearizable/history-columns.ts';
import { historyRounds } from '../checkers/linearizable/judge.ts';
import type { JudgeOptions } from '../checkers/linearizable/judgement.ts';
import { registerRounds, registersOfHistory } from '../checkers/linearizable/registers.ts';
import { runHere } from '../checkers/linearizable/rounds.ts';
import { runOnThreads } from '../checkers/linearizable/threads.ts';
import { register } from '../checkers/models/register.ts';
import { randomOf } from '../checkers/testkit/context.ts';
import { type KnownOptions, knownHistory } from '../checkers/testkit/known-history.ts';
import { historyOfKnown } from '../checkers/testkit/known-history-forms.ts';
import { simulate } from '../checkers/testkit/simulate.ts';
import { realClock } from '../harness/core/clock.ts';
import { nanos } from '../harness/core/units.ts';
import { type History, historyOf } from '../harness/history/history.ts';

const [operations = 1e6, keys = 1000, clients = 20] = process.argv.slice(2).map(Number);
const ROUNDS = 9;
const READS = ['linearizable'] as const;

const clock = realClock();
const options: JudgeOptions = {
  model: register,
  clock,
  deadline: nanos(86_400e9),
  memoryBytes: 2 ** 30,
};
const bare: JudgeOptions = { ...options, recheck: false };

interface Cost {
  /** Of the process, and of this thread. */
  readonly cpuMs: number;
  readonly ownMs: number;
  readonly wallMs: number;
}

/** The least of some rounds, each by itself. */
async function least(work: () => unknown, rounds: number = ROUNDS): Promise<Cost> {
  let best: Cost = { cpuMs: Infinity, ownMs: Infinity, wallMs: Infinity };
  for (let round = 0; round < rounds; round++) {
    const [all, own, began] = [process.cpuUsage(), process.threadCpuUsage(), clock.now()];
    await work();
    const wallMs = (clock.now() - began) / 1e6;
    const [allSince, ownSince] = [process.cpuUsage(all), process.threadCpuUsage(own)];
    best = {
      cpuMs: Math.min(best.cpuMs, (allSince.user + allSince.system) / 1000),
      ownMs: Math.min(best.ownMs, (ownSince.user + ownSince.system) / 1000),
      wallMs: Math.min(best.wallMs, wallMs),
    };
  }
  return best;
}

/** Sums up all numbers, so that none of the reads can be left out. */
function barePass(columns: RegisterColumns): number {
  const { length, key, needs, puts, call, ret, revision } = columns;
  let sum = 0;
  for (let row = 0; row < length; row++)
    sum ^=
      (key[row] as number) ^
      (needs[row] as number) ^
      (puts[row] as number) ^
      (call[row] as number) ^
      (ret[row] as number) ^
      (revision[row] as number);
  return sum;
}

function known(more: Partial<KnownOptions> = {}): History {
  const random = randomOf(1);
  const shape = { operations, keys, clients, values: 5, spread: 'at-random' } as const;
  return historyOfKnown(knownHistory(random, { ...shape, ...more }));
}

/** Prints what each of these costs. */
async function table(
  title: string,
  history: History,
  works: Readonly<Record<string, (columns: RegisterColumns) => unknown>>,
): Promise<void> {
  const columns = historyColumns(history, READS, register.init);
  const { length } = columns;
  const base = (await least(() => barePass(columns))).cpuMs;
  console.log(`\n${title}: ${length} operations on ${columns.keys.length} keys`);
  const rows = { 'bare pass (baseline)': barePass, ...works };
  for (const [name, work] of Object.entries(rows)) {
    const { cpuMs } = await least(() => work(columns));
    const each = [
      `${cpuMs.toFixed(1).padStart(8)} ms`,
      `${((1e6 * cpuMs) / length).toFixed(1).padStart(7)} ns/op`,
      `${(length / cpuMs / 1000).toFixed(1).padStart(6)} M/s`,
      `${(cpuMs / base).toFixed(1).padStart(6)} x`,
    ];
    console.log(`  ${name.padEnd(34)}${each.join('')}`);
  }
}

const few = known();
const registers = registersOfHistory(few, register, READS);
await table('five values', few, {
  'history to columns': () => historyColumns(few, READS, register.init),
  'columns to verdict': () => runHere(registerRounds(registers, bare), bare),
  'the same, orders tried': () => runHere(registerRounds(registers, options), options),
  'history to verdict': () => runHere(historyRounds(few, READS, options), options),
});

const unique = known({ values: 'unique' });
await table('all values different', unique, {
  'history to columns': () => historyColumns(unique, READS, register.init),
  'unique-write path': uniqueWrites,
});

const told = historyOf(simulate(randomOf(1), { operations, clients, keys }));
await table('with revisions', told, {
  'history to columns': () => historyColumns(told, READS, register.init),
  'revision witness': revisionWitness,
  'unique-write path': uniqueWrites,
});

/** All clients ask one key after the other: for less work it takes no second thread. */
const more = { operations: 2 * operations, keys: 2 * keys, spread: 'in-turn' } as const;
const many = registersOfHistory(known(more), register, READS);
console.log(`\nthreads: ${many.columns.length} operations on ${more.keys} keys, orders tried`);
const onThreads = (threads: number): Promise<Cost> =>
  least(() => runOnThreads(registerRounds(many, options), options, { threads }), 3);
const [one, two] = [await onThreads(1), await onThreads(2)];
console.log(`  one       ${one.wallMs.toFixed(0)} ms, processor ${one.cpuMs.toFixed(0)} ms`);
console.log(
  `  two       ${two.wallMs.toFixed(0)} ms, processor ${two.cpuMs.toFixed(0)} ms, ` +
    `of which this one ${two.ownMs.toFixed(0)} ms`,
);
// On a machine that does other things as well, the busier of both tells what the clock would.
const busier = Math.max(two.ownMs, two.cpuMs - two.ownMs);
console.log(
  `  ratio     ${(one.wallMs / two.wallMs).toFixed(2)} x by the clock, ` +
    `${(one.cpuMs / busier).toFixed(2)} x by the busier of both`,
);

const judged = async (shape: Partial<KnownOptions>): Promise<number> => {
  const some = registersOfHistory(known(shape), register, READS);
  return (await least(() => runHere(registerRounds(some, bare), bare), 3)).cpuMs;
};

console.log(
  '\none key: columns to verdict, valid and with a stale read half way that is explained',
);
for (const [asking, length] of [
  [5, operations],
  [10, operations / 2],
  [20, operations / 5],
] as const) {
  const asked = { operations: length, keys: 1, clients: asking, spread: 'in-turn' } as const;
  const validMs = await judged(asked);
  const invalidMs = await judged({ ...asked, violation: { kind: 'stale-read', at: 0.5 } });
  console.log(
    `  ${String(asking).padStart(2)} clients, ${length} operations: ${validMs.toFixed(0)} ms, ` +
      `${(length / validMs / 1000).toFixed(2)} M/s; invalid ${invalidMs.toFixed(0)} ms, ` +
      `${(invalidMs / validMs).toFixed(2)} x`,
  );
}
