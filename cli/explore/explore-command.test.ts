import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { called } from '../testing.ts';
import { exitOf } from './explore-command.ts';

let store = '';
beforeAll(async () => {
  store = await mkdtemp(join(tmpdir(), 'schism-explore-'));
});
afterAll(async () => {
  await rm(store, { recursive: true });
});

describe('schism explore', () => {
  test.each([
    [['--backend', 'attach'], 'attach'],
    [['--budget', 'soon'], '--budget'],
    [['--runs', 'many'], '--runs'],
    [['--fault', 'gravity'], 'gravity'],
    [['--workload', 'nothing'], 'nothing'],
    [['-O', 'heartbeat=never'], 'heartbeat'],
  ])('refuses what cannot be asked for, before anything runs: %s', async (words, said) => {
    const { code, out, err } = await called(['explore', ...words, '-o', store]);
    expect({ code, out }).toEqual({ code: 254, out: '' });
    expect(err).toContain(said);
  });

  test('with no run allowed says what it would draw from, and claims nothing', async () => {
    const words = ['explore', '--runs', '0', '--seed', '7', '--nodes', '3', '-o', store];
    const { code, out } = await called(words);
    expect(code).toBe(0);
    expect(out).toContain('schism explore: raftkv on sim, guided, 0 runs');
    expect(out).toContain('seed 0x00000007');
    expect(out).toContain('power');
    expect(out).not.toContain('cpu-squeeze');
    expect(out).toContain('0 runs');
  });
});

test('where no run could be judged, there is no verdict', () => {
  const tally = { findings: [], runs: 4, undecided: 0, broken: new Map<string, number>() };
  const two = new Map([['no room', 2]]);
  expect(exitOf(tally)).toBe(0);
  expect(exitOf({ ...tally, undecided: 3 })).toBe(0);
  expect(exitOf({ ...tally, undecided: 4 })).toBe(2);
  expect(exitOf({ ...tally, undecided: 2, broken: two })).toBe(2);
  expect(exitOf({ ...tally, runs: 2, broken: two })).toBe(3);
  expect(exitOf({ ...tally, undecided: 4 }, 'SIGTERM')).toBe(143);
});
