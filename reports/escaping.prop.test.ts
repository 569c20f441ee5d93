/** Whatever a store, a log or a name holds, it stays text in every report. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../harness/core/json.ts';
import { historyOf } from '../harness/history/history.ts';
import type { Op } from '../harness/history/op.ts';
import { renderHtml } from './html/report.ts';
import { renderJunit } from './junit.ts';
import { ansiStyle } from './style.ts';
import { summaryOf } from './summary.ts';
import {
  type FixtureRun,
  failRun,
  fixtureConfig,
  fixtureManifest,
} from './testing/fixture-result.ts';
import { allElements, parseMarkup } from './testing/markup-parser.ts';
import { nastyText } from './testing/nasty-text.ts';
import { renderText } from './text.ts';
import { clean, widthOf } from './words.ts';

const base = failRun({ seconds: 6, clients: 3, rate: 30 });

/** With a program, so that the data for it are written, too. */
function page({ result, history }: FixtureRun): string {
  return renderHtml(result, history, { script: 'start();' });
}

/** Every text that can come from outside replaced or extended by `text`. */
function hostile(text: string): FixtureRun {
  const { result, history } = base;
  const spoil = (value: JsonValue): JsonValue => {
    if (typeof value === 'string') return FIXED.has(value) ? value : `${value}${text}`;
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(spoil);
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [
        name,
        FIXED_FIELDS.has(name) ? inner : spoil(inner),
      ]),
    );
  };
  const ops = [...history.ops()].map(
    (op): Op => ({
      ...op,
      value:
        op.process === 'nemesis'
          ? spoil(op.value)
          : typeof op.process === 'number'
            ? text
            : op.value,
      ...(op.key !== undefined && { key: `${op.key}${text}` }),
      ...(op.node !== undefined && { node: `${op.node}${text}` }),
      ...(op.error !== undefined && { error: { ...op.error, code: text, message: text } }),
    }),
  );
  const checks = result.checks.map((check) => ({
    checker: check.checker,
    verdict: check.verdict,
    covered: text,
    reason: text,
    anomalies: check.anomalies.map((anomaly) => ({
      ...anomaly,
      kind: text,
      key: text,
      explanation: text,
    })),
    details: spoil(check.details) as typeof check.details,
  }));
  const manifest = fixtureManifest({
    run: text,
    version: text,
    argv: ['run', text, '--x', text],
    startedAt: text,
    cluster: { [text]: text, list: [text, { [text]: text }] },
    config: fixtureConfig({ system: text, workload: text, faults: [text] }),
  });
  const problems = [
    {
      step: text,
      severity: 'fatal' as const,
      message: text,
      details: `${text}\n${text}`,
      bug: true,
    },
    { step: text, severity: 'warning' as const, message: text },
  ];
  return {
    history: historyOf(ops),
    result: { ...result, manifest, checks, problems, reasons: [text, text] },
  };
}

/** Closed sets of words that the harness itself writes. */
const FIXED = new Set(['kept', 'broken', 'installed', 'skipped', 'failed', 'begin', 'end']);
const FIXED_FIELDS = new Set(['result', 'stage', 'id']);

const ELEMENTS = new Set(allElements(parseMarkup(page(base), 'html')).map(({ name }) => name));
/** What the other pages have beside those of the base. */
for (const name of ['pre', 'br', 'path', 'line']) ELEMENTS.add(name);

// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/;

const OPTIONS = { numRuns: Number(process.env['FC_RUNS'] ?? 120) };

describe('text from outside', () => {
  test('stays text in HTML', () => {
    fc.assert(
      fc.property(nastyText, (text) => {
        const elements = allElements(parseMarkup(page(hostile(text)), 'html'));
        expect(elements.filter(({ name }) => name === 'script').length).toBe(2);
        const strange = elements.filter(
          ({ name, attributes }) =>
            !ELEMENTS.has(name) || [...attributes.keys()].some((key) => /^(on|src)/i.test(key)),
        );
        expect(strange).toEqual([]);
      }),
      OPTIONS,
    );
  });

  test('stays text in JUnit, and nothing forbidden in XML is left', () => {
    fc.assert(
      fc.property(nastyText, (text) => {
        const { result } = hostile(text);
        const root = parseMarkup(renderJunit(result, { text, reportPath: text }), 'xml');
        const names = new Set(allElements(root).map(({ name }) => name));
        names.delete('skipped');
        expect([...names].toSorted()).toEqual([
          'error',
          'failure',
          'properties',
          'property',
          'system-out',
          'testcase',
          'testsuite',
          'testsuites',
        ]);
      }),
      OPTIONS,
    );
  });

  test('adds no control character, escape sequence or line to the terminal', () => {
    fc.assert(
      fc.property(nastyText, fc.constantFrom(60, 80, 100), (text, columns) => {
        const { result, history } = hostile(text);
        const plain = renderText(result, history, { columns });
        expect(plain).not.toMatch(CONTROL);
        expect(plain.isWellFormed()).toBe(true);
        // Commands are broken between words only.
        const from = plain.split('\n').findIndex((line) => line.startsWith(' Judge again'));
        const wide = plain
          .split('\n')
          .slice(0, from)
          .filter((line) => widthOf(line) > columns);
        expect(wide).toEqual([]);
        const colour = renderText(result, history, { columns, style: ansiStyle });
        // oxlint-disable-next-line no-control-regex
        const own = colour.replaceAll(/\u001b\[\d+m/g, '').replaceAll(/ +$/gm, '');
        expect(own).toBe(plain);
      }),
      OPTIONS,
    );
  });

  test('keeps the summary within 8 KB', () => {
    fc.assert(
      fc.property(nastyText, (text) => {
        const { result, history } = hostile(text);
        const json = JSON.stringify(summaryOf(result, history), null, 2);
        expect(Buffer.byteLength(json)).toBeLessThanOrEqual(8192);
      }),
      OPTIONS,
    );
  });

  test('is one line without control characters once it is clean, and clean is clean', () => {
    fc.assert(
      fc.property(nastyText, (text) => {
        const once = clean(text);
        expect(clean(once)).toBe(once);
        // oxlint-disable-next-line no-control-regex
        expect(once).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
      }),
      { numRuns: 1000 },
    );
  });
});
