import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fixtureConfig, fixtureManifest } from '../testing/fixture-result.ts';
import { linesAround, logLine, readNodeLogs } from './node-logs.ts';
import type { PageLogLine, PageViolation } from './page-format.ts';

const ORIGIN = Date.parse('2026-11-21T01:47:12Z');

describe('a line of a log', () => {
  test.each([
    ['{"level":"info","ts":"2026-11-21T01:47:13.250Z","msg":"up","term":3}', 1.25e6, 'up term=3'],
    [
      '{"level":"warn","ts":"2026-11-21T02:47:13.000001+0100","caller":"a.go:1","msg":"slow"}',
      1e6 + 1,
      'slow',
    ],
    [`{"level":30,"time":${ORIGIN + 40},"msg":"run"}`, 40_000, 'run'],
    [`{"level":"info","ts":${ORIGIN / 1000 + 0.5},"msg":"seconds"}`, 0.5e6, 'seconds'],
    ['2026-11-21 01:47:12.123456 I | etcdserver: ready', 123_456, 'I | etcdserver: ready'],
    ['2026-11-21T01:47:11Z before the run', -1e6, 'before the run'],
  ])('is placed on the clock of the run: %s', (line, time, text) => {
    const read = logLine(line, 'n1', ORIGIN);
    expect(read?.time).toBeCloseTo(time, -1);
    expect(read?.text).toBe(text);
    expect(read?.source).toBe('n1');
  });

  test.each(['', 'panic: runtime error', '{"msg":"no time"}', '{"ts":"soon"}', '{broken'])(
    'without a time is left out: %s',
    (line) => {
      expect(logLine(line, 'n1', ORIGIN)).toBeUndefined();
    },
  );

  test('has no escape sequences, control characters or endless text', () => {
    const evil = `\u001b[31m</script>\u0000\u202e${'x'.repeat(1_000_000)}`;
    const text = `{"ts":"2026-11-21T01:47:13Z","level":"in\u001b[2Jfo"}`.replace(
      '}',
      `,"msg":${JSON.stringify(evil)}}`,
    );
    const read = logLine(text, 'n1', ORIGIN);
    expect(read).toBeUndefined();
    const valid = logLine(text.replace('\u001b[2J', ''), 'n1', ORIGIN);
    expect(valid?.text.startsWith('</script>xxx')).toBe(true);
    expect(valid?.text.length).toBeLessThanOrEqual(400);
  });
});

test('the logs of a run are read from its folder; simulated nodes count from 1970', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'schism-logs-'));
  try {
    await mkdir(join(dir, 'nodes', 'n2'), { recursive: true });
    const texts = ['{"ts":"1970-01-01T00:00:01Z","msg":"up"}', 'no time', '\xff\xfe'];
    await writeFile(join(dir, 'nodes', 'n2', 'raftkv.log'), texts.join('\n'), 'latin1');
    // Neither a folder nor an empty file is a log.
    await mkdir(join(dir, 'nodes', 'n1', 'folder.log'), { recursive: true });
    await writeFile(join(dir, 'nodes', 'n1', 'empty.log'), '');
    const logs = await readNodeLogs(
      dir,
      fixtureManifest({ config: fixtureConfig({ backend: 'sim' }) }),
    );
    expect(logs.filter(({ lines }) => lines.length > 0)).toEqual([
      {
        node: 'n2',
        lines: [{ time: 1e6, source: 'n2', level: '', text: 'up' }],
        left: 2,
      },
    ]);
  } finally {
    await rm(dir, { recursive: true });
  }
});

describe('of very many lines', () => {
  const lines = Array.from({ length: 20_000 }, (_, at): PageLogLine => {
    return { time: at * 1000, source: 'n1', level: '', text: String(at) };
  });
  const violation = { from: 5e6, to: 5.1e6 } as PageViolation;

  test('those around the violation come first, in order, and the rest is counted', () => {
    const { lines: kept, left } = linesAround([{ node: 'n1', lines, left: 3 }], [violation]);
    expect(kept.length + left).toBe(20_003);
    expect(kept.length).toBeLessThanOrEqual(2000);
    expect(kept.some(({ time }) => time === 5e6)).toBe(true);
    expect(kept.map(({ time }) => time)).toEqual(
      kept.map(({ time }) => time).toSorted((a, b) => a - b),
    );
  });

  test('of a run without a violation the last are kept', () => {
    const { lines: kept } = linesAround([{ node: 'n1', lines, left: 0 }], []);
    expect(kept.at(-1)?.time).toBe(19_999_000);
    expect(kept.length).toBe(2000);
  });
});
