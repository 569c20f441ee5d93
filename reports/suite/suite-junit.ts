import { EXIT } from '../../harness/core/errors.ts';
import { unreachable } from '../../harness/core/invariant.ts';
import type { SuiteResult, SuiteRun, SuiteTest } from '../../harness/protocols/suite.ts';
import { outcome, output, seconds, stamp, totalsOf } from '../junit.ts';
import { clean } from '../words.ts';
import { type XmlElement, xmlDocument } from '../xml.ts';
import { faultsText, isMissing, tellingRun, testTitle } from './suite-words.ts';

/**
 * A test suite for each file and project, a case for each check of each test, one for the faults,
 * one for the run where that went wrong. GitLab shows the class name as the suite: it is the test.
 */
export function renderSuiteJunit(result: SuiteResult): string {
  const groups = Map.groupBy(result.tests, ({ test }) => suiteName(test));
  const suites = [...groups].map(([name, tests]) => suiteElement(name, tests, result));
  const cases = suites.flatMap(({ children = [] }) =>
    children.filter((child) => typeof child !== 'string').slice(1),
  );
  return xmlDocument({
    name: 'testsuites',
    attributes: { name: 'schism', ...totalsOf(cases), time: seconds(result.wallMs) },
    children: suites,
  });
}

function suiteName({ file, project }: SuiteTest['test']): string {
  const name = clean(file ?? 'config');
  return project === undefined ? name : `${name} [${clean(project)}]`;
}

function suiteElement(
  name: string,
  tests: readonly SuiteTest[],
  { manifest }: SuiteResult,
): XmlElement {
  const cases = tests.flatMap(testCases);
  const ms = tests.flatMap(({ runs }) => runs).reduce((sum, { wallMs }) => sum + wallMs, 0);
  const { shard } = manifest;
  const properties: readonly (readonly [string, string])[] = [
    ['suite', manifest.suite],
    ['seed', manifest.seed],
    ['version', manifest.version],
    ...(manifest.config === undefined ? [] : [['config', manifest.config] as const]),
    ...(shard === undefined ? [] : [['shard', `${shard.index}/${shard.total}`] as const]),
  ];
  return {
    name: 'testsuite',
    attributes: {
      name,
      ...totalsOf(cases),
      time: seconds(ms),
      timestamp: stamp(manifest.startedAt),
    },
    children: [
      {
        name: 'properties',
        children: properties.map(([key, value]) => ({
          name: 'property',
          attributes: { name: key, value },
        })),
      },
      ...cases,
    ],
  };
}

interface Case {
  readonly name: string;
  readonly children: readonly XmlElement[];
}

/** The time of a test is that of its first case; what each check took is not known. */
function testCases(test: SuiteTest): readonly XmlElement[] {
  const { file, line } = test.test;
  const ms = test.runs.reduce((sum, { wallMs }) => sum + wallMs, 0);
  return casesOf(test).map(({ name, children }, at) => ({
    name: 'testcase',
    attributes: {
      classname: testTitle(test.test),
      name,
      time: seconds(at === 0 ? ms : 0),
      ...(file !== undefined && { file: clean(file) }),
      ...(line !== undefined && { line }),
    },
    children,
  }));
}

function casesOf(test: SuiteTest): readonly Case[] {
  const { reason } = test;
  if (test.outcome === 'not-run') {
    const why = reason === '' ? 'the suite ended before it' : reason;
    return [{ name: 'run', children: [outcome('skipped', 'not-run', why, why)] }];
  }
  if (test.expects !== undefined) return [expectedCase(test)];
  const run = tellingRun(test);
  const cases = run === undefined ? [] : checkCases(test, run);
  return [...cases, ...runCase(test, run, cases)];
}

/** A known bug: that it shows is the pass. */
function expectedCase(test: SuiteTest): Case {
  const { reason, exitCode } = test;
  const run = tellingRun(test);
  const said = output(reason, ...whereOf(test));
  const name = 'expected violation';
  const bad = (kind: 'failure' | 'error' | 'skipped', type: string): Case => ({
    name,
    children: [outcome(kind, type, reason, bodyOf(reason, run)), ...said],
  });
  switch (test.outcome) {
    case 'fail':
      return bad('failure', isMissing(test) ? 'known-bug-not-found' : kindOf(run));
    case 'unknown':
      return bad(exitCode === EXIT.pass ? 'skipped' : 'error', 'unknown');
    case 'error':
      return bad('error', exitCode === EXIT.bug ? 'harness' : 'infrastructure');
    case 'pass':
    case 'not-run':
      return { name, children: said };
    default:
      return unreachable(test.outcome);
  }
}

function kindOf(run: SuiteRun | undefined): string {
  return run?.anomalies[0] ?? 'violation';
}

function checkCases(test: SuiteTest, run: SuiteRun): readonly Case[] {
  // The whole text once: with every check of a long list it would be megabytes.
  const told = run.checks.findIndex(({ verdict }) => verdict !== 'valid');
  return run.checks.map(({ checker, verdict, line, kind }, at) => {
    const isFaults = checker === 'evidence';
    const name = isFaults ? 'faults took effect' : checker;
    const body = at === told ? bodyOf(line, run) : line;
    const said = output(
      verdict === 'valid' ? `looked at: ${line}` : '',
      isFaults ? `took effect: ${faultsText([run])}` : '',
      ...whereOf(test),
    );
    if (verdict === 'valid') return { name, children: said };
    if (verdict === 'invalid')
      return { name, children: [outcome('failure', kind ?? checker, line, body), ...said] };
    return { name, children: [...undecided(run, isFaults, line, body), ...said] };
  });
}

/** What `--unknown` and `--require-faults` made of it shows in the exit code of the run. */
function undecided(
  { exitCode }: SuiteRun,
  isFaults: boolean,
  line: string,
  body: string,
): readonly XmlElement[] {
  const type = isFaults ? 'fault-unavailable' : 'unknown';
  const isError = exitCode === (isFaults ? EXIT.infrastructure : EXIT.unknown);
  return [outcome(isError ? 'error' : 'skipped', type, line, body)];
}

/** Present where the run itself went wrong, was cut short, or nothing else says why it did not pass. */
function runCase(
  { outcome: ended, exitCode, reason }: SuiteTest,
  run: SuiteRun | undefined,
  cases: readonly Case[],
): readonly Case[] {
  const body = bodyOf(reason, run);
  const one = (element: XmlElement): readonly Case[] => [{ name: 'run', children: [element] }];
  if (ended === 'error') {
    const isOurs = exitCode === EXIT.bug;
    return one(outcome('error', isOurs ? 'harness' : 'infrastructure', reason, body));
  }
  if (exitCode === EXIT.interrupted || exitCode === EXIT.terminated)
    return one(outcome('error', 'interrupted', reason, body));
  const isSaid = cases.some(({ children }) =>
    children.some(({ name }) => name === 'failure' || name === 'error'),
  );
  if (ended === 'pass' || isSaid) return cases.length === 0 ? [{ name: 'run', children: [] }] : [];
  if (ended === 'fail') return one(outcome('failure', kindOf(run), reason, body));
  return one(outcome(exitCode === EXIT.pass ? 'skipped' : 'error', 'unknown', reason, body));
}

function bodyOf(line: string, run: SuiteRun | undefined): string {
  return [line, run?.text ?? ''].filter((text) => text !== '').join('\n\n');
}

function whereOf({ runs }: SuiteTest): readonly string[] {
  return runs.map(({ run, dir }) => `run ${run}, report: ${dir}/report.html`);
}
