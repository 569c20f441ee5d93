/** Many mixed runs, shared out among threads. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { MixedRun } from './mixed-run.ts';
import type { MixedShare } from './mixed-worker.ts';

export interface MixedReport {
  readonly runs: number;
  readonly virtualSeconds: number;
  readonly operations: number;
  /** Faults that took effect. */
  readonly faults: number;
  readonly accused: readonly MixedRun[];
  /** Runs whose linearizability nobody could decide. */
  readonly undecided: readonly MixedRun[];
}

/** Seeds from `first` on. `progress` is told of every run. */
export async function playMixed(
  first: number,
  count: number,
  threads: number,
  progress: (run: MixedRun) => void,
): Promise<MixedReport> {
  const runs: MixedRun[] = [];
  const share = async (offset: number): Promise<void> => {
    const workerData: MixedShare = { first: first + offset, count: count - offset, step: threads };
    const worker = new Worker(new URL('./mixed-worker.ts', import.meta.url), { workerData });
    worker.on('message', (run: MixedRun) => {
      runs.push(run);
      progress(run);
    });
    await once(worker, 'exit');
  };
  await Promise.all(Array.from({ length: threads }, (_, offset) => share(offset)));
  return {
    runs: runs.length,
    virtualSeconds: sum(runs.map(({ virtualMs }) => virtualMs)) / 1000,
    operations: sum(runs.map(({ operations }) => operations)),
    faults: sum(runs.map(({ installed }) => installed)),
    accused: runs.filter(({ wrong }) => wrong.length > 0),
    undecided: runs.filter(({ undecided }) => undecided.includes('linearizable')),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
