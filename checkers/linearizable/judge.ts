/** Judges the keys of a history one by one, within one budget of time and memory. */
import type { History } from '../../harness/history/history.ts';
import type { ReadMode } from '../../harness/history/op.ts';
import { type KeyHistory, type KeyOp, keyHistories } from '../key-history.ts';
import type { Model } from '../models/model.ts';
import { type Asked, askedOf } from './asked.ts';
import { isRegister } from './columns.ts';
import { explained } from './explain-key.ts';
import { type JudgeOptions, judgementOf, type KeyJudgement } from './judgement.ts';
import { decide } from './portfolio.ts';
import { registerRounds, registersOfHistory, registersOfKeys } from './registers.ts';
import { type Outcome, type Rounds, roundsOf, runHere, type Size } from './rounds.ts';
import type { SearchBudget } from './wgl.ts';

export interface Judged {
  /** One for each key that somebody asked for. */
  readonly judgements: readonly KeyJudgement[];
  readonly asked: Asked;
}

/** One judgement per key, in the order given. */
export function judgeKeys(keys: readonly KeyHistory[], options: JudgeOptions): KeyJudgement[] {
  return runHere(keyRounds(keys, options), options);
}

/** All keys of a history, with the reads of some modes; see `runHere` and `Pool`. */
export function* historyRounds(
  history: History,
  reads: readonly ReadMode[],
  options: JudgeOptions,
): Rounds<Judged> {
  const { model } = options;
  if (isRegister(model)) {
    const registers = registersOfHistory(history, model, reads);
    return { asked: registers.asked, judgements: yield* registerRounds(registers, options) };
  }
  const keys = keyHistories(history, model, reads).filter(({ ops }) => ops.length > 0);
  return { asked: askedOf(keys), judgements: yield* keyRounds(keys, options) };
}

function* keyRounds(keys: readonly KeyHistory[], options: JudgeOptions): Rounds<KeyJudgement[]> {
  const { model } = options;
  if (isRegister(model)) return yield* registerRounds(registersOfKeys(keys, model), options);
  const sizes = keys.map(({ ops }) => ({
    operations: ops.length,
    indefinite: ops.reduce((sum, { call }) => sum + Number(call.outcome === 'indefinite'), 0),
  }));
  const searches = {
    decide: (key: number, budget: SearchBudget) => outcomeOf(opsOf(keys, key), model, budget),
  };
  const outcomes = yield* roundsOf(sizes, searches, () => []);
  const upTo = outcomes.map(({ blocked }, key) =>
    blocked === undefined ? -1 : (keys[key]?.ops[blocked]?.end ?? -1),
  );
  const invalid = [...keys.keys()].filter((key) => outcomes[key]?.result === 'invalid');
  const anomalies = explained(
    invalid.map((key) => ({ whole: () => keys[key] as KeyHistory, upTo: upTo[key] as number })),
    options,
  );
  return outcomes.map((outcome, key) => {
    const base = { key: keys[key]?.key ?? '', ...(sizes[key] as Size) };
    const end = upTo[key] as number;
    if (outcome.result === 'valid') return judgementOf(base, outcome, Infinity);
    if (outcome.result === 'invalid')
      return judgementOf(base, outcome, end, anomalies[invalid.indexOf(key)] ?? []);
    return { ...judgementOf(base, outcome, end), ...progress(opsOf(keys, key), end) };
  });
}

function opsOf(keys: readonly KeyHistory[], key: number): readonly KeyOp[] {
  return keys[key]?.ops ?? [];
}

function outcomeOf(ops: readonly KeyOp[], model: Model, budget: SearchBudget): Outcome {
  const search = decide(ops, model, budget);
  const { result, steps, configurations, states = 0, width = 0 } = search;
  const effort = { result, steps, configurations, states, width };
  if (search.result === 'valid') return effort;
  const blocked = ops.findIndex(({ end }) => end === search.upTo);
  return {
    ...effort,
    ...(blocked >= 0 && { blocked }),
    ...(search.result === 'unknown' && { reason: search.reason }),
  };
}

function progress(ops: readonly KeyOp[], upTo: number): Pick<KeyJudgement, 'decided' | 'doubts'> {
  let [decided, doubts] = [0, 0];
  for (const { start, end, call } of ops) {
    if (end < upTo) decided++;
    else if (call.outcome === 'indefinite' && start < upTo) doubts++;
  }
  return { decided, doubts };
}
