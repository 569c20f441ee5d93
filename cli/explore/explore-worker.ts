/** Plays and judges one simulated run for each configuration it is sent, in a thread of its own. */
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../harness/core/errors.ts';
import { invariant } from '../../harness/core/invariant.ts';
import type { RunConfig } from '../../harness/protocols/run.ts';
import { loadModules } from '../modules.ts';
import type { Outcome } from './outcome.ts';
import { simulated } from './simulate.ts';

export interface ExploreWorkerData {
  /** See `loadModules`. */
  readonly modules: readonly string[];
}

export type ExploreAnswer =
  | { readonly kind: 'outcome'; readonly outcome: Outcome }
  | { readonly kind: 'failed'; readonly message: string };

const port = parentPort;
invariant(port !== null, 'this file is the program of a worker');
const { modules } = workerData as ExploreWorkerData;
const code = await loadModules(modules);
const say = (answer: ExploreAnswer): void => {
  port.postMessage(answer);
};

async function answered(config: RunConfig): Promise<ExploreAnswer> {
  try {
    return { kind: 'outcome', outcome: await simulated(config, code, modules) };
  } catch (error) {
    return { kind: 'failed', message: messageOf(error) };
  }
}

port.on('message', (config: RunConfig) => {
  void answered(config).then(say);
});
