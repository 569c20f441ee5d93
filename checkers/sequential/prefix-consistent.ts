import { type Clock, realClock } from '../../harness/core/clock.ts';
import type { ReadMode } from '../../harness/history/op.ts';
import type { Checker } from '../../harness/protocols/checker.ts';
import type { Model } from '../models/model.ts';
import { register } from '../models/register.ts';
import { READ_MODES, removalsOf } from '../removals.ts';
import { checkPrefixConsistent } from './check-prefix.ts';

export interface PrefixConsistentOptions {
  /** Default: `register`. */
  readonly model?: Model;
  /** The reads that count; default: all, as a linearizable read also shows a prefix. */
  readonly modes?: readonly ReadMode[];
  /** Default: the real one. */
  readonly clock?: Clock;
}

/**
 * Prefix-consistent reads of the whole store, which is what a replica that lags behind gives: there
 * is one order of all changes, in which they happened in real time, and every read shows what some
 * beginning of it leads to, of changes that had been sent when it ended. In one session (a client,
 * a node, a mode) that beginning never gets shorter, whichever keys are read.
 *
 * `read-modes` asks the same of each key by itself, and of revisions that go back; this asks it of
 * all keys together: an answer at one revision of the store must show every change up to there.
 * It does not ask that a client sees its own changes, nor how stale a read is; for that there is
 * `read-modes` as well. What revisions show is a violation of what they mean, even where some
 * order of the values alone would do.
 */
export function prefixConsistent(options: PrefixConsistentOptions = {}): Checker {
  return {
    name: 'prefix-consistent',
    check: (history, { limits }) => {
      const clock = options.clock ?? realClock();
      return Promise.resolve(checkPrefixConsistent(history, limits, { ...options, clock }));
    },
    removals: (history) => {
      const { model = register, modes = READ_MODES } = options;
      return removalsOf(history, { model, modes, ends: true, others: false });
    },
  };
}
