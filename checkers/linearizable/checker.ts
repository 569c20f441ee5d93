import { type Clock, realClock } from '../../harness/core/clock.ts';
import { NANOS_PER_MS, nanos } from '../../harness/core/units.ts';
import type { ReadMode } from '../../harness/history/op.ts';
import type { CheckContext, Checker } from '../../harness/protocols/checker.ts';
import type { Model } from '../models/model.ts';
import { register } from '../models/register.ts';
import { removalsOf } from '../removals.ts';
import { historyRounds } from './judge.ts';
import type { JudgeOptions } from './judgement.ts';
import { resultOf } from './result.ts';
import { runHere } from './rounds.ts';
import { runOnThreads } from './threads.ts';

export interface LinearizableOptions {
  /** Default: `register`. */
  readonly model?: Model;
  /** The reads that count; default: those that asked for a linearizable answer. */
  readonly modes?: readonly ReadMode[];
  /** Default: the real one. */
  readonly clock?: Clock;
}

/**
 * Is there, for each key by itself, an order of its operations that respects real time and that
 * the model accepts? Linearizability is local (Herlihy and Wing 1990), so keys judged apart
 * judge the whole.
 */
export function linearizable(options: LinearizableOptions = {}): Checker {
  const { model = register, modes = ['linearizable'] } = options;
  return {
    name: 'linearizable',
    check: async (history, ctx) => {
      const { clock } = options;
      const budget = budgetOf(clock ?? realClock(), model, ctx);
      const rounds = historyRounds(history, modes, budget);
      // Threads have clocks of their own, which are real.
      const judged =
        clock === undefined ? await runOnThreads(rounds, budget) : runHere(rounds, budget);
      return resultOf(history, judged, ctx.limits);
    },
    removals: (history) => removalsOf(history, { model, modes, ends: true }),
  };
}

/** The whole of the limits, from now on. */
export function budgetOf(clock: Clock, model: Model, { limits }: CheckContext): JudgeOptions {
  const deadline = nanos(clock.now() + limits.timeoutMs * NANOS_PER_MS);
  return { model, clock, deadline, memoryBytes: limits.memoryBytes };
}
