/**
 * How many runs `schism explore` needs until it finds what is planted: each bug of raftkv from scratch, in
 * the simulator, guided and uniform, from several seeds. The search is told of the bug only what the store
 * is told. `none` is the store without bugs: nothing may be found in it.
 *
 * Run: npx --no-install node bench/explore.ts [--bugs a,b | all] [--seeds 1] [--first-seed 1] [--runs 300]
 *   [--workers 2] [--how guided,uniform]
 */
import { parseArgs } from 'node:util';
import { Corpus } from '../cli/explore/corpus.ts';
import { explore, type Tally } from '../cli/explore/explore.ts';
import { type Player, simPlayer } from '../cli/explore/sim-player.ts';
import type { Space } from '../cli/explore/space.ts';
import { simulatedSpace } from '../cli/explore/testing.ts';
import { realClock } from '../harness/core/clock.ts';
import { Random, seedFrom } from '../harness/core/prng.ts';
import { SIMULATED } from '../test/planted.ts';

const { values } = parseArgs({
  options: {
    bugs: { type: 'string', default: 'all' },
    seeds: { type: 'string', default: '1' },
    'first-seed': { type: 'string', default: '1' },
    runs: { type: 'string', default: '300' },
    workers: { type: 'string', default: '2' },
    how: { type: 'string', default: 'guided,uniform' },
    verbose: { type: 'boolean', default: false },
  },
});
const clock = realClock();
const never = new AbortController().signal;

function spaceWith(bug: string): Promise<Space> {
  return simulatedSpace(bug === 'none' ? {} : { bug });
}

interface Hunt {
  readonly tally: Tally;
  readonly situations: number;
  /** Of this process, in all its threads. */
  readonly cpuMs: number;
}

async function hunt(
  space: Space,
  players: readonly Player[],
  seed: number,
  uniform: boolean,
): Promise<Hunt> {
  const corpus = new Corpus();
  const before = process.cpuUsage();
  const tally = await explore({
    space,
    players,
    corpus,
    random: Random.stream(seedFrom(seed), 'explore'),
    uniform,
    clock,
    runsMax: Number(values.runs),
    budgetMs: Number.POSITIVE_INFINITY,
    findingsMax: 1,
    signal: never,
    onRun: () => undefined,
    onFinding: ({ violation, plan }) => {
      if (values.verbose) console.log(violation.sentence, JSON.stringify(plan));
      return Promise.resolve();
    },
  });
  const { user, system } = process.cpuUsage(before);
  return { tally, situations: corpus.size, cpuMs: (user + system) / 1000 };
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
}

/** What was not found within the runs that there were took more than those. */
function runsText(runs: number): string {
  return Number.isFinite(runs) ? String(runs) : `> ${values.runs}`;
}

interface Row {
  readonly runs: readonly number[];
  readonly cpuMs: readonly number[];
}

/** How many times as many runs the uniform search takes; at least, where it has not found it. */
function ratioText(guided: number, uniform: number): string {
  if (!Number.isFinite(guided)) return '';
  const ratio = Math.min(uniform, Number(values.runs)) / guided;
  return `${Number.isFinite(uniform) ? '' : '> '}${ratio.toFixed(1)}`;
}

function tableOf(rows: ReadonlyMap<string, ReadonlyMap<string, Row>>): string {
  const lines = [...rows].map(([bug, byHow]) => {
    const [guided, uniform] = [byHow.get('guided'), byHow.get('uniform')];
    const of = (row: Row | undefined): string =>
      row === undefined
        ? ''
        : `${runsText(median(row.runs))} (${row.runs.map(runsText).join(', ')})`;
    const ratio =
      guided === undefined || uniform === undefined
        ? ''
        : ratioText(median(guided.runs), median(uniform.runs));
    const seconds = guided === undefined ? '' : (median(guided.cpuMs) / 1000).toFixed(1);
    return `| ${[bug, of(guided), seconds, of(uniform), ratio].join(' | ')} |`;
  });
  return [
    '| bug | guided: median of runs (each) | CPU seconds | uniform | times as many |',
    '| --- | --- | --- | --- | --- |',
    ...lines,
  ].join('\n');
}

const bugs = values.bugs === 'all' ? SIMULATED.map(({ bug }) => bug) : values.bugs.split(',');
const seeds = Array.from(
  { length: Number(values.seeds) },
  (_, at) => at + Number(values['first-seed']),
);
const players = Array.from({ length: Number(values.workers) }, () =>
  simPlayer(clock, { modules: [] }, never),
);
const results: Record<string, unknown>[] = [];
const rows = new Map<string, Map<string, Row>>();
for (const bug of bugs) {
  rows.set(bug, new Map());
  const space = await spaceWith(bug);
  for (const how of values.how.split(',')) {
    const runs: number[] = [];
    const cpu: number[] = [];
    const keys = new Set<string>();
    let found = 0;
    for (const seed of seeds) {
      const { tally, cpuMs, situations } = await hunt(space, players, seed, how === 'uniform');
      const [finding] = tally.findings;
      if (finding !== undefined) {
        found++;
        keys.add(finding.key);
      }
      runs.push(finding?.runs ?? Number.POSITIVE_INFINITY);
      cpu.push(cpuMs);
      results.push({ bug, how, seed, runs: tally.runs, key: finding?.key, cpuMs, situations });
      if (values.verbose)
        console.log(seed, tally.runs, Object.fromEntries(tally.broken), tally.undecided);
    }
    rows.get(bug)?.set(how, { runs, cpuMs: cpu });
    const perRun = cpu.reduce((sum, each) => sum + each, 0) / Math.max(1, totalRuns(bug, how));
    console.log(
      `${bug.padEnd(20)} ${how.padEnd(8)} found ${found} of ${seeds.length}, ` +
        `runs ${runs.join(' ')} (median ${median(runs)}), CPU ${(median(cpu) / 1000).toFixed(1)} s, ` +
        `${perRun.toFixed(0)} ms a run: ${[...keys].join('; ')}`,
    );
  }
}

function totalRuns(bug: string, how: string): number {
  return results
    .filter((one) => one['bug'] === bug && one['how'] === how)
    .reduce((sum, one) => sum + Number(one['runs']), 0);
}

console.log(tableOf(rows));
console.log(JSON.stringify({ bench: 'explore', results }));
for (const player of players) await player[Symbol.asyncDispose]();
