import { createHash } from 'node:crypto';
import type { History } from '../harness/history/history.ts';
import type { CheckResult, RunVerdict, Verdict } from '../harness/protocols/checker.ts';
import type { RunResult } from '../harness/protocols/run.ts';
import { seedOf, titleOf } from './command.ts';
import { shownOperations } from './counterexample.ts';
import { clean, clipped } from './words.ts';

/** `verdict.json`: enough to list and compare runs without their histories; at most 8 KB. */
export interface VerdictSummary {
  readonly schism: 1;
  readonly run: string;
  readonly verdict: RunVerdict;
  readonly exitCode: number;
  /** The first reason; for a pass what it means. */
  readonly sentence: string;
  readonly seed: string;
  readonly system: string;
  readonly workload: string;
  /** The title of its test and the project, for a run of a suite. */
  readonly test?: string;
  readonly faults: readonly string[];
  readonly startedAt: string;
  readonly wallMs: number;
  readonly interrupted?: string;
  /** What is stored of its history is only the beginning. */
  readonly incomplete?: true;
  readonly counts: RunResult['counts'];
  readonly checks: readonly CheckLine[];
  /** Checks that found no room here. */
  readonly checksLeftOut?: number;
  readonly problems: number;
  /** Equal for runs that fail in the same way; see `fingerprintOf`. Only for `fail`. */
  readonly fingerprint?: string;
}

export interface CheckLine {
  readonly checker: string;
  readonly verdict: Verdict;
  readonly anomalies: number;
  readonly line: string;
}

const BYTES_MAX = 8192;
const SENTENCE_MAX = 600;
const LINE_MAX = 200;

export function summaryOf(result: RunResult, history: History): VerdictSummary {
  const { manifest, reasons } = result;
  const { config } = manifest;
  const fingerprint = fingerprintOf(result, history);
  const base: VerdictSummary = {
    schism: 1,
    run: clipped(clean(manifest.run), 64),
    verdict: result.verdict,
    exitCode: result.exitCode,
    sentence: clipped(clean(reasons[0] ?? 'No violation was found in what ran.'), SENTENCE_MAX),
    seed: seedOf(manifest),
    system: clipped(clean(config.system), 64),
    workload: clipped(clean(config.workload), 64),
    ...(config.test !== undefined && { test: clipped(clean(titleOf(manifest)), 160) }),
    faults: config.faults.slice(0, 20).map((fault) => clipped(clean(fault), 40)),
    startedAt: clipped(clean(manifest.startedAt), 40),
    wallMs: Math.round(result.wallMs),
    ...(result.interrupted !== undefined && { interrupted: result.interrupted }),
    ...(result.incomplete === true && { incomplete: true }),
    counts: result.counts,
    checks: result.checks.map(checkLine),
    problems: result.problems.length,
    ...(fingerprint !== undefined && { fingerprint }),
  };
  return fitted(base);
}

/** Of one check: what it found, why it gave up, or what it looked at. */
export function checkLine({
  checker,
  verdict,
  anomalies,
  covered,
  reason,
}: CheckResult): CheckLine {
  const text = anomalies[0]?.explanation ?? reason ?? covered;
  return {
    checker: clipped(clean(checker), 64),
    verdict,
    anomalies: anomalies.length,
    line: clipped(clean(text), LINE_MAX),
  };
}

/** Leaves out valid checks from the end, then others, until the text fits. */
function fitted(summary: VerdictSummary): VerdictSummary {
  const checks = [...summary.checks];
  let current = summary;
  while (checks.length > 0 && Buffer.byteLength(JSON.stringify(current, null, 2)) > BYTES_MAX) {
    const valid = checks.findLastIndex(({ verdict }) => verdict === 'valid');
    checks.splice(valid === -1 ? checks.length - 1 : valid, 1);
    current = {
      ...summary,
      checks: [...checks],
      checksLeftOut: summary.checks.length - checks.length,
    };
  }
  return current;
}

/**
 * What failed and under what, without times, keys or values: hash of check, kind of anomaly, kinds
 * of its operations, kinds of fault, workload. Undefined when nothing was violated.
 */
export function fingerprintOf(result: RunResult, history: History): string | undefined {
  const broken = result.checks.find(({ verdict }) => verdict === 'invalid');
  if (broken === undefined) return undefined;
  const [anomaly] = broken.anomalies;
  const operations = anomaly === undefined ? [] : shownOperations(anomaly, history);
  const kinds = operations.map(({ index }) => history.op(index).f).toSorted();
  const { faults, schedule = [], workload } = result.manifest.config;
  const under = [...new Set([...faults, ...schedule.map(({ fault }) => fault)])].toSorted();
  // All thresholds are of one kind; what was measured tells them apart.
  const metric = anomaly?.certificate['metric'];
  const kind = [anomaly?.kind ?? '', ...(typeof metric === 'string' ? [metric] : [])].join(' ');
  const parts = [broken.checker, kind, kinds, under, workload];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}
