/** The search finds what is planted, in the simulator, without being told what: a share of `bench/explore.ts`. */
import { afterAll, describe, expect, test } from 'vitest';
import { Corpus } from '../cli/explore/corpus.ts';
import { explore, type Tally } from '../cli/explore/explore.ts';
import { type Player, simPlayer } from '../cli/explore/sim-player.ts';
import { simulatedSpace } from '../cli/explore/testing.ts';
import { realClock } from '../harness/core/clock.ts';
import { Random, seedFrom } from '../harness/core/prng.ts';

const never = new AbortController().signal;
// Alone, so that which runs are made follows from the seed.
const player: Player = simPlayer(realClock(), { modules: [] }, never);
afterAll(() => player[Symbol.asyncDispose]());

async function search(bug: string | undefined, runsMax: number): Promise<Tally> {
  return explore({
    space: await simulatedSpace({ ...(bug !== undefined && { bug }) }),
    players: [player],
    corpus: new Corpus(),
    random: Random.stream(seedFrom(1), 'explore'),
    uniform: false,
    clock: realClock(),
    runsMax,
    budgetMs: Number.POSITIVE_INFINITY,
    findingsMax: 1,
    signal: never,
    onRun: () => undefined,
    onFinding: () => Promise.resolve(),
  });
}

describe('explore in the simulator', () => {
  test.each(['txn-race', 'retry-twice', 'ack-before-commit', 'no-truncate', 'two-changes'])(
    'finds %s from scratch within 30 runs',
    async (bug) => {
      const { findings, broken } = await search(bug, 30);
      expect(findings.length).toBeGreaterThan(0);
      expect(findings[0]?.violation.sentence.length).toBeGreaterThan(20);
      expect([...broken.keys()]).toEqual([]);
    },
    240_000,
  );

  test('accuses the store without bugs of nothing, 12 runs', async () => {
    const { findings, runs, hits } = await search(undefined, 12);
    expect(findings.map(({ violation }) => violation)).toEqual([]);
    expect(runs).toBe(12);
    expect(hits.size).toBeGreaterThan(5);
  }, 240_000);
});
