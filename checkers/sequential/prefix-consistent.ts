import { type Clock, realClock } from '../../harness/core/clock.ts';
import type { History } from '../../harness/history/history.ts';
import type { ReadMode } from '../../harness/history/op.ts';
import type { Anomaly, Checker } from '../../harness/protocols/checker.ts';
import { keyHistories } from '../key-history.ts';
import type { Model } from '../models/model.ts';
import { register } from '../models/register.ts';
import { backwardsAnomaly, twoKeysAnomaly, twoValuesAnomaly } from '../read-modes/explain.ts';
import { sessionFindings } from '../read-modes/sessions.ts';
import { timelineOf } from '../read-modes/timeline.ts';
import { twoKeysAtOneRevision } from '../read-modes/two-keys.ts';
import { twoValuesAtOneRevision } from '../read-modes/two-values.ts';
import { wrongAtRevision } from './at-revision.ts';
import { checkOrder } from './check-order.ts';
import { PREFIX_CONSISTENT } from './criteria.ts';

export interface PrefixConsistentOptions {
  /** Default: `register`. */
  readonly model?: Model;
  /** The reads that count; default: all, as a linearizable read also shows a prefix. */
  readonly modes?: readonly ReadMode[];
  /** Default: the real one. */
  readonly clock?: Clock;
}

/** Told of each kind and key. */
const EXAMPLES_MAX = 3;

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
  const { model = register, modes = ['linearizable', 'serializable'] } = options;
  return {
    name: 'prefix-consistent',
    check: (history, ctx) => {
      const clock = options.clock ?? realClock();
      const known = model === register ? modes.flatMap((mode) => ofRevisions(history, mode)) : [];
      const question = { model, modes, criterion: PREFIX_CONSISTENT, clock, limits: ctx.limits };
      return Promise.resolve(checkOrder(history, question, withoutRepeats(known)));
    },
  };
}

/** What revisions and single sessions show without a search. */
function ofRevisions(history: History, mode: ReadMode): Anomaly[] {
  const keys = keyHistories(history, register, [mode]);
  const backwards = sessionFindings(keys.map(timelineOf)).perNode;
  return [
    ...keys.flatMap((key) => {
      const two = twoValuesAtOneRevision(key);
      const wrong = wrongAtRevision(key, EXAMPLES_MAX);
      return two === undefined ? wrong : [twoValuesAnomaly(key.key, two), ...wrong];
    }),
    ...twoKeysAtOneRevision(history, keys).slice(0, EXAMPLES_MAX).map(twoKeysAnomaly),
    ...backwards
      .slice(0, EXAMPLES_MAX)
      .map((found) => backwardsAnomaly(found.second.invoke.key ?? '', found)),
  ];
}

/** Contradictions among changes show in every mode. */
function withoutRepeats(anomalies: readonly Anomaly[]): Anomaly[] {
  return [...new Map(anomalies.map((one) => [`${one.kind} ${one.ops.join()}`, one])).values()];
}
