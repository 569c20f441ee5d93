import { describe, expect, test } from 'vitest';
import type { CheckResult } from '../harness/protocols/checker.ts';
import type { RunResult } from '../harness/protocols/run.ts';
import { annotationLines, groupLine, inert, jobSummary } from './github.ts';
import {
  errorRun,
  failRun,
  fixtureConfig,
  fixtureManifest,
  passRun,
  unknownRun,
} from './testing/fixture-result.ts';

const HOSTILE = '50%\r\n::error::x, y: z | `a` <b> ##[warning]\u001b[31m';

/** The level, title and message that GitHub would read. */
function readBack(line: string): readonly [string, string, string] {
  const [, level = '', title = '', message = ''] =
    /^::(\w+) title=([^:,]*)::(.*)$/.exec(line) ?? [];
  return [level, decoded(title), decoded(message)];
}

function decoded(text: string): string {
  return text
    .replaceAll('%3A', ':')
    .replaceAll('%2C', ',')
    .replaceAll('%0A', '\n')
    .replaceAll('%0D', '\r')
    .replaceAll('%25', '%');
}

function withAnomalies(count: number, explanation: string): RunResult {
  const { result } = failRun();
  const checks = result.checks.map((check): CheckResult => {
    if (check.checker !== 'linearizable') return check;
    const [anomaly] = check.anomalies;
    expect.assert(anomaly !== undefined);
    return {
      ...check,
      anomalies: Array.from({ length: count }, () => ({ ...anomaly, explanation })),
    };
  });
  return { ...result, checks: checks.filter(({ checker }) => checker !== 'read-modes') };
}

function levels(lines: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const line of lines) {
    const [level] = readBack(line);
    counts[level] = (counts[level] ?? 0) + 1;
  }
  return counts;
}

describe('annotations', () => {
  test('a violation is an error, and the end of every run a notice', () => {
    const lines = annotationLines(withAnomalies(1, 'c1 read 41: 42 was there, 5 % earlier'));
    expect(lines[0]).toBe(
      '::error title=stale-read in etcd/register::c1 read 41: 42 was there, 5 %25 earlier',
    );
    expect(lines[1]).toMatch(/^::notice title=schism etcd\/register::✗ FAIL, exit 1, 66\.1 s: /);
    expect(lines).toHaveLength(2);
    expect(annotationLines(passRun().result)).toEqual([
      '::notice title=schism etcd/register::✓ PASS, exit 0, 66.1 s',
    ]);
  });

  test('what is undecided is a warning, and so is a fault without effect', () => {
    const { result } = unknownRun();
    const kinds = [{ fault: 'kill', installed: 0, skipped: 3, failed: 0, healed: 0 }];
    const checks = result.checks.map((check) =>
      check.checker === 'evidence' ? { ...check, details: { kinds, events: [] } } : check,
    );
    const manifest = fixtureManifest({ config: fixtureConfig({ faults: ['kill', 'clock'] }) });
    const read = annotationLines({ ...result, checks, manifest }).map(readBack);
    expect(read.filter(([level]) => level === 'warning').map(([, , message]) => message)).toEqual([
      'key k3 was not decided within 300 s: 38 operations of unknown outcome were open at once',
      'kill never took effect: skipped 3, failed 0',
      'clock was never tried',
    ]);
  });

  test('what failed in the harness is an error', () => {
    const [first = ''] = annotationLines(errorRun().result);
    expect(readBack(first).slice(0, 2)).toEqual(['error', 'setup failed for etcd/register']);
  });

  test('GitHub would drop the eleventh in silence: the tenth says how many are missing', () => {
    expect(levels(annotationLines(withAnomalies(9, 'x')))).toEqual({ error: 9, notice: 1 });
    const lines = annotationLines(withAnomalies(30, 'x'));
    expect(levels(lines)).toEqual({ error: 10, notice: 1 });
    expect(lines[9]).toBe('::error title=schism::and 21 more errors; see the report');
  });

  test('no text ends a line, a property or the command, and no line is longer than 8 KB', () => {
    const lines = annotationLines(withAnomalies(1, `${HOSTILE} ${'€%'.repeat(100_000)}`));
    const read = lines.map(readBack);
    expect(read[0]?.[2].startsWith('50% ::error::x, y: z | `a` <b> ##[warning]')).toBe(true);
    for (const line of lines) expect(Buffer.byteLength(line)).toBeLessThan(8192);
    for (const bad of ['\r', '\n', '\u001b']) expect(lines.join('')).not.toContain(bad);
    expect(groupLine('a\n::error::b')).toBe('::group::a ::error::b');
  });
});

describe('texts that command nothing', () => {
  test.each([
    '::error::x',
    'a\n::set-output name=x::y',
    'a\r::error::x',
    '  \t::add-mask::x',
    '\u00a0::error::x',
    'log: ##[error]x',
  ])('%j', (text) => {
    const lines = inert(text).split(/[\r\n]/);
    expect(lines.filter((line) => line.trim().startsWith('::') || line.includes('##['))).toEqual(
      [],
    );
  });

  test('others stay as they are, and a JSON document says the same', () => {
    const plain = 'std::vector at 10:20::30\n{"a": "x::y"}\n';
    expect(inert(plain)).toBe(plain);
    const json = JSON.stringify({ message: 'x\n::error::##[error]y' });
    expect(inert(json)).not.toContain('##[');
    expect(JSON.parse(inert(json))).toEqual(JSON.parse(json));
  });
});

describe('the job summary', () => {
  const { result, history } = failRun();

  test('has the verdict, the checks, the explanation and the commands', () => {
    const text = jobSummary(result, history, { runPath: '.schism/runs/x' });
    expect(text.split('\n').slice(0, 8).join('\n')).toMatchInlineSnapshot(`
      "## ✗ FAIL \`etcd/register\`

      run \`7f3a\` · exit 1 · 66.1 s · fingerprint \`215550c8a200ead8\`

      | check | verdict | looked at |
      | --- | --- | --- |
      | \`linearizable\` | ✗ invalid | \`33 keys, 1 815 operations; 32 keys are linearizable\` |
      | \`read-modes\` | ✗ invalid | \`2 modes, 82 091 reads\` |"
    `);
    expect(text).toContain('Client c903 read k99 = 41');
    expect(text).toContain('npx schism check 7f3a');
    expect(text).toContain('.schism/runs/x');
    expect(text).not.toContain('Left out');
  });

  test.each([20_000, 6000, 3000])('in %d bytes, and says what is missing', (bytesMax) => {
    const text = jobSummary(result, history, { bytesMax });
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(bytesMax);
    expect(text).toContain('✗ FAIL');
    const full = Buffer.byteLength(jobSummary(result, history));
    expect(text.includes("_Left out, to stay within GitHub's limit: ")).toBe(full > bytesMax);
  });

  test('where nothing finds room there is one line, or none', () => {
    expect(jobSummary(result, history, { bytesMax: 200 })).toBe(
      '**✗ FAIL** `etcd/register`: no room for more in this summary.\n\n',
    );
    expect(jobSummary(result, history, { bytesMax: -5 })).toBe('');
  });

  test('a hostile text stays in code', () => {
    const rough = withAnomalies(3, HOSTILE);
    const checks = rough.checks.map((check) => ({ ...check, covered: HOSTILE }));
    const text = jobSummary({ ...rough, checks }, history);
    const outside = text
      .replaceAll(/^(`{3,})\w*\n[^]*?\n\1$/gm, '')
      .replaceAll(/`[^`\n]*`/g, '')
      .replaceAll(/<\/?(details|summary)>/g, '');
    for (const bad of ['<', '\u001b', 'error::']) expect(outside).not.toContain(bad);
  });
});
