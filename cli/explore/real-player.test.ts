import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { HarnessError } from '../../harness/core/errors.ts';
import { Random, seedFrom } from '../../harness/core/prng.ts';
import { encodeOp, HEADER } from '../../harness/history/codec.ts';
import type { Op, OpDraft } from '../../harness/history/op.ts';
import type { RunConfig } from '../../harness/protocols/run.ts';
import { createRun, listRuns } from '../../harness/store/store.ts';
import { failRun, fixtureConfig, passRun } from '../../reports/testing/fixture-result.ts';
import type { Ran, RunOrder } from '../make-run.ts';
import { fakeShell } from '../testing.ts';
import { type RealPlayer, realPlayers } from './real-player.ts';
import { opsOf, simulatedSpace } from './testing.ts';

const passed = passRun({ seconds: 1 }).result;
const failed = failRun().result;

/** Whether its checks accuse, and what its clients saw. */
interface Scripted {
  readonly fails: boolean;
  readonly ops?: readonly Op[];
  readonly isDamaged?: boolean;
}

/** A run as far as the player can tell; it ends early when it is told to. */
async function scripted(
  order: RunOrder,
  { fails, ops = [], isDamaged = false }: Scripted,
): Promise<Ran> {
  const { output, config } = order;
  const startedAtMs = 0;
  const random = Random.stream(seedFrom(config.seed), 'run');
  const folder = await createRun(output, { startedAtMs, random, test: config.workload });
  const base = fails ? failed : passed;
  const manifest = { ...base.manifest, run: folder.id, config };
  const { progress } = order.begin({ manifest, folder, clock: undefined as never });
  const taken: Op[] = [];
  for (const op of ops) {
    if (order.interrupt.signal.aborted) break;
    taken.push(op);
    progress?.onOp(op);
  }
  const lines = [HEADER, ...taken.map((op) => encodeOp(op))];
  await writeFile(folder.historyPath, isDamaged ? '' : `${lines.join('\n')}\n`);
  const result = { ...base, manifest };
  await folder.writeJson('run.json', manifest);
  await folder.writeJson('verdict.json', { verdict: result.verdict, exitCode: result.exitCode });
  await folder.finish(result);
  return { result, dir: folder.dir };
}

interface Stage {
  readonly output: string;
  readonly players: readonly RealPlayer[];
  readonly played: RunConfig[];
}

/** Answers in turn, the last one from then on. */
async function stage(scripts: readonly (Scripted | HarnessError)[], count = 1): Promise<Stage> {
  const output = await mkdtemp(join(tmpdir(), 'schism-real-player-'));
  onTestFinished(() => rm(output, { recursive: true, force: true }));
  const { shell } = fakeShell();
  const played: RunConfig[] = [];
  const players = realPlayers(count, {
    keeping: { shell, output, modules: [], space: await simulatedSpace() },
    interrupt: { signal: new AbortController().signal, by: undefined },
    run: (order) => {
      played.push(order.config);
      const script = scripts[Math.min(played.length, scripts.length) - 1];
      if (script instanceof HarnessError) return Promise.reject(script);
      return scripted(order, script ?? { fails: false });
    },
  });
  return { output, players, played };
}

function only(players: readonly RealPlayer[]): RealPlayer {
  const [player] = players;
  if (player === undefined) throw new Error('no player');
  return player;
}

const read: Partial<OpDraft> = { process: 2, mode: 'linearizable', key: 'k1' };
/** A read is answered of before a write that was acknowledged, and then something else happens. */
const backwards = opsOf([
  { process: 1, f: 'write', key: 'k1' },
  { process: 1, f: 'write', key: 'k1', type: 'ok', server: { revision: 7 } },
  read,
  { ...read, type: 'ok', server: { revision: 6 } },
  { process: 1, f: 'write', key: 'k1' },
  { process: 1, f: 'write', key: 'k1', type: 'ok', server: { revision: 8 } },
]);

describe('runs on real clusters', () => {
  test('leave nothing in the store when they found nothing', async () => {
    const { output, players } = await stage([{ fails: false }]);
    const outcome = await only(players).play(fixtureConfig());
    expect(outcome.violations).toEqual([]);
    expect(await listRuns(output)).toEqual([]);
  });

  test('stay when they found something that is asked for, and go when nobody asks', async () => {
    const { output, players } = await stage([{ fails: true }]);
    const player = only(players);
    const [first, second] = [fixtureConfig({ seed: 1 }), fixtureConfig({ seed: 2 })];
    expect((await player.play(first)).violations[0]?.checker).toBe('linearizable');
    const kept = player.kept(first);
    await player.play(second);
    expect(await listRuns(output)).toHaveLength(2);
    await player[Symbol.asyncDispose]();
    expect((await listRuns(output)).map(({ id }) => id)).toEqual([kept?.result.manifest.run]);
  });

  test('are ended when the store went back, and played to the end if that shows nothing', async () => {
    const { players, played } = await stage([{ fails: false, ops: backwards }]);
    const outcome = await only(players).play(fixtureConfig());
    expect(played).toHaveLength(2);
    expect([outcome.operations, outcome.stoppedAt]).toEqual([3, undefined]);
  });

  test('are ended where the store went back when that is what the checks find', async () => {
    const { players, played } = await stage([{ fails: true, ops: backwards }]);
    const outcome = await only(players).play(fixtureConfig());
    expect(played).toHaveLength(1);
    expect([outcome.operations, outcome.stoppedAt]).toEqual([2, 3]);
  });

  test('tidy the store one after the other, however many end at once', async () => {
    const { output, players } = await stage([{ fails: false }], 8);
    const ends = players.map((player, at) => player.play(fixtureConfig({ seed: at + 1 })));
    expect((await Promise.all(ends)).map(({ broken }) => broken)).toEqual(Array(8).fill(undefined));
    expect(await listRuns(output)).toEqual([]);
  });

  test('are lost, and gone, when what they recorded cannot be read', async () => {
    const { output, players } = await stage([{ fails: true, isDamaged: true }]);
    expect((await only(players).play(fixtureConfig())).broken).toContain('no header line');
    expect(await listRuns(output)).toEqual([]);
  });

  test('are lost when their cluster did not come up, and all that follow when there is none', async () => {
    const failing = new HarnessError('process-failed', 'n2 did not start');
    const missing = new HarnessError('binary-missing', 'no etcd');
    const { players } = await stage([failing, missing]);
    expect((await only(players).play(fixtureConfig())).broken).toBe('n2 did not start');
    await expect(only(players).play(fixtureConfig())).rejects.toThrow('no etcd');
  });
});
