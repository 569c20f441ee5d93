/** `schism explore`, from its flags to its exit code. */
import { type Clock, realClock } from '../../harness/core/clock.ts';
import { EXIT, HarnessError } from '../../harness/core/errors.ts';
import { Random, seedText } from '../../harness/core/prng.ts';
import type { ExploreFlags } from '../commands/explore.ts';
import { type Interrupt, interruptible } from '../interrupt.ts';
import type { Shell } from '../program.ts';
import { styleFor } from '../reporting.ts';
import { shrinkStoredRun } from '../shrink/run-command.ts';
import { Corpus } from './corpus.ts';
import { corpusPath, corpusWriter, readCorpus } from './corpus-file.ts';
import { documentOf, type Told } from './document.ts';
import { explore, type Finding, type Tally } from './explore.ts';
import { realPlayers } from './real-player.ts';
import { type Settings, settingsOf } from './settings.ts';
import { type Player, simPlayer } from './sim-player.ts';
import { described, type StoredFinding, storeSimulated } from './store-finding.ts';
import {
  endLines,
  findingLines,
  headlines,
  lostRuns,
  MORE_OF_THE_SAME,
  progressLine,
} from './text.ts';

/** Whichever comes first. */
const SAY_RUNS = 50;
const SAY_MS = 10_000;
const SAVE_RUNS = 500;
/** New in so many runs, at most: more of the same. */
const STALE = { runs: 100, fresh: 5 };
const STOPPING = '\nstopping: what was found stays; once more to quit at once\n';

export async function exploreCommandLine(
  shell: Shell,
  flags: ExploreFlags,
  isGiven: (flag: string) => boolean,
): Promise<number> {
  const settings = await settingsOf(shell, flags, isGiven);
  const say = flags.json === true ? shell.err : shell.out;
  const clock = realClock();
  using interrupt = interruptible(shell, clock, () => {
    say(STOPPING);
  });
  const told = await exploring({ shell, flags, settings, clock, interrupt, say });
  if (flags.json === true) shell.out(`${JSON.stringify(documentOf(told, interrupt.by))}\n`);
  if (flags.shrink === true && !interrupt.signal.aborted)
    await shrunk({ shell, flags, settings, say }, told.stored);
  return exitOf(told.tally, interrupt.by);
}

/** One exploration, from its first line to its last; it goes on where the one before it ended. */
export async function exploring(asked: AskedExploring): Promise<Told & { readonly fresh: number }> {
  const { flags, settings, say } = asked;
  const { space } = settings.keeping;
  const path = corpusPath(settings.keeping.output, space);
  const isForgetful = flags.uniform === true || flags.fresh === true;
  const corpus = isForgetful ? new Corpus() : await readCorpus(path);
  const save = corpusWriter(path);
  const before = corpus.size;
  const around: Around = { ...asked, corpus, save };
  const said = headlines({
    ...settings,
    space,
    seed: seedText(settings.seed),
    uniform: flags.uniform === true,
    before: corpus.runs,
  });
  say(`${said.join('\n')}\n`);
  const { tally, stored } = await searched(around);
  say(`${endLines(tally, corpus.size).join('\n')}\n`);
  if (flags.uniform !== true) await save(corpus);
  const situations = corpus.size;
  const fresh = situations - before;
  return { settings: { ...settings, space }, tally, stored, situations, fresh };
}

export interface AskedExploring {
  readonly shell: Shell;
  readonly flags: ExploreFlags;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly interrupt: Interrupt;
  readonly say: (text: string) => void;
}

interface Around extends AskedExploring {
  readonly corpus: Corpus;
  readonly save: (corpus: Corpus) => Promise<void>;
}

type Stored = readonly (readonly [Finding, StoredFinding | undefined])[];

async function searched(
  around: Around,
): Promise<{ readonly tally: Tally; readonly stored: Stored }> {
  const { settings, flags, clock, interrupt, corpus, save, shell, say } = around;
  const { keeping, workers } = settings;
  await using players = new AsyncDisposableStack();
  const isSimulated = keeping.space.backend === 'sim';
  const real = isSimulated ? [] : realPlayers(workers, { keeping, interrupt });
  const all: readonly Player[] = isSimulated
    ? Array.from({ length: workers }, () =>
        simPlayer(clock, { modules: keeping.modules }, interrupt.signal),
      )
    : real;
  for (const player of all) players.use(player);
  const stored: [Finding, StoredFinding | undefined][] = [];
  const style = styleFor(shell, flags.color && flags.json !== true);
  const voice = voiceOf(clock, corpus, say);
  const tally = await explore({
    ...settings,
    space: keeping.space,
    players: all,
    corpus,
    random: Random.stream(settings.seed, 'explore'),
    uniform: flags.uniform === true,
    clock,
    signal: interrupt.signal,
    onRun: (now) => {
      voice(now);
      // What cannot be written now is told when it cannot be written in the end.
      if (now.runs % SAVE_RUNS === 1 && flags.uniform !== true) save(corpus).catch(() => undefined);
    },
    onFinding: async (finding, outcome) => {
      const ran = real
        .map((player) => player.kept(finding.config))
        .find((one) => one !== undefined);
      const kept = await orWhy(say, async () =>
        ran === undefined
          ? storeSimulated(keeping, finding.config, outcome)
          : (await described(ran, 0)).stored,
      );
      stored.push([finding, kept]);
      say(`${findingLines(finding, kept, keeping.output, style).join('\n')}\n`);
    },
  });
  return { tally, stored };
}

/** What was found counts, even where it cannot be stored. */
async function orWhy<T>(
  say: (text: string) => void,
  task: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await task();
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    say(`schism: what was found could not be stored: ${error.message}\n`);
    return undefined;
  }
}

/** Speaks every so many runs or seconds, and once of having nothing new to say. */
function voiceOf(
  clock: Clock,
  corpus: Corpus,
  say: (text: string) => void,
): (tally: Tally) => void {
  let [saidRuns, saidAt, isStale] = [0, clock.now() as number, false];
  return (tally) => {
    const now = clock.now();
    const fresh = tally.fresh.reduce((sum, count) => sum + count, 0);
    const wasStale = isStale;
    isStale = tally.fresh.length >= STALE.runs && fresh <= STALE.fresh;
    if (isStale && !wasStale) say(`${MORE_OF_THE_SAME}\n`);
    if (tally.runs - saidRuns < SAY_RUNS && now - saidAt < SAY_MS * 1e6) return;
    [saidRuns, saidAt] = [tally.runs, now];
    say(`${progressLine(tally, corpus.size)}\n`);
  };
}

async function shrunk(
  { shell, flags, settings, say }: Pick<Around, 'shell' | 'flags' | 'settings' | 'say'>,
  stored: Stored,
): Promise<void> {
  const quiet: Shell = flags.json === true ? { ...shell, out: shell.err } : shell;
  for (const [, kept] of stored) {
    if (kept?.verdict !== 'fail') continue;
    say('\n');
    await shrinkStoredRun(quiet, kept.run, {
      run: true,
      output: settings.keeping.output,
      color: flags.color,
      ...(flags.config !== undefined && { config: flags.config }),
    });
  }
}

/** As that of a run: a violation decides, and where no run could be judged there is no verdict. */
export function exitOf(
  { findings, runs, undecided, broken }: Pick<Tally, 'findings' | 'runs' | 'undecided' | 'broken'>,
  by?: Interrupt['by'],
): number {
  if (findings.length > 0) return EXIT.violation;
  if (by !== undefined) return by === 'SIGINT' ? EXIT.interrupted : EXIT.terminated;
  const lost = lostRuns(broken);
  if (runs === 0 || lost + undecided < runs) return EXIT.pass;
  return lost === runs ? EXIT.infrastructure : EXIT.unknown;
}
