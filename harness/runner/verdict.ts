import { EXIT } from '../core/errors.ts';
import type { CheckResult, RunVerdict } from '../protocols/checker.ts';
import type { RunConfig, RunProblem, RunResult } from '../protocols/run.ts';

type Judged = Pick<RunResult, 'verdict' | 'exitCode' | 'reasons'>;

/**
 * What a run amounts to. A violation always decides; then our own bugs, then infrastructure, then
 * checks that gave up. A kind of fault that was asked for and never took effect makes a run
 * `unknown`, or `error` where faults are required: what was not tested did not pass.
 */
export function judgeRun(
  config: Pick<RunConfig, 'unknown' | 'requireFaults'>,
  checks: readonly CheckResult[],
  problems: readonly RunProblem[],
  interrupted?: 'SIGINT' | 'SIGTERM',
): Judged {
  const reasons = [
    ...checks.filter(({ verdict }) => verdict === 'invalid').map(describe),
    ...problems.filter(({ severity }) => severity === 'fatal').map(({ message }) => message),
    ...checks.filter(({ verdict }) => verdict === 'unknown').map(describe),
  ];
  const [verdict, exitCode] = decide(config, checks, problems);
  const isBroken = problems.some(({ severity }) => severity === 'fatal');
  if (interrupted === undefined || verdict === 'fail' || isBroken)
    return { verdict, exitCode, reasons };
  const code = interrupted === 'SIGINT' ? EXIT.interrupted : EXIT.terminated;
  return { verdict, exitCode: code, reasons: [`interrupted by ${interrupted}`, ...reasons] };
}

function decide(
  config: Pick<RunConfig, 'unknown' | 'requireFaults'>,
  checks: readonly CheckResult[],
  problems: readonly RunProblem[],
): [RunVerdict, number] {
  const fatal = problems.filter(({ severity }) => severity === 'fatal');
  const unknown = checks.filter(({ verdict }) => verdict === 'unknown');
  if (checks.some(({ verdict }) => verdict === 'invalid')) return ['fail', EXIT.violation];
  if (fatal.some(({ bug }) => bug === true)) return ['error', EXIT.bug];
  if (fatal.length > 0) return ['error', EXIT.infrastructure];
  if (config.requireFaults && unknown.some(({ checker }) => checker === 'evidence'))
    return ['error', EXIT.infrastructure];
  if (unknown.length === 0 && checks.length > 0) return ['pass', EXIT.pass];
  return ['unknown', config.unknown === 'fail' ? EXIT.unknown : EXIT.pass];
}

function describe(check: CheckResult): string {
  const first = check.anomalies[0]?.explanation ?? check.reason ?? check.covered;
  return `${check.checker}: ${first}`;
}

const PRECEDENCE: readonly number[] = [
  EXIT.violation,
  EXIT.bug,
  EXIT.badArguments,
  EXIT.infrastructure,
  EXIT.unknown,
  EXIT.nothingSelected,
  EXIT.terminated,
  EXIT.interrupted,
];

/** The exit code of several results together: 1 > 255 > 254 > 3 > 2 > 4 > 143 > 130 > 0. */
export function worstExit(codes: readonly number[]): number {
  return PRECEDENCE.find((code) => codes.includes(code)) ?? EXIT.pass;
}
