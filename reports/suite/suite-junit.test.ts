import { expect, test } from 'vitest';
import type { SuiteResult } from '../../harness/protocols/suite.ts';
import {
  emptyShard,
  failSuite,
  interruptedSuite,
  passSuite,
  repeatedSuite,
  unknownSuite,
} from '../testing/fixture-suite.ts';
import { allElements, type ParsedElement, parseMarkup, textOf } from '../testing/markup-parser.ts';
import { renderSuiteJunit } from './suite-junit.ts';

function parsed(result: SuiteResult): ParsedElement {
  return parseMarkup(renderSuiteJunit(result), 'xml');
}

function named(root: ParsedElement, wanted: string): readonly ParsedElement[] {
  return allElements(root).filter(({ name }) => name === wanted);
}

/** `register/ring: linearizable: error unknown`, one line for each case that did not pass. */
function bad(result: SuiteResult): readonly string[] {
  return named(parsed(result), 'testcase').flatMap((element) => {
    const why = allElements(element).find(({ name }) => /^(failure|error|skipped)$/.test(name));
    const { attributes } = element;
    const name = `${attributes.get('classname')}: ${attributes.get('name')}`;
    return why === undefined ? [] : [`${name}: ${why.name} ${why.attributes.get('type')}`];
  });
}

test('a suite for each file and project, and sums that agree', () => {
  const root = parsed(failSuite());
  const suites = named(root, 'testsuite');
  expect(suites.map(({ attributes }) => attributes.get('name'))).toEqual([
    'chaos/register.chaos.ts',
    'chaos/register.chaos.ts [linearizable]',
    'chaos/register.chaos.ts [serializable]',
    'chaos/bank.chaos.ts',
  ]);
  const [all] = named(root, 'testsuites');
  for (const field of ['tests', 'failures', 'errors', 'skipped']) {
    const sum = suites.reduce((total, { attributes }) => total + Number(attributes.get(field)), 0);
    expect(Number(all?.attributes.get(field))).toBe(sum);
  }
  for (const element of suites)
    expect(Number(element.attributes.get('tests'))).toBe(named(element, 'testcase').length);
});

test('everything that is not a pass has its kind', () => {
  expect(bad(failSuite())).toEqual([
    'register/pause-leader: linearizable: failure stale-read',
    'register/pause-leader: read-modes: failure read-modes',
    'register/pause-leader: thresholds: failure threshold',
    'register/pause-all: linearizable: failure stale-read',
    'register/pause-all: read-modes: failure read-modes',
    'known/lost write after kill: expected violation: failure known-bug-not-found',
    'register/ring: linearizable: error unknown',
    'bank/kill-all: run: error infrastructure',
    'bank/not here: run: error infrastructure',
  ]);
  expect(bad(passSuite())).toEqual([]);
});

test('a known bug that was found is a pass that says so', () => {
  const cases = named(parsed(passSuite()), 'testcase');
  const found = cases.find(({ attributes }) => attributes.get('name') === 'expected violation');
  expect(found === undefined ? '' : textOf(found)).toContain('found stale-read in run 1 of 10');
});

test('a case names the file and line of its test, and the whole text stands in one of them', () => {
  const cases = named(parsed(failSuite()), 'testcase').filter(
    ({ attributes }) => attributes.get('classname') === 'register/pause-leader',
  );
  expect(cases[0]?.attributes.get('file')).toBe('chaos/register.chaos.ts');
  expect(cases[0]?.attributes.get('line')).toBe('31');
  const told = cases.filter((element) => textOf(element).includes('Availability by window'));
  expect(told).toHaveLength(1);
  expect(told.map(textOf).join('')).toContain('runs/20261121T014712Z-7f3a/report.html');
});

test('repeats are told apart by their names', () => {
  const classes = named(parsed(repeatedSuite()), 'testcase').map(({ attributes }) =>
    attributes.get('classname'),
  );
  expect(new Set(classes)).toContain('register/pause-leader @repeat-3');
  expect(new Set(classes).size).toBe(6);
});

test('what had no turn is skipped, and what was cut short an error', () => {
  expect(bad(interruptedSuite())).toEqual([
    'register/pause-leader: run: error interrupted',
    'bank/kill: run: skipped not-run',
    'bank/pause: run: skipped not-run',
    'lease/kill: run: skipped not-run',
    'lease/pause: run: skipped not-run',
  ]);
});

test('an unknown verdict that is accepted is skipped', () => {
  const { tests, ...rest } = unknownSuite();
  const accepted = tests.map((each) => ({
    ...each,
    exitCode: 0,
    runs: each.runs.map((run) => ({ ...run, exitCode: 0 })),
  }));
  expect(bad({ ...rest, tests: accepted })).toContain(
    'register/ring: linearizable: skipped unknown',
  );
});

test('an empty shard is an empty document', () => {
  const [all] = named(parsed(emptyShard()), 'testsuites');
  expect(all?.attributes.get('tests')).toBe('0');
});
