import type { Clock } from '../../harness/core/clock.ts';
import type { History } from '../../harness/history/history.ts';
import type { ReadMode } from '../../harness/history/op.ts';
import type { Anomaly, CheckLimits, CheckResult } from '../../harness/protocols/checker.ts';
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

/** Told of each kind and key. */
const EXAMPLES_MAX = 3;

/** What `prefixConsistent` says of a history, at once; needs nothing of Node.js. */
export function checkPrefixConsistent(
  history: History,
  limits: CheckLimits,
  options: {
    readonly model?: Model | undefined;
    readonly modes?: readonly ReadMode[] | undefined;
    readonly clock: Pick<Clock, 'now'>;
  },
): CheckResult {
  const { model = register, modes = ['linearizable', 'serializable'], clock } = options;
  const known = model === register ? modes.flatMap((mode) => ofRevisions(history, mode)) : [];
  const question = { model, modes, criterion: PREFIX_CONSISTENT, clock, limits };
  return checkOrder(history, question, withoutRepeats(known));
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
