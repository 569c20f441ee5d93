/** Threads that play simulated runs; one that dies or hangs costs its run, and another takes its place. */
import { extname } from 'node:path';
import type { Worker } from 'node:worker_threads';
import type { Clock } from '../../harness/core/clock.ts';
import { messageOf } from '../../harness/core/errors.ts';
import { startWorker } from '../../harness/core/worker.ts';
import type { RunConfig } from '../../harness/protocols/run.ts';
import type { ExploreAnswer, ExploreWorkerData } from './explore-worker.ts';
import type { Outcome } from './outcome.ts';

/** Plays one run at a time. */
export interface Player extends AsyncDisposable {
  play(config: RunConfig): Promise<Outcome>;
}

/** Far more than any drawn run needs; by the machine's clock, which others use, too. */
const RUN_MS_MAX = 90_000;
const HEAP_MB = 1024;

/** A thread; the next run after one that was lost waits until there is another. */
export function simPlayer(clock: Clock, data: ExploreWorkerData, signal: AbortSignal): Player {
  let worker: Worker | undefined;
  return {
    play: async (config) => {
      worker ??= started(data);
      const answer = await answerOf(worker, config, clock, signal);
      if (answer.kind === 'outcome') return answer.outcome;
      if (answer.kind === 'lost') {
        await worker.terminate();
        worker = undefined;
      }
      return lost(answer.message);
    },
    [Symbol.asyncDispose]: async () => {
      await worker?.terminate();
    },
  };
}

export function lost(why: string): Outcome {
  return { features: [], hits: {}, violations: [], undecided: [], operations: 0, broken: why };
}

function started(workerData: ExploreWorkerData): Worker {
  const url = new URL(`./explore-worker${extname(import.meta.url)}`, import.meta.url);
  const worker = startWorker(url, {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  });
  // One that dies between two runs is missed by the next.
  return worker.on('error', () => undefined);
}

type Answer = ExploreAnswer | { readonly kind: 'lost'; readonly message: string };

/** Of a worker that may still have to load what it needs. */
async function answerOf(
  worker: Worker,
  config: RunConfig,
  clock: Clock,
  signal: AbortSignal,
): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const giveUp = (message: string): void => {
    resolve({ kind: 'lost', message });
  };
  const onMessage = (answer: ExploreAnswer): void => {
    resolve(answer);
  };
  const onError = (error: Error): void => {
    giveUp(`its thread died: ${messageOf(error)}`);
  };
  const onExit = (): void => {
    giveUp('its thread ended');
  };
  const onAbort = (): void => {
    giveUp('interrupted');
  };
  const timer = clock.timer(RUN_MS_MAX, () => {
    giveUp(`it did not end within ${RUN_MS_MAX / 1000} s`);
  });
  worker.on('message', onMessage).on('error', onError).on('exit', onExit);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  else worker.postMessage(config);
  const answer = await promise;
  timer.cancel();
  worker.off('message', onMessage).off('error', onError).off('exit', onExit);
  signal.removeEventListener('abort', onAbort);
  return answer;
}
