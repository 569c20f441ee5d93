import { describe, expect, test } from 'vitest';
import { fingerprintOf } from '../summary.ts';
import {
  errorRun,
  type FixtureRun,
  failRun,
  fixtureManifest,
  passRun,
  unknownRun,
} from '../testing/fixture-result.ts';
import { widthOf } from '../words.ts';
import { type Claim, claimLines, type Explained } from './claims.ts';
import { explanationDocument } from './json.ts';
import { renderMarkdown } from './markdown.ts';
import { checkText, renderExplanation } from './text.ts';

function explained({ result, history }: FixtureRun, answer: Claim['answer'] = 'holds'): Explained {
  const fingerprint = fingerprintOf(result, history);
  const claims = result.checks.flatMap(({ checker, anomalies }) =>
    anomalies.map((anomaly) => ({
      checker,
      anomaly,
      answer,
      ...(answer !== 'holds' && { why: 'so it is' }),
    })),
  );
  return {
    result,
    history,
    claims,
    ref: '7f3a',
    ...(fingerprint !== undefined && { fingerprint }),
  };
}

const RUNS: readonly (readonly [string, () => FixtureRun])[] = [
  ['fail', failRun],
  ['unknown', unknownRun],
  ['error', errorRun],
  ['pass', passRun],
];

describe.each(RUNS)('the explanation of a run that ends %s', (name, make) => {
  const subject = explained(make());

  test.each([80, 120])('at %i columns', async (columns) => {
    const text = renderExplanation(subject, columns);
    await expect(text).toMatchFileSnapshot(`./golden/${name}-${columns}.txt`);
    expect(text.split('\n').filter((line) => widthOf(line) > columns)).toEqual([]);
    expect(text).not.toContain('\u001b');
    expect(text).not.toMatch(/NaN|undefined|Infinity/);
  });

  test('as Markdown', async () => {
    await expect(renderMarkdown(subject, 'document')).toMatchFileSnapshot(`./golden/${name}.md`);
  });
});

test('an issue begins with its title alone, and ends with a fingerprint for a bot', async () => {
  const text = renderMarkdown(explained(failRun()), 'issue');
  await expect(text).toMatchFileSnapshot('./golden/fail-issue.md');
  const lines = text.trimEnd().split('\n');
  expect(lines.slice(0, 2)).toEqual(['schism: stale-read in etcd/register', '']);
  expect(lines.at(-1)).toMatch(/^<!-- schism-fingerprint: [0-9a-f]{16} -->$/);
});

test('parameters are sorted by name', () => {
  const names = Object.keys(explanationDocument(explained(passRun())).parameters);
  expect(names.length).toBeGreaterThan(15);
  expect(names).toEqual(names.toSorted());
});

test('for programs: claims with their operations, and what became of them', () => {
  const document = explanationDocument(explained(failRun(), 'refuted'));
  expect(document.violations).toHaveLength(1);
  expect(document.violations[0]).toMatchObject({
    checker: 'linearizable',
    kind: 'stale-read',
    key: 'k99',
    recheck: { answer: 'refuted', why: 'so it is' },
  });
  expect(document.violations[0]?.operations).toHaveLength(3);
  expect(JSON.parse(JSON.stringify(document))).toMatchObject({ run: '7f3a', exitCode: 1 });
});

describe('claims', () => {
  const [claim] = explained(failRun()).claims;
  if (claim === undefined) throw new Error('no claim');

  test('that do not hold are named first, those not tried again after them', () => {
    const lines = claimLines([
      claim,
      { ...claim, answer: 'untried', why: 'too many orders' },
      { ...claim, answer: 'refuted', why: 'nobody wrote it' },
    ]);
    expect(lines).toEqual([
      '1 of 3 claims hold: other code finds them in the history',
      '✗ linearizable, stale-read of k99: the history does not bear it out (nobody wrote it)',
      '? linearizable, stale-read of k99: not tried again (too many orders)',
    ]);
  });

  test('in great number are counted', () => {
    const many = Array.from({ length: 40 }, () => ({ ...claim, answer: 'untried' as const }));
    expect(claimLines(many)).toHaveLength(7);
    expect(claimLines(many).at(-1)).toBe('and 35 more');
    expect(claimLines([])).toEqual([]);
  });
});

describe('hostile words', () => {
  const HOSTILE =
    '@all ``` </details> <img src=x onerror=alert(1)> | `x` #1 \u001b[31m ::error::\n# h';
  const { result, history } = failRun();
  const checks = result.checks.map((check) => ({
    ...check,
    checker: HOSTILE,
    anomalies: check.anomalies.map((anomaly) => ({
      ...anomaly,
      kind: HOSTILE,
      key: HOSTILE,
      explanation: HOSTILE.repeat(2000),
    })),
  }));
  const manifest = fixtureManifest({ run: HOSTILE, argv: ['run', HOSTILE] });
  const subject = {
    ...explained({ history, result: { ...result, checks, manifest } }),
    ref: HOSTILE,
  };

  test.each(['document', 'issue'] as const)('stand in code alone: %s', (form) => {
    const text = renderMarkdown(subject, form);
    expect(text.length).toBeLessThan(65_536);
    expect(text).not.toContain('\u001b');
    expect(outsideOfCode(text)).not.toMatch(/@all|<img|#1|::error|^# h/m);
  });

  test('are quoted in commands', () => {
    expect(checkText("it's")).toBe(String.raw`npx schism check 'it'\''s'`);
    expect(checkText(HOSTILE)).not.toContain('\u001b');
  });
});

/** Markdown without its fences, its spans, and the title of an issue, which is plain text. */
function outsideOfCode(text: string): string {
  const lines: string[] = [];
  let fence: string | undefined;
  for (const line of text.split('\n').slice(1)) {
    const ticks = /^(`{3,})/.exec(line)?.[1];
    if (fence === undefined && ticks !== undefined) fence = ticks;
    else if (fence !== undefined && line === fence) fence = undefined;
    else if (fence === undefined) lines.push(line.replaceAll(/`[^`]*`/g, ''));
  }
  expect(fence).toBeUndefined();
  return lines.join('\n');
}
