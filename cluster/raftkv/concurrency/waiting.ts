/** To wait for what a watch has to say. */
import type { WatchBatch, WatchRequest } from '../mvcc/types.ts';
import type { NodeApi } from '../server/api.ts';

/** Of one revision after another, so that whoever waits may stop between any two. */
const EVENTS_A_PULL = 1;

export interface AwaitedWatch extends Disposable {
  /** The next revision that has something to say; undefined: the signal was aborted. */
  next(): Promise<WatchBatch | undefined>;
}

export function awaitedWatch(
  api: NodeApi,
  request: WatchRequest,
  signal: AbortSignal,
): AwaitedWatch {
  let woken = Promise.withResolvers<void>();
  const wake = (): void => woken.resolve();
  const watch = api.watch(request, wake);
  signal.addEventListener('abort', wake);
  return {
    next: async () => {
      while (!signal.aborted) {
        const batch = watch.pull(EVENTS_A_PULL);
        if (batch !== undefined) return batch;
        await woken.promise;
        woken = Promise.withResolvers<void>();
      }
      return undefined;
    },
    [Symbol.dispose]: () => {
      signal.removeEventListener('abort', wake);
      watch[Symbol.dispose]();
    },
  };
}
