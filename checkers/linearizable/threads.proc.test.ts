import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { realClock } from '../../harness/core/clock.ts';
import { invariant } from '../../harness/core/invariant.ts';
import { type Nanos, nanos } from '../../harness/core/units.ts';
import { register } from '../models/register.ts';
import { randomOf } from '../testkit/context.ts';
import { knownHistory } from '../testkit/known-history.ts';
import { historyOfKnown } from '../testkit/known-history-forms.ts';
import { historyRounds } from './judge.ts';
import type { JudgeOptions } from './judgement.ts';
import { runHere } from './rounds.ts';
import { type Order, takeParts } from './shared-parts.ts';
import { runOnThreads, type ThreadOptions } from './threads.ts';

const READS = ['linearizable'] as const;
const OPTIONS: JudgeOptions = {
  model: register,
  clock: realClock(),
  deadline: nanos(600e9),
  memoryBytes: 2 ** 28,
};
const HISTORY = historyOfKnown(
  knownHistory(randomOf(3), { operations: 60_000, clients: 12, keys: 30, spread: 'at-random' }),
);

async function resultsWith(start: NonNullable<ThreadOptions['start']>): Promise<readonly string[]> {
  const rounds = historyRounds(HISTORY, READS, OPTIONS);
  const { judgements } = await runOnThreads(rounds, OPTIONS, { threads: 3, patienceMs: 0, start });
  return judgements.map(({ result, reason }) => reason ?? result);
}

test('threads that are killed before they work leave the work to the others', async () => {
  let killed = 0;
  const results = await resultsWith(() => {
    const worker = new Worker(new URL('threads-worker.ts', import.meta.url));
    void worker.terminate();
    killed++;
    return worker;
  });
  expect(killed).toBe(2);
  const alone = runHere(historyRounds(HISTORY, READS, OPTIONS), OPTIONS);
  expect(results).toEqual(alone.judgements.map(({ result }) => result));
});

/** A thread that ends as soon as it has taken a part. */
function mortal(): Worker {
  const worker = new Worker('', { eval: true });
  return Object.assign(worker, {
    postMessage: ({ parts, round }: Order) => {
      let looks = 0;
      const now = (): Nanos => {
        invariant(looks++ === 0, 'the thread ends');
        return nanos(0);
      };
      expect(() => takeParts(parts, round, { ...OPTIONS, clock: { now } })).toThrow('ends');
      void worker.terminate();
    },
  });
}

test('what a killed thread had is unknown, and all else is decided', async () => {
  const results = await resultsWith(mortal);
  expect(results.toSorted()).toEqual(['memory', 'memory', ...Array(28).fill('valid')]);
});
