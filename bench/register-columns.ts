/**
 * What it costs to judge registers once a history is in memory, in processor time: from its columns
 * to columns of numbers, and from those to the verdict.
 *
 * Run: npx --no-install node bench/register-columns.ts [operations [keys [clients [values]]]]
 */
import { historyRounds } from '../checkers/linearizable/judge.ts';
import type { JudgeOptions } from '../checkers/linearizable/judgement.ts';
import { registerRounds, registersOfHistory } from '../checkers/linearizable/registers.ts';
import { runHere } from '../checkers/linearizable/rounds.ts';
import { runOnThreads } from '../checkers/linearizable/threads.ts';
import { register } from '../checkers/models/register.ts';
import { knownHistory } from '../checkers/testkit/known-history.ts';
import { historyOfKnown } from '../checkers/testkit/known-history-forms.ts';
import { realClock } from '../harness/core/clock.ts';
import { Random, seedFrom } from '../harness/core/prng.ts';
import { nanos } from '../harness/core/units.ts';

const [operations = 1e6, keys = 1000, clients = 20] = process.argv.slice(2).map(Number);
const values = process.argv[5] === 'unique' ? 'unique' : Number(process.argv[5] ?? 5);
const ROUNDS = 7;
const READS = ['linearizable'] as const;

const known = knownHistory(Random.stream(seedFrom(1), 'known-history'), {
  operations,
  keys,
  clients,
  values,
  spread: 'at-random',
});
const history = historyOfKnown(known);
const clock = realClock();
const options: JudgeOptions = {
  model: register,
  clock,
  deadline: nanos(3600e9),
  memoryBytes: 2 ** 30,
};

/** The least of some rounds, in milliseconds of this process and of this thread. */
async function least(work: () => unknown): Promise<readonly [all: number, own: number]> {
  let best: readonly [number, number] = [Infinity, Infinity];
  for (let round = 0; round < ROUNDS; round++) {
    const [all, own] = [process.cpuUsage(), process.threadCpuUsage()];
    await work();
    const [allSince, ownSince] = [process.cpuUsage(all), process.threadCpuUsage(own)];
    const allMs = (allSince.user + allSince.system) / 1000;
    if (allMs < best[0]) best = [allMs, (ownSince.user + ownSince.system) / 1000];
  }
  return best;
}

const registers = registersOfHistory(history, register, READS);
const text = (ms: number): string =>
  `${ms.toFixed(0).padStart(6)} ms ${((1e6 * ms) / known.length).toFixed(0).padStart(5)} ns an operation`;

console.log(`${known.length} operations, ${keys} keys, ${clients} clients, ${values} values`);
const [columns] = await least(() => registersOfHistory(history, register, READS));
console.log(`history to columns         ${text(columns)}`);
const bare = { ...options, recheck: false };
const [verdict] = await least(() => runHere(registerRounds(registers, bare), bare));
console.log(`columns to verdict         ${text(verdict)}`);
const [tried] = await least(() => runHere(registerRounds(registers, options), options));
console.log(`the same, orders tried     ${text(tried)}`);
const [whole] = await least(() => runHere(historyRounds(history, READS, options), options));
console.log(`history to verdict         ${text(whole)}`);
const [all, own] = await least(() => runOnThreads(registerRounds(registers, options), options));
console.log(`columns, several threads   ${text(all)}; this one ${own.toFixed(0)} ms`);
