/** `schism explore` as people call it: found, stored, shown again, and ended by Ctrl-C. */
import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ExploreDocument } from '../cli/explore/document.ts';
import { realClock, sleep } from '../harness/core/clock.ts';
import { sandbox } from './cli-testing.ts';

const SEARCH = ['explore', '--seed', '1', '--json', '-j', '1'];

test('a finding is a stored run, entry for entry what was explored, and replays exactly', async () => {
  await using box = await sandbox();
  const words = [...SEARCH, '--bug', 'txn-race', '-x', '--runs', '60', '--workload', 'register'];
  const { code, out, err } = await box.schism(words);
  expect({ code, err: code === 1 ? '' : err }).toEqual({ code: 1, err: '' });
  const found = JSON.parse(out) as ExploreDocument;
  expect(found.findings.length).toBe(1);
  const [finding] = found.findings;
  expect(finding?.stored?.same).toBe(true);
  expect(finding?.stored?.verdict).toBe('fail');
  expect(finding?.config.workload).toBe('register');
  const run = finding?.stored?.run ?? '';
  expect(err).toContain(`npx schism explain ${run}`);
  expect((await box.schism(['explain', run])).out).toContain('register');
  const replayed = await box.schism(['replay', run]);
  expect(replayed.code).toBe(1);
}, 240_000);

test('the budget ends it; what was covered is told, and nothing more', async () => {
  await using box = await sandbox();
  const few = ['--runs', '3', '--nodes', '3', '--fault', 'pause'];
  const { code, out } = await box.schism(['explore', '--seed', '2', '-j', '1', ...few]);
  expect(code).toBe(0);
  expect(out).toContain('No violation was found in what ran.');
  expect(out).toContain('faults pause');
  expect(out).toMatch(/^ {2}pause {2}/m);
  expect(await readdir(join(box.dir, '.schism'))).toEqual(['explore']);
}, 240_000);

test('Ctrl-C ends it with what it has, and the next goes on from there', async () => {
  await using box = await sandbox();
  const running = box.start([...SEARCH, '--budget', '1h']);
  const corpus = join(box.dir, '.schism', 'explore', 'raftkv-sim', 'corpus.json');
  const clock = realClock();
  for (let tries = 0; tries < 1200; tries++) {
    const isThere = await access(corpus).then(
      () => true,
      () => false,
    );
    if (isThere) break;
    await sleep(clock, 100);
  }
  running.kill('SIGINT');
  const { exitCode, stdout } = await running;
  expect(exitCode).toBe(130);
  const told = JSON.parse(stdout) as ExploreDocument;
  expect(told.interrupted).toBe('SIGINT');
  expect(told.runs).toBeGreaterThan(0);
  expect(told.situations).toBeGreaterThan(0);
}, 240_000);
