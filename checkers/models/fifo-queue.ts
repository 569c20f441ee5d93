import { collection } from './collection.ts';
import type { Model } from './model.ts';

/** First in, first out: `enqueue`, and `dequeue`, which answers null when the queue is empty. */
export const fifoQueue: Model = collection('fifo-queue', 'enqueue', 'dequeue', (held) => [
  held[0] ?? null,
  held.slice(1),
]);
