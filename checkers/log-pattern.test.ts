import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { historyOf } from '../harness/history/history.ts';
import type { CheckResult } from '../harness/protocols/checker.ts';
import { type LogPatternOptions, logPattern } from './log-pattern.ts';
import { checkContext, provenKinds } from './testkit/context.ts';

async function check(
  logs: Readonly<Record<string, string>>,
  options: LogPatternOptions = {},
): Promise<CheckResult> {
  const dir = await mkdtemp(join(tmpdir(), 'log-pattern-'));
  try {
    const paths = Object.keys(logs).map((node) => ({ node, path: join(dir, `${node}.log`) }));
    for (const { node, path } of paths) await writeFile(path, logs[node] ?? '');
    return await logPattern(options).check(historyOf([]), checkContext({ logs: paths }));
  } finally {
    await rm(dir, { recursive: true });
  }
}

const QUIET = [
  '{"level":"info","msg":"received signal; shutting down","signal":"terminated"}',
  '{"level":"warn","msg":"fatality of a test named fatal"}',
  '2026-01-01 10:00:00.000000 W | rafthttp: lost the TCP streaming connection with peer',
  '2026-01-01 10:00:00.000000 I | etcdmain: the panic button C | is not here',
  '{"level":"panic","msg":"failed to find local ID in cluster members","cluster-id":"a2"}',
  'panic: failed to find local ID in cluster members',
  '{"level":"fatal","msg":"discovery failed","error":"cannot fetch cluster info from peer urls: x"}',
  '{"level":"fatal","msg":"cannot go on: no member of the cluster answered within 10000 ms"}',
  '2026-11-21 14:00:28 C | mvcc/backend: cannot commit tx (write snap/db: no space left on device)',
].join('\n');

test('ordinary logs are fine', async () => {
  const result = await check({ n1: QUIET, n2: '' });
  expect(result).toMatchObject({
    verdict: 'valid',
    covered: '9 lines of 2 logs',
    details: { matches: [] },
  });
});

test.for([
  'panic: runtime error: index out of range [3] with length 3',
  '{"level":"fatal","msg":"failed to open WAL"}',
  '{"level":"panic","msg":"tocommit(7) is out of range [lastIndex(6)]"}',
  'signal SIGSEGV: segmentation violation code=0x1',
  '[signal SIGBUS: bus error code=0x2]',
  'fatal error: concurrent map writes',
  '2026-01-01 10:00:00.000000 C | etcdserver: read wal error (crc mismatch)',
])('a crash is found and quoted: %s', async (line) => {
  const result = await check({ n1: QUIET, n3: `${QUIET}\n${line}\nmore` });
  expect(result.verdict).toBe('invalid');
  expect(provenKinds(result, historyOf([]))).toEqual(['crash-in-log']);
  expect(result.details).toMatchObject({ matches: [{ node: 'n3', line: 10, text: line }] });
  expect(result.anomalies[0]?.explanation).toContain(JSON.stringify(line));
});

test('patterns can be added, and lines excused, whatever the flags', async () => {
  const log = 'slow fdatasync\nslow fdatasync\npanic: planned';
  const options = { patterns: [/slow fdatasync/g], ignore: [/planned/y, /^panic: planned$/] };
  const result = await check({ n1: log }, options);
  expect(result.anomalies).toHaveLength(2);
});

test('of a long line the part that matched is quoted', async () => {
  const result = await check({ n1: `${'x'.repeat(5000)} panic: deep ${'y'.repeat(5000)}` });
  expect(provenKinds(result, historyOf([]))).toEqual(['crash-in-log']);
  expect(result.anomalies[0]?.certificate['text']).toContain('panic: deep');
});

test('a flood of matches is cut, and said to be', async () => {
  const result = await check({ n1: 'panic: again\n'.repeat(1000) });
  expect(result.anomalies).toHaveLength(20);
  expect(result.covered).toContain('has more matches');
});

test('missing logs are notes, and no logs at all are said', async () => {
  const missing = [{ node: 'n1', path: join(tmpdir(), 'schism-no-such-log') }];
  const result = await logPattern().check(historyOf([]), checkContext({ logs: missing }));
  expect(result).toMatchObject({ verdict: 'valid', covered: '0 lines of 1 log; n1 has no log' });
  const none = await logPattern().check(historyOf([]), checkContext());
  expect(none).toMatchObject({ verdict: 'valid', covered: 'no logs' });
});
