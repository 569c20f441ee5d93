import { type Clock, realClock } from '../../harness/core/clock.ts';
import type { ReadMode } from '../../harness/history/op.ts';
import type { Checker } from '../../harness/protocols/checker.ts';
import type { Model } from '../models/model.ts';
import { register } from '../models/register.ts';
import { READ_MODES, removalsOf } from '../removals.ts';
import { checkOrder } from './check-order.ts';
import { SEQUENTIAL } from './criteria.ts';

export interface SequentialOptions {
  /** Default: `register`. */
  readonly model?: Model;
  /** The reads that count; default: all. */
  readonly modes?: readonly ReadMode[];
  /** Default: the real one. */
  readonly clock?: Clock;
}

/**
 * Sequential consistency of the whole store: is there one order of all operations on all keys that
 * the model accepts and in which the operations of each process keep their order? When they
 * happened does not count: a read may be stale, and may even show what was sent later.
 *
 * A process whose operation had an unknown outcome goes on as another one, whose operations are a
 * session of their own. What failed never happened.
 *
 * It is not local as linearizability is: each key may have an order while the store has none. So a
 * key can only refute. The question is NP-complete even where all values differ; what the
 * revisions, the circles of what must precede what, and a bounded search do not decide is `unknown`.
 */
export function sequential(options: SequentialOptions = {}): Checker {
  const { model = register, modes = READ_MODES } = options;
  return {
    name: 'sequential',
    check: (history, ctx) => {
      const clock = options.clock ?? realClock();
      const question = { model, modes, criterion: SEQUENTIAL, clock, limits: ctx.limits };
      return Promise.resolve(checkOrder(history, question));
    },
    // What is sent later may be seen already, so a beginning does not stand by itself.
    removals: (history) => removalsOf(history, { model, modes, ends: false }),
  };
}
