/** Verdicts on very many random histories of every model, shared out among threads. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { SoundnessPart, SoundnessShare } from './soundness-worker.ts';

/**
 * `count` small histories of each model against the trial of all orders, and a tenth as many larger
 * ones against the plain search. Seeds from `first` on. One part for each model and size, of all
 * threads together; `progress` is told of each as soon as it is done.
 */
export async function soundAll(
  first: number,
  count: number,
  threads: number,
  progress: (row: SoundnessPart) => void,
): Promise<readonly SoundnessPart[]> {
  const parts = new Map<string, SoundnessPart[]>();
  const rows: SoundnessPart[] = [];
  const share = async (offset: number): Promise<void> => {
    const workerData: SoundnessShare = {
      first: first + offset,
      step: threads,
      small: Math.ceil(count / threads),
      large: Math.ceil(count / 10 / threads),
    };
    const worker = new Worker(new URL('./soundness-worker.ts', import.meta.url), { workerData });
    worker.on('message', (part: SoundnessPart) => {
      const name = `${part.model} ${part.size}`;
      const of = [...(parts.get(name) ?? []), part];
      parts.set(name, of);
      if (of.length < threads) return;
      const row = joined(of);
      rows.push(row);
      progress(row);
    });
    await once(worker, 'exit');
  };
  await Promise.all(Array.from({ length: threads }, (_, offset) => share(offset)));
  return rows;
}

function joined(parts: readonly SoundnessPart[]): SoundnessPart {
  return parts.reduce((sum, part) => ({
    ...sum,
    valid: sum.valid + part.valid,
    invalid: sum.invalid + part.invalid,
    undecided: sum.undecided + part.undecided,
    problems: [...sum.problems, ...part.problems],
  }));
}
