import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../harness/core/clock.ts';
import { HarnessError } from '../../harness/core/errors.ts';
import { Random, seedFrom } from '../../harness/core/prng.ts';
import type { RunConfig } from '../../harness/protocols/run.ts';
import { Corpus } from './corpus.ts';
import { explore, type Finding, type Search } from './explore.ts';
import type { Outcome } from './outcome.ts';
import { lost, type Player } from './sim-player.ts';
import { simulatedSpace } from './testing.ts';

const NOTHING: Outcome = { features: [], hits: {}, violations: [], undecided: [], operations: 5 };

function shown(kind: string): Outcome {
  return { ...NOTHING, violations: [{ checker: 'hash', kind, sentence: 'They differ.' }] };
}

/** Answers in turn, the last one from then on. */
function player(...outcomes: readonly Outcome[]): Player & { readonly played: RunConfig[] } {
  const played: RunConfig[] = [];
  return {
    played,
    play: (config) => {
      played.push(config);
      return Promise.resolve(outcomes[Math.min(played.length, outcomes.length) - 1] ?? NOTHING);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function search(
  players: readonly Player[],
  more: Partial<Search> = {},
): Promise<{ readonly findings: Finding[]; readonly tally: Awaited<ReturnType<typeof explore>> }> {
  const findings: Finding[] = [];
  const tally = await explore({
    space: await simulatedSpace(),
    players,
    corpus: new Corpus(),
    random: Random.stream(seedFrom(1), 'explore'),
    uniform: false,
    clock: new VirtualClock(),
    runsMax: 8,
    budgetMs: Number.POSITIVE_INFINITY,
    findingsMax: 0,
    signal: new AbortController().signal,
    onRun: () => undefined,
    onFinding: (finding) => {
      findings.push(finding);
      return Promise.resolve();
    },
    ...more,
  });
  return { findings, tally };
}

describe('the search', () => {
  test('makes as many runs as it may, shared out among its players', async () => {
    const [one, two] = [player(), player()];
    const { tally } = await search([one, two]);
    expect(tally.runs).toBe(8);
    expect(one.played.length + two.played.length).toBe(8);
    expect(two.played.length).toBeGreaterThan(0);
    expect(new Set([...one.played, ...two.played].map(({ seed }) => seed)).size).toBe(8);
  });

  test('tells of each finding once, with how long it took, and counts all runs that failed', async () => {
    const outcomes = [
      NOTHING,
      shown('replicas-diverge'),
      shown('replicas-diverge'),
      shown('other'),
    ];
    const { findings, tally } = await search([player(...outcomes)]);
    expect(findings.map(({ key, runs }) => [key, runs])).toEqual([
      ['hash: replicas-diverge', 2],
      ['hash: other', 4],
    ]);
    expect(tally.failed).toBe(7);
  });

  test('ends at the finding that was asked for', async () => {
    const { tally } = await search([player(NOTHING, shown('x'))], { findingsMax: 1 });
    expect(tally.runs).toBe(2);
  });

  test('begins no run when its time is over, or when it was interrupted', async () => {
    expect((await search([player()], { budgetMs: 0 })).tally.runs).toBe(0);
    expect((await search([player()], { signal: AbortSignal.abort() })).tally.runs).toBe(0);
  });

  test('counts runs that were lost, by why, and goes on', async () => {
    const { tally } = await search([player(lost('its thread died'), NOTHING)]);
    expect([...tally.broken]).toEqual([['its thread died', 1]]);
    expect(tally.runs).toBe(8);
  });

  test('gives up when no run at all comes to its end', async () => {
    await expect(search([player(lost('no room'))], { runsMax: 100 })).rejects.toThrow(
      'no run comes to its end: no room',
    );
  });

  test('ends for all players when one of them breaks, once none is at work any more', async () => {
    const broken: Player = {
      play: () => Promise.reject(new Error('no such file')),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
    const other = player();
    await expect(search([broken, other], { runsMax: 100 })).rejects.toThrow('no such file');
    expect(other.played.length).toBeLessThan(3);
  });

  test('keeps what was found when something ends it later', async () => {
    const full = new HarnessError('store-failed', 'no room on the disk');
    const breaking = player(shown('x'));
    const play = (config: RunConfig): ReturnType<Player['play']> =>
      breaking.played.length === 2 ? Promise.reject(full) : breaking.play(config);
    const { tally } = await search([{ ...breaking, play }]);
    expect(tally.findings).toHaveLength(1);
    expect([...tally.broken]).toEqual([['no room on the disk', 1]]);
    const never: Player = { ...breaking, play: () => Promise.reject(full) };
    await expect(search([never])).rejects.toThrow('no room on the disk');
  });

  test('learns from what was new, unless it is to be uniform', async () => {
    const corpus = new Corpus();
    const features = (at: number): Outcome => ({ ...NOTHING, features: [`state ${at % 3}`] });
    const outcomes = Array.from({ length: 8 }, (_, at) => features(at));
    const { tally } = await search([player(...outcomes)], { corpus });
    expect(tally.fresh).toEqual([1, 1, 1, 0, 0, 0, 0, 0]);
    expect(corpus.plans).toBe(3);
  });
});
