/** Judges the reads of one mode against what was written and what the mode promises. */
import type { History } from '../../harness/history/history.ts';
import type { ReadMode } from '../../harness/history/op.ts';
import type { Anomaly } from '../../harness/protocols/checker.ts';
import type { ReadModeRow } from '../../harness/protocols/details.ts';
import type { ReadPromise } from '../../harness/protocols/system.ts';
import { type KeyHistory, keyHistories } from '../key-history.ts';
import { anomalyOf } from '../linearizable/explain.ts';
import { judgeKeys } from '../linearizable/judge.ts';
import type { JudgeOptions, KeyJudgement } from '../linearizable/judgement.ts';
import { strangeReads } from '../linearizable/refute.ts';
import { valueUses } from '../linearizable/value-index.ts';
import { register } from '../models/register.ts';
import { backwardsAnomaly, staleAnomaly, twoKeysAnomaly, twoValuesAnomaly } from './explain.ts';
import { type SessionFindings, sessionFindings } from './sessions.ts';
import { type StaleRead, staleReads } from './staleness.ts';
import { timelineOf, valueTimelineOf } from './timeline.ts';
import { twoKeysAtOneRevision } from './two-keys.ts';
import { twoValuesAtOneRevision } from './two-values.ts';

export interface ModeJudgement {
  readonly row: ReadModeRow;
  /** What breaks the mode's promise. */
  readonly anomalies: readonly Anomaly[];
  readonly keys: readonly KeyHistory[];
  /** One for each key, in order; empty where no search was needed. */
  readonly judgements: readonly KeyJudgement[];
}

/** Examples told of each kind of anomaly: the worst, or the first. */
const EXAMPLES_MAX = 5;
const NANOS_PER_MS = 1e6;
/** Stale reads told one by one; beyond that the counts must do. */
const STALE_MAX = 1000;

export function judgeMode(
  history: History,
  mode: ReadMode,
  promise: ReadPromise,
  budget: JudgeOptions,
): ModeJudgement {
  const keys = keyHistories(history, register, [mode]);
  const timelines = keys.map(timelineOf);
  const reads = timelines.reduce((sum, timeline) => sum + timeline.reads.length, 0);
  const stale = timelines.flatMap(staleReads).toSorted((a, b) => b.nanos - a.nanos);
  const sessions = sessionFindings(timelines);
  const always = [
    ...keys.flatMap(contradictions).slice(0, EXAMPLES_MAX),
    ...twoKeysAtOneRevision(history, keys).slice(0, EXAMPLES_MAX).map(twoKeysAnomaly),
    ...sessions.perNode
      .slice(0, EXAMPLES_MAX)
      .map((found) => backwardsAnomaly(found.second.invoke.key ?? '', found)),
  ];
  const strict = promise === 'linearizable';
  // Whether a weaker promise was exceeded is only worth a search while it can still be so.
  const search = reads > 0 && (strict || (always.length === 0 && stale.length === 0));
  const judgements = search ? judgeKeys(keys, budget) : [];
  const found = judgements.flatMap(({ anomalies }) => anomalies);
  const broken = unique([...staleAnomalies(keys, stale), ...always, ...found]);
  const anomalies = strict ? broken.map((anomaly) => inMode(anomaly, mode)) : always;
  const outcome = {
    reads,
    stale,
    sessions,
    broken: anomalies.length > 0,
    weakBroken: always.length > 0,
    judgements,
  };
  return { row: rowOf(mode, promise, outcome), anomalies, keys, judgements };
}

/** What no promise allows: values that nobody stored, and two values where there can be one. */
function contradictions(key: KeyHistory): Anomaly[] {
  const strange = [...strangeReads(valueUses(key))]
    .filter((finding) => 'read' in finding && finding.read.call.f === 'read')
    .map((finding) => anomalyOf(key.key, finding));
  const two = twoValuesAtOneRevision(key);
  return two === undefined ? strange : [...strange, twoValuesAnomaly(key.key, two)];
}

function staleAnomalies(keys: readonly KeyHistory[], stale: readonly StaleRead[]): Anomaly[] {
  return stale.slice(0, EXAMPLES_MAX).flatMap((one) => {
    const key = keys.find((candidate) => candidate.key === (one.read.invoke.key ?? ''));
    return key === undefined ? [] : [staleAnomaly(key.key, one, valueTimelineOf(key))];
  });
}

/** Says what was promised where the mode's own name does not. */
function inMode(anomaly: Anomaly, mode: ReadMode): Anomaly {
  if (mode === 'linearizable') return anomaly;
  const promised = `Reads that ask for ${mode} were promised to be linearizable.`;
  return { ...anomaly, explanation: `${anomaly.explanation} ${promised}` };
}

/** One of a kind for each set of operations; of stale reads one for each key is enough. */
function unique(anomalies: readonly Anomaly[]): Anomaly[] {
  const known = new Set<string>();
  return anomalies.filter(({ kind, key, ops }) => {
    const name = kind === 'stale-read' ? `${kind} ${key}` : `${kind} ${ops.join()}`;
    const isNew = !known.has(name);
    known.add(name);
    return isNew;
  });
}

interface Outcome {
  readonly reads: number;
  /** The stalest first. */
  readonly stale: readonly StaleRead[];
  readonly sessions: SessionFindings;
  readonly broken: boolean;
  readonly weakBroken: boolean;
  readonly judgements: readonly KeyJudgement[];
}

function rowOf(mode: ReadMode, promise: ReadPromise, outcome: Outcome): ReadModeRow {
  const { reads, stale, sessions, judgements } = outcome;
  const undecided = judgements.some(({ result }) => result === 'unknown');
  const unknown = reads === 0 || (promise === 'linearizable' && undecided);
  const [stalest] = stale;
  const median = stale[Math.floor(stale.length / 2)];
  return {
    mode,
    promise,
    reads,
    result: outcome.broken ? 'broken' : unknown ? 'unknown' : 'kept',
    stale: stale.length,
    staleMsMax: (stalest?.nanos ?? 0) / NANOS_PER_MS,
    staleMsP50: (median?.nanos ?? 0) / NANOS_PER_MS,
    staleVersionsMax: stale.reduce((max, { versions }) => Math.max(max, versions), 0),
    backwardsPerNode: sessions.perNode.length,
    backwardsAcrossNodes: sessions.acrossNodes,
    missedOwnWrite: sessions.missedOwnWrite,
    strongest: strongestOf(outcome, undecided),
    ...(stalest !== undefined && {
      stalestRead: stalest.read.start,
      staleReads: stale
        .slice(0, STALE_MAX)
        .map(({ read, nanos, versions }) => [read.start, nanos / NANOS_PER_MS, versions] as const),
    }),
  };
}

function strongestOf(outcome: Outcome, undecided: boolean): ReadModeRow['strongest'] {
  const { reads, stale, weakBroken, judgements } = outcome;
  if (reads === 0) return 'unknown';
  if (weakBroken) return 'none';
  if (stale.length > 0 || judgements.some(({ result }) => result === 'invalid'))
    return 'serializable';
  return undecided ? 'unknown' : 'linearizable';
}
