import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SUMMARY_BYTES_MAX } from '../reports/github.ts';
import { failRun } from '../reports/testing/fixture-result.ts';
import { githubReporter, githubShell } from './github.ts';
import { main, type Shell } from './program.ts';
import { fakeShell } from './testing.ts';

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'schism-github-'));
});
afterAll(async () => {
  await rm(root, { recursive: true });
});

const shellWith = (env: Shell['env'], argv: readonly string[] = []): ReturnType<typeof fakeShell> =>
  fakeShell({ env, argv });

test('away from GitHub nothing is changed, and nothing reported', () => {
  const { shell } = shellWith({ CI: 'true' });
  expect(githubShell(shell)).toBe(shell);
  expect(githubReporter(shell, {})).toBeUndefined();
});

test('on GitHub only our own commands get through, and lines on stderr are cut', () => {
  const { shell, said } = shellWith({ GITHUB_ACTIONS: 'true' });
  const guarded = githubShell(shell);
  guarded.out('::error::from a store\n');
  guarded.err(`::warning::from a store\n${'x'.repeat(20_000)}\n`);
  const github = githubReporter(guarded, {});
  using group = github?.group('run 7f3a');
  group?.[Symbol.dispose]();
  expect(said.out).toBe(':\u200b:error::from a store\n::group::run 7f3a\n::endgroup::\n');
  expect(said.err.split('\n').map(({ length }) => length < 8192)).toEqual([true, true, true]);
  expect(said.err.startsWith(':\u200b:warning')).toBe(true);
});

test('with a document on standard output commands go to the other stream', () => {
  const { shell, said } = shellWith({ GITHUB_ACTIONS: 'true' });
  githubReporter(githubShell(shell), { json: true })?.annotate(failRun().result);
  expect(said.out).toBe('');
  expect(said.err).toMatch(/^::error title=stale-read in etcd\/register::/);
});

test('all runs of a step share the room of its summary', async () => {
  const path = join(root, 'summary.md');
  const { shell } = shellWith({ GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: path });
  const { result, history } = failRun();
  const github = githubReporter(githubShell(shell), {});
  await github?.write(result, history);
  const once = await readFile(path, 'utf8');
  await github?.write(result, history);
  expect(await readFile(path, 'utf8')).toBe(once + once);
  await writeFile(path, 'x'.repeat(SUMMARY_BYTES_MAX - 100));
  await github?.write(result, history);
  const full = await readFile(path, 'utf8');
  expect(full).toContain('no room for more in this summary');
  expect(full.length).toBeLessThan(SUMMARY_BYTES_MAX);
});

test('`check` annotates a violation and writes the summary', async () => {
  const history = join(root, 'history.ops');
  const lines = [
    { client: 0, op: 'write', key: '::error::x', arg: 1, call: 0, ret: 1 },
    { client: 0, op: 'read', key: '::error::x', out: 2, call: 2, ret: 3 },
  ];
  await writeFile(history, lines.map((line) => JSON.stringify(line)).join('\n'));
  const path = join(root, 'check.md');
  const env = { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: path };
  const { shell, said } = shellWith(env, ['check', history]);
  expect(await main(shell)).toBe(1);
  const commands = said.out.split('\n').filter((line) => line.trimStart().startsWith('::'));
  expect(commands.map((line) => line.slice(0, 9))).toEqual(['::error t', '::notice ']);
  expect(await readFile(path, 'utf8')).toContain('## ✗ FAIL');
});
