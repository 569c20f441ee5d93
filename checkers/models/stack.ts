import { collection } from './collection.ts';
import type { Model } from './model.ts';

/** Last in, first out: `push`, and `pop`, which answers null when the stack is empty. */
export const stack: Model = collection('stack', 'push', 'pop', (held) => [
  held.at(-1) ?? null,
  held.slice(0, -1),
]);
