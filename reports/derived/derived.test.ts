import { expect, test } from 'vitest';
import { parseHistory } from '../../harness/history/notation.ts';
import type { RunResult } from '../../harness/protocols/run.ts';
import { failRun, fixtureManifest, passRun } from '../testing/fixture-result.ts';
import { clusterLines } from './cluster-lines.ts';
import { DERIVED_FILES } from './derived.ts';
import { faultLines } from './fault-lines.ts';
import { metricLines } from './metric-lines.ts';

function fault(at: number, id: string, value: object, asked: object): string {
  const tail = `lane=cut id=${id}`;
  return (
    `nemesis invoke cut - ${JSON.stringify(asked)} ${tail} t=${at}ms\n` +
    `nemesis info cut - ${JSON.stringify(value)} ${tail} t=${at + 5}ms`
  );
}

const CUT = { fault: 'cut', text: 'isolate n1', targets: ['n1'] };
const [OPEN, CLOSED] = [{ 'n1>n2': 'open' }, { 'n1>n2': 'cut', 'n2>n1': 'open' }];
const seen = { result: 'installed', probe: { lost: 3 } };
const failed = { result: 'failed', why: 'still there' };

const CUTS = [
  fault(10, 'a', { ...CUT, stage: 'begin', evidence: seen, matrix: CLOSED }, { shape: 'one' }),
  fault(20, 'b', { ...CUT, stage: 'begin', evidence: failed, matrix: CLOSED }, {}),
  fault(30, 'heal', { ...CUT, stage: 'end', evidence: failed }, {}),
  fault(40, 'b', { ...CUT, stage: 'end', evidence: seen, matrix: OPEN }, {}),
  fault(50, 'heal', { ...CUT, stage: 'end', evidence: seen }, {}),
].join('\n');

test('faults: what was asked, what was done, and what showed it', () => {
  const lines = faultLines(parseHistory(CUTS));
  expect(lines[0]).toEqual({
    t: 15e6,
    sent: 10e6,
    event: 'begin',
    lane: 'cut',
    id: 'a',
    fault: 'cut',
    text: 'isolate n1',
    targets: ['n1'],
    result: 'installed',
    probe: { lost: 3 },
    asked: { shape: 'one' },
    links: CLOSED,
  });
  expect(lines[1]).toMatchObject({ id: 'b', result: 'failed', why: 'still there' });
});

test('faults: an end names the faults that it ended; one that failed has ended none', () => {
  const ends = faultLines(parseHistory(CUTS)).map((line) => [line.event, line.result, line.ends]);
  expect(ends.slice(2)).toEqual([
    ['end', 'failed', ['a', 'b']],
    ['end', 'installed', ['b']],
    ['end', 'installed', ['a']],
  ]);
});

function roles(at: number, ...claims: readonly string[]): string {
  const value = claims.map((claim) => {
    const [node, role, term] = claim.split(' ');
    const state = role === 'unreachable' ? 'unreachable' : 'answered';
    return { node, role, state, ...(term !== undefined && { term: Number(term) }) };
  });
  return `observer info roles - ${JSON.stringify(value)} t=${at}ms`;
}

test('cluster: only what changed, with its source', () => {
  const lines = clusterLines(
    parseHistory(
      [
        roles(1, 'n1 leader 2', 'n2 follower 2'),
        roles(5, 'n1 leader 2', 'n2 follower 2'),
        CUTS,
        roles(60, 'n1 unreachable', 'n2 follower 2'),
        roles(80, 'n1 leader 2', 'n2 leader 3', 'n3 learner'),
      ].join('\n'),
    ),
  );
  expect(lines.map(({ t, source, ...line }) => [t / 1e6, source, ...Object.values(line)])).toEqual([
    [1, 'api', 'members', ['n1', 'n2']],
    [1, 'api', 'role', 'n1', 'leader', 2],
    [1, 'api', 'role', 'n2', 'follower', 2],
    [1, 'api', 'leader', 'n1', 2, null, 0],
    [15, 'probe', 'links', { 'n1>n2': 'cut' }],
    [45, 'probe', 'links', { 'n1>n2': 'open' }],
    [60, 'api', 'role', 'n1', 'unreachable', null],
    [60, 'api', 'leaders', []],
    [80, 'api', 'members', ['n1', 'n2', 'n3']],
    [80, 'api', 'role', 'n1', 'leader', 2],
    [80, 'api', 'role', 'n2', 'leader', 3],
    [80, 'api', 'role', 'n3', 'learner', null],
    [80, 'api', 'leader', 'n2', 3, 'n1', 20],
    [80, 'api', 'leaders', ['n1', 'n2']],
  ]);
});

test('metrics: each operation counts where it was sent and where it was completed', () => {
  const lines = metricLines(
    parseHistory(`
      0 invoke write x 1 t=100ms
      0 ok t=110ms
      0 invoke write x 2 t=900ms
      1 invoke read x t=950ms
      0 ok t=1000ms
      1 info t=3500ms err=timeout?
      2 invoke read x t=3600ms
    `),
  );
  expect(lines).toEqual([
    {
      t: 0,
      ms: 1000,
      operations: {
        read: { invoked: 1, ok: 0, fail: 0, info: 0 },
        write: {
          invoked: 2,
          ok: 1,
          fail: 0,
          info: 0,
          latencyMs: { p50: 10, p90: 10, p99: 10, max: 10 },
        },
      },
    },
    {
      t: 1e9,
      ms: 1000,
      operations: {
        write: {
          invoked: 0,
          ok: 1,
          fail: 0,
          info: 0,
          latencyMs: { p50: 100, p90: 100, p99: 100, max: 100 },
        },
      },
    },
    { t: 3e9, ms: 600, operations: { read: { invoked: 1, ok: 0, fail: 0, info: 1 } } },
  ]);
});

test('metrics: the seconds of a run add up to its counts', () => {
  const { history, result } = passRun();
  const counts = metricLines(history).flatMap(({ operations }) => Object.values(operations));
  const sum = (name: 'invoked' | 'ok' | 'fail' | 'info'): number =>
    counts.reduce((total, each) => total + each[name], 0);
  const all = [...history.operations()];
  expect(sum('invoked')).toBe(all.length);
  for (const type of ['ok', 'fail', 'info'] as const)
    expect(sum(type)).toBe(all.filter(({ completion }) => completion?.type === type).length);
  expect(result.verdict).toBe('pass');
});

function textOf(name: string, result: RunResult): string {
  const file = DERIVED_FILES.find((each) => each.name === name);
  return file?.text(result, failRun().history) ?? '';
}

test('the script is one command, whatever the words of the command line hold', () => {
  const argv = ['run', '-O', 'a=$(rm -rf ~)\n;`id`\u001b[2J', "it's"];
  const manifest = { ...fixtureManifest({ argv }), run: '7f3a\necho' };
  const script = textOf('repro.sh', { ...failRun().result, manifest });
  expect(script.split('\n')).toEqual([
    '#!/bin/sh',
    '# The same choices again, at times that differ a little from those of run 7f3a echo.',
    String.raw`npx schism run -O 'a=$(rm -rf ~) ;` +
      '`id`' +
      String.raw`' 'it'\''s' --seed 0x5eed1234`,
    '',
  ]);
});

test('a history that came alone has no script', () => {
  const manifest = { ...fixtureManifest(), startedAt: '' };
  expect(textOf('repro.sh', { ...failRun().result, manifest })).toBe('');
});

test('the summary is that of the job summary, and every file of lines is JSON', () => {
  const { result, history } = failRun();
  expect(textOf('summary.md', result)).toMatch(/^## ✗ FAIL/);
  for (const file of DERIVED_FILES.filter(({ name }) => name.endsWith('.jsonl'))) {
    const lines = file.text(result, history).trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines) expect(JSON.parse(line)).toHaveProperty('t');
  }
});
