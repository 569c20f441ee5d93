/** Plays every `step`-th mixed run, in a thread of its own. */
import { parentPort, workerData } from 'node:worker_threads';
import { mixedRun } from './mixed-run.ts';

export interface MixedShare {
  readonly first: number;
  readonly count: number;
  readonly step: number;
}

const { first, count, step } = workerData as MixedShare;
for (let seed = first; seed < first + count; seed += step)
  parentPort?.postMessage(await mixedRun(seed));
