/** Whatever a test, a store or a file is called or says, it stays text in every report of a suite. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../harness/core/clock.ts';
import type { JsonValue } from '../../harness/core/json.ts';
import type { SuiteResult, SuiteTest } from '../../harness/protocols/suite.ts';
import { lineProgress } from '../lines.ts';
import { ansiStyle, plainStyle } from '../style.ts';
import { failRun, fixtureConfig, fixtureManifest } from '../testing/fixture-result.ts';
import {
  failSuite,
  fixtureSuiteManifest,
  interruptedSuite,
  passSuite,
  repeatedSuite,
} from '../testing/fixture-suite.ts';
import { allElements, parseMarkup } from '../testing/markup-parser.ts';
import { nastyText } from '../testing/nasty-text.ts';
import { widthOf } from '../words.ts';
import { suiteAnnotations, suiteSummary } from './suite-github.ts';
import { renderSuiteJunit } from './suite-junit.ts';
import { finishedLine, renderSuiteText } from './suite-text.ts';
import { lineVoice } from './suite-voice.ts';

const OPTIONS = { numRuns: Number(process.env['FC_RUNS'] ?? 80) };

// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/;

const suites = fc.constantFrom(failSuite(), passSuite(), interruptedSuite(), repeatedSuite());

/** Every text that can come from outside replaced or extended by `text`. */
function hostile(base: SuiteResult, text: string): SuiteResult {
  const spoiled = ({ test: ref, runs, expects, ...rest }: SuiteTest): SuiteTest => ({
    ...rest,
    test: { ...ref, title: `${ref.title}${text}`, file: text, project: text },
    ...(expects !== undefined && { expects: { ...expects, anomaly: text } }),
    reason: text,
    runs: runs.map((run) => ({
      ...run,
      run: text,
      dir: text,
      reasons: [text],
      anomalies: [text, text],
      faults: [...run.faults, { fault: text, tookEffect: 0, begun: 1 }],
      checks: run.checks.map((check) => ({ ...check, checker: text, line: text, kind: text })),
      ...(run.text !== undefined && { text: `${text}\n${run.text}\n${text}` }),
    })),
  });
  const manifest = fixtureSuiteManifest({
    suite: text,
    version: text,
    argv: ['run', text],
    seed: text,
    config: text,
  });
  return { ...base, manifest, tests: base.tests.map(spoiled) };
}

const cases = fc.tuple(suites, nastyText).map(([base, text]) => ({
  result: hostile(base, text),
  text,
}));

describe('text from outside', () => {
  test('adds no control character, escape sequence or colour to the terminal', () => {
    fc.assert(
      fc.property(cases, fc.constantFrom(60, 80, 100, 160), ({ result, text }, columns) => {
        const files = [['Report', text]] as const;
        const plain = renderSuiteText(result, { columns, files, verbose: columns === 100 });
        expect(plain).not.toMatch(CONTROL);
        expect(plain.isWellFormed()).toBe(true);
        const options = { columns, files, verbose: columns === 100, style: ansiStyle };
        const colour = renderSuiteText(result, options);
        // oxlint-disable-next-line no-control-regex
        const own = colour.replaceAll(/\u001b\[\d+m/g, '').replaceAll(/ +$/gm, '');
        expect(own).toBe(plain);
        for (const each of result.tests) {
          const line = finishedLine(each, { columns, titleWidth: 40, style: plainStyle });
          expect(line).not.toMatch(CONTROL);
          expect(widthOf(line)).toBeLessThanOrEqual(columns);
        }
      }),
      OPTIONS,
    );
  });

  test('stays text in JUnit, and nothing forbidden in XML is left', () => {
    fc.assert(
      fc.property(cases, ({ result }) => {
        const root = parseMarkup(renderSuiteJunit(result), 'xml');
        const names = new Set(allElements(root).map(({ name }) => name));
        for (const name of ['error', 'failure', 'skipped', 'system-out']) names.delete(name);
        expect([...names].toSorted()).toEqual([
          'properties',
          'property',
          'testcase',
          'testsuite',
          'testsuites',
        ]);
      }),
      OPTIONS,
    );
  });

  test('ends no annotation, and gives GitHub no command', () => {
    fc.assert(
      fc.property(cases, ({ result }) => {
        for (const line of suiteAnnotations(result)) {
          expect(line).toMatch(
            /^::(error|warning|notice) (file=[^:,]*,(line=\d+,)?)?title=[^:,]*::[^\r\n]*$/,
          );
          expect(line).not.toMatch(CONTROL);
          expect(Buffer.byteLength(line)).toBeLessThan(8192);
        }
      }),
      OPTIONS,
    );
  });

  test('stands in code alone in the summary', () => {
    fc.assert(
      fc.property(cases, ({ result }) => {
        const outside = withoutCode(suiteSummary(result, { folder: '.schism' }));
        expect(outside).not.toMatch(CONTROL);
        // Our own markup, figures and words; nothing of what was put in.
        expect(outside).not.toMatch(/<(?!\/?(details|summary)>)|alert|onerror|\[x\]\(|@nobody/);
      }),
      OPTIONS,
    );
  });

  test('makes no line of CI longer than 160 columns, and brings no ESC into it', () => {
    fc.assert(
      fc.property(cases, ({ result, text }) => {
        const lines = linesOf(result, text);
        expect(lines.filter((line) => widthOf(line) > 160)).toEqual([]);
        expect(lines.join('')).not.toMatch(CONTROL);
      }),
      OPTIONS,
    );
  });
});

/** Everything that CI sees of a suite before its end. */
function linesOf({ manifest, tests }: SuiteResult, text: string): readonly string[] {
  let said = '';
  const write = (more: string): void => {
    said += more;
  };
  const clock = new VirtualClock();
  using voice = lineVoice(write);
  const refs = tests.map((each) => each.test);
  voice.start({ manifest, tests: refs, workers: 2, folder: text });
  for (const each of tests) {
    const config = fixtureConfig({ system: text, workload: text, faults: [text], test: each.test });
    const run = {
      clock,
      manifest: fixtureManifest({ run: text, config }),
      write,
      columns: () => 9,
    };
    using progress = voice.progress(each.test, run);
    for (const op of SHORT.history.ops())
      progress.onOp({ ...op, ...(op.process === 'nemesis' && { value: fault(text) }) });
    progress.end(SHORT.result);
    voice.finished(each);
    using single = lineProgress(run);
    single.end({ ...SHORT.result, manifest: run.manifest, reasons: [text] });
  }
  return said.trimEnd().split('\n');
}

const SHORT = failRun({ seconds: 1, clients: 2, rate: 10 });

function fault(text: string): JsonValue {
  const evidence = { result: 'installed', probe: { [text]: text } };
  return { stage: 'begin', fault: text, text, targets: [text], evidence };
}

/** What GitHub would read as Markdown: fenced blocks and code spans are taken out. */
function withoutCode(markdown: string): string {
  const lines: string[] = [];
  let fence: string | undefined;
  for (const line of markdown.split('\n')) {
    const [ticks] = /^`{3,}/.exec(line) ?? [];
    if (fence === undefined && ticks !== undefined) fence = ticks;
    else if (fence !== undefined && line === fence) fence = undefined;
    else if (fence === undefined) lines.push(line.replaceAll(/`[^`]*`/g, ''));
  }
  expect(fence).toBeUndefined();
  return lines.join('\n').replaceAll('\n', '');
}
