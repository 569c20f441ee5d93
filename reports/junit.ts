import { unreachable } from '../harness/core/invariant.ts';
import type { CheckResult } from '../harness/protocols/checker.ts';
import type { RunProblem, RunResult } from '../harness/protocols/run.ts';
import { seedOf, titleOf } from './command.ts';
import { thresholdsOf } from './details.ts';
import { clean, clipped } from './words.ts';
import { type XmlElement, xmlDocument } from './xml.ts';

export interface JunitOptions {
  /** The text of `renderText`, without colour: the body of each failure. */
  readonly text?: string;
  readonly reportPath?: string;
}

const MESSAGE_MAX = 400;

/**
 * The run as one test suite: a case for each check, one for the faults, and one for the run itself
 * when something beside the checks went wrong. Follows what GitLab and Jenkins read.
 */
export function renderJunit(result: RunResult, options: JunitOptions = {}): string {
  const cases = [
    ...result.checks
      .filter(({ checker }) => checker !== 'evidence' && !isThreshold(checker, result))
      .map((check) => checkCase(check, result, options)),
    ...thresholdCases(result),
    ...faultCase(result, options),
    ...runCase(result, options),
  ];
  const totals = { ...totalsOf(cases), time: seconds(result.wallMs) };
  const suite: XmlElement = {
    name: 'testsuite',
    attributes: {
      name: titleOf(result.manifest),
      ...totals,
      timestamp: stamp(result.manifest.startedAt),
    },
    children: [{ name: 'properties', children: properties(result) }, ...cases],
  };
  return xmlDocument({
    name: 'testsuites',
    attributes: { name: 'schism', ...totals },
    children: [suite],
  });
}

/** How many cases there are, and how many of them ended how. */
export function totalsOf(cases: readonly XmlElement[]): Readonly<Record<string, number>> {
  const count = (name: string): number =>
    cases.filter(({ children }) =>
      children?.some((child) => typeof child !== 'string' && child.name === name),
    ).length;
  return {
    tests: cases.length,
    failures: count('failure'),
    errors: count('error'),
    skipped: count('skipped'),
  };
}

/** ISO 8601 to the second and without a zone: what the format's schema allows. */
export function stamp(startedAt: string): string {
  return startedAt.replace(/(\.\d+)?Z$/, '');
}

export function seconds(ms: number): string {
  return Number.isFinite(ms) ? (ms / 1000).toFixed(3) : '0.000';
}

function properties({ manifest, verdict, exitCode }: RunResult): readonly XmlElement[] {
  const { config } = manifest;
  const entries: readonly (readonly [string, string])[] = [
    ['seed', seedOf(manifest)],
    ['run', manifest.run],
    ['system', config.system],
    ['workload', config.workload],
    ['faults', config.faults.join(',') || 'none'],
    ['verdict', verdict],
    ['exit', String(exitCode)],
    ['version', manifest.version],
  ];
  return entries.map(([name, value]) => ({ name: 'property', attributes: { name, value } }));
}

function testCase(name: string, result: RunResult, children: readonly XmlElement[]): XmlElement {
  return {
    name: 'testcase',
    // GitLab shows the class name as the suite.
    attributes: { classname: titleOf(result.manifest), name, time: '0.000' },
    children,
  };
}

/** Why a case did not pass. */
export function outcome(
  name: 'failure' | 'error' | 'skipped',
  type: string,
  message: string,
  body: string,
): XmlElement {
  const short = clipped(clean(message), MESSAGE_MAX);
  // Some readers show only the body, some only the attribute: the text is in both.
  return { name, attributes: { type, message: short }, children: [body === '' ? short : body] };
}

export function output(...lines: readonly string[]): readonly XmlElement[] {
  const text = lines.filter((line) => line !== '').join('\n');
  return text === '' ? [] : [{ name: 'system-out', children: [text] }];
}

function checkCase(check: CheckResult, result: RunResult, options: JunitOptions): XmlElement {
  const report = options.reportPath === undefined ? '' : `report: ${options.reportPath}`;
  const { checker, verdict, anomalies, covered, reason } = check;
  const looked = `looked at: ${covered}`;
  if (verdict === 'valid') return testCase(checker, result, output(looked));
  if (verdict === 'invalid') {
    const [first] = anomalies;
    const sentences = anomalies.map(({ explanation }) => explanation).join('\n\n');
    const failure = outcome(
      'failure',
      first?.kind ?? checker,
      first?.explanation ?? covered,
      [sentences === '' ? covered : sentences, options.text ?? ''].join('\n\n').trim(),
    );
    return testCase(checker, result, [failure, ...output(looked, report)]);
  }
  const why = reason ?? covered;
  return testCase(checker, result, [
    ...undecided(result, 'unknown', why, [why, options.text ?? ''].join('\n\n').trim()),
    ...output(looked, report),
  ]);
}

/** What `--unknown` makes of something that is neither good nor bad. */
function undecided(
  { manifest }: RunResult,
  type: string,
  message: string,
  body: string,
): readonly XmlElement[] {
  switch (manifest.config.unknown) {
    case 'fail':
      return [outcome('error', type, message, body)];
    case 'warn':
      return [outcome('skipped', type, message, body)];
    case 'pass':
      return [];
    default:
      return unreachable(manifest.config.unknown);
  }
}

/** Said case by case, where the checker came to figures. */
function isThreshold(checker: string, result: RunResult): boolean {
  return checker === 'thresholds' && (thresholdsOf(result)?.rows.length ?? 0) > 0;
}

/** A case for each threshold, with what was measured. */
function thresholdCases(result: RunResult): readonly XmlElement[] {
  const rows = thresholdsOf(result)?.rows ?? [];
  return rows.map(({ metric, expression, shown, passed, reason }) => {
    const measured = `measured: ${shown}${reason === undefined ? '' : `; ${reason}`}`;
    const text = `${metric} ${expression}; ${measured}`;
    const name = `threshold ${metric} ${expression}`;
    if (passed === true) return testCase(name, result, output(measured));
    if (passed === null) return testCase(name, result, undecided(result, 'unknown', text, text));
    return testCase(name, result, [outcome('failure', 'threshold', text, text)]);
  });
}

function faultCase(result: RunResult, options: JunitOptions): readonly XmlElement[] {
  const { faults, requireFaults } = result.manifest.config;
  const evidence = result.checks.find(({ checker }) => checker === 'evidence');
  if (faults.length === 0 && evidence === undefined) return [];
  const name = 'faults took effect';
  const covered = evidence === undefined ? '' : `looked at: ${evidence.covered}`;
  if (evidence?.verdict === 'valid') return [testCase(name, result, output(covered))];
  if (evidence?.verdict === 'invalid')
    return [checkCase({ ...evidence, checker: name }, result, options)];
  const why = evidence?.reason ?? evidence?.covered ?? 'the faults of this run were not judged';
  // What `--unknown` makes of it is the run's own case.
  const children = [outcome(requireFaults ? 'error' : 'skipped', 'fault-unavailable', why, why)];
  return [testCase(name, result, [...children, ...output(covered)])];
}

/** Present only when the run itself went wrong or was cut short. */
function runCase(result: RunResult, { text = '' }: JunitOptions): readonly XmlElement[] {
  const { problems, interrupted, checks, verdict } = result;
  const fatal = problems.filter(({ severity }) => severity === 'fatal');
  const warnings = problems.filter(({ severity }) => severity === 'warning').map(lineOf);
  const [first] = fatal;
  if (first !== undefined) {
    const type = fatal.some(({ bug }) => bug === true) ? 'harness' : 'infrastructure';
    const body = [...fatal.map((problem) => `${lineOf(problem)}\n${problem.details ?? ''}`), text];
    const error = outcome('error', type, first.message, body.join('\n').trim());
    return [testCase('run', result, [error, ...output(...warnings)])];
  }
  if (interrupted !== undefined) {
    const why = `interrupted by ${interrupted}; what was recorded has been judged`;
    return [testCase('run', result, [outcome('error', 'interrupted', why, why)])];
  }
  const isSaid = checks.some((check) => check.verdict !== 'valid' && check.checker !== 'evidence');
  if (verdict === 'unknown' ? !isSaid : checks.length === 0 && verdict !== 'pass') {
    const why = result.reasons[0] ?? 'nothing was checked';
    const children = [...undecided(result, 'unknown', why, why), ...output(...warnings)];
    return [testCase('run', result, children)];
  }
  return warnings.length === 0 ? [] : [testCase('run', result, output(...warnings))];
}

function lineOf({ severity, step, message }: RunProblem): string {
  return `${severity === 'fatal' ? 'error' : 'warning'} in ${step}: ${message}`;
}
