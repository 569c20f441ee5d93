import type { Clock } from '../../harness/core/clock.ts';
import { NANOS_PER_MS, nanos } from '../../harness/core/units.ts';
import type { History } from '../../harness/history/history.ts';
import type { ReadMode } from '../../harness/history/op.ts';
import type { Anomaly, CheckLimits, CheckResult } from '../../harness/protocols/checker.ts';
import { type KeyOp, keyHistories } from '../key-history.ts';
import { anomalyOf } from '../linearizable/explain.ts';
import { strangeReads } from '../linearizable/refute.ts';
import { withoutUnobservable as observable } from '../linearizable/unobservable.ts';
import { valueUses } from '../linearizable/value-index.ts';
import type { SearchBudget } from '../linearizable/wgl.ts';
import type { Model } from '../models/model.ts';
import { register } from '../models/register.ts';
import { counted, listed } from '../text.ts';
import { noOrderAnomaly } from './explain.ts';
import { judgeOrder, type OrderJudgement } from './judge.ts';
import { type Criterion, type OrderProblem, objectsOf, problemOf } from './problem.ts';

export interface OrderQuestion {
  readonly model: Model;
  readonly modes: readonly ReadMode[];
  readonly criterion: Criterion;
  readonly clock: Pick<Clock, 'now'>;
  readonly limits: CheckLimits;
}

/** Reads of values that nobody put, told of each key. */
const STRANGE_MAX = 3;

/** Judges all keys of a history together. `more`: violations that are known already. */
export function checkOrder(
  history: History,
  question: OrderQuestion,
  more: readonly Anomaly[] = [],
): CheckResult {
  const { model, modes, criterion, clock, limits } = question;
  const store = keyHistories(history, { ...model, per: 'store' }, modes);
  const all = store.flatMap(({ ops }) => ops);
  const problem = problemOf(withoutUnobservable(all, model), model, criterion);
  const known = [...strangeAnomalies(history, question), ...more];
  const budget: SearchBudget = {
    clock,
    deadline: nanos(clock.now() + limits.timeoutMs * NANOS_PER_MS),
    memoryBytes: limits.memoryBytes,
    steps: Infinity,
  };
  const judgement = known.length > 0 ? undefined : judgeOrder(problem, budget);
  const core =
    judgement?.result === 'invalid'
      ? [noOrderAnomaly(problemOf(judgement.core, model, criterion))]
      : [];
  return resultOf(problem, judgement, [...known, ...core], limits);
}

/** Without the operations of unknown outcome that nobody can have seen. */
function withoutUnobservable(ops: readonly KeyOp[], model: Model): readonly KeyOp[] {
  const kept = new Set<KeyOp>();
  for (const positions of objectsOf(ops, model).values()) {
    const own = positions.map((at) => ops[at] as KeyOp);
    for (const at of observable(own, model)) kept.add(own[at] as KeyOp);
  }
  return ops.filter((op) => kept.has(op));
}

/** What no order explains because nobody, or only who failed, ever put it. */
function strangeAnomalies(history: History, { model, modes }: OrderQuestion): Anomaly[] {
  if (model !== register) return [];
  return keyHistories(history, model, modes).flatMap((key) =>
    [...strangeReads(valueUses(key))]
      .filter(({ kind }) => kind === 'phantom-read' || kind === 'read-of-failed-write')
      .slice(0, STRANGE_MAX)
      .map((finding) => anomalyOf(key.key, finding)),
  );
}

function resultOf(
  problem: OrderProblem,
  judgement: OrderJudgement | undefined,
  anomalies: readonly Anomaly[],
  limits: CheckLimits,
): CheckResult {
  const { criterion, ops, sessions, keys, model } = problem;
  const base = {
    checker: criterion.name,
    anomalies,
    covered: coveredText(problem),
    details: {
      operations: ops.length,
      sessions: sessions.length,
      keys: keys.length,
      decidedBy: judgement === undefined || judgement.result === 'unknown' ? null : judgement.by,
      steps: judgement?.steps ?? 0,
      configurations: judgement?.configurations ?? 0,
    },
  };
  if (anomalies.length > 0) return { ...base, verdict: 'invalid' };
  if (judgement?.result === 'unknown')
    return { ...base, verdict: 'unknown', reason: undecidedText(problem, judgement, limits) };
  const isObservation = ({ call }: KeyOp): boolean =>
    call.outcome === 'refused' || (call.outcome === 'ok' && model.overwrites?.(call) !== true);
  if (ops.some(isObservation)) return { ...base, verdict: 'valid' };
  const reason = 'There is nothing to judge: nothing was observed that could be wrong.';
  return { ...base, verdict: 'unknown', reason };
}

function coveredText({ ops, sessions, keys }: OrderProblem): string {
  const counts = new Map<string, number>();
  for (const { call } of ops) {
    const name = call.outcome === 'indefinite' ? 'of unknown outcome' : call.f;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const parts = [...counts].map(([name, count]) => `${count} ${name}`);
  const where = `${counted(keys.length, 'key')} together, ${counted(sessions.length, 'session')}`;
  return `${where}: ${parts.length === 0 ? 'no operation' : listed(parts)}`;
}

function undecidedText(
  { ops, sessions }: OrderProblem,
  { reason, placed, configurations }: Extract<OrderJudgement, { readonly result: 'unknown' }>,
  limits: CheckLimits,
): string {
  const why =
    reason === 'memory'
      ? `at ${Math.round(limits.memoryBytes / 2 ** 20)} MiB of memory`
      : `after ${limits.timeoutMs / 1000} s`;
  return [
    `The checker stopped ${why} without finding an order and without ruling one out. This is not`,
    `evidence of a bug, and not a pass. The longest order that it found has ${placed} of`,
    `${counted(ops.length, 'operation')} of ${counted(sessions.length, 'session')}; it remembers`,
    `${counted(configurations, 'dead end')}. What helps: values that are written only once,`,
    'answers with revisions, fewer clients, or a longer check timeout on the same history.',
  ].join(' ');
}
