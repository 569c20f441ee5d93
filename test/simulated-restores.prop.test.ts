/** Changes of members that go wrong on their way: in the end every node is a voter that serves. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { recordedRun } from './recorded-run.ts';
import type { VirtualRun } from './virtual-run.ts';

/** Longer than the run: what begins then ends when everything is healed. */
const FOR_GOOD = '60s';

async function runOf(words: string, schedule: readonly object[]): Promise<VirtualRun> {
  const dir = await mkdtemp(join(tmpdir(), 'schism-restores-'));
  try {
    const path = join(dir, 'schedule.json');
    await writeFile(path, JSON.stringify(schedule));
    return await recordedRun([...words.split(' '), '--schedule', path]);
  } finally {
    await rm(dir, { recursive: true });
  }
}

/** What the change of members was in the end, beside that it ended. */
function restoredIn({ history }: VirtualRun): unknown {
  const ends = [...history.ops()].flatMap(({ type, lane, value }) => {
    const { stage, evidence } = (value ?? {}) as { stage?: string; evidence?: unknown };
    return type === 'info' && lane === 'membership' && stage === 'end' ? [evidence] : [];
  });
  return ends.at(-1);
}

test('a removal that was held on its way, and comes when its link is healed', async () => {
  const run = await runOf(
    '--workload register --nodes 3 --rate 50 --quiet-start 500ms --duration 4s --seed 1 ' +
      '-O strict-reconfig-check=false',
    [
      { at: '1s', for: FOR_GOOD, fault: 'hold', on: 'node', target: ['n2'], direction: 'out' },
      { at: '1.5s', for: FOR_GOOD, fault: 'membership', target: ['n2'], via: 'target' },
    ],
  );
  expect(run.problems).toEqual([]);
  expect(restoredIn(run)).toMatchObject({ result: 'installed' });
  expect(run.checks.filter(({ verdict }) => verdict === 'invalid')).toEqual([]);
});

test('a removed member that asks for votes in newer terms than its leader has', async () => {
  const run = await runOf(
    '--workload register --nodes 5 --rate 50 --quiet-start 500ms --duration 10s --seed 1 ' +
      '-O pre-vote=false',
    [
      { at: '6s', for: FOR_GOOD, fault: 'hold', on: 'node', target: ['n3'] },
      { at: '6.5s', for: FOR_GOOD, fault: 'membership', target: ['n3'], via: 'leader' },
    ],
  );
  expect(run.problems).toEqual([]);
  expect(restoredIn(run)).toMatchObject({ result: 'installed' });
  expect(run.checks.filter(({ verdict }) => verdict === 'invalid')).toEqual([]);
});
