/** Runs on real clusters: each an ordinary one, of which those that found something stay in the store. */
import { rm } from 'node:fs/promises';
import { HarnessError } from '../../harness/core/errors.ts';
import { readHistory } from '../../harness/history/jsonl.ts';
import type { RunConfig } from '../../harness/protocols/run.ts';
import { rebuildIndex, repoint, storedHistory } from '../../harness/store/store.ts';
import type { Progress } from '../../reports/progress.ts';
import type { Interrupt } from '../interrupt.ts';
import { makeRun, type Ran } from '../make-run.ts';
import { Coverage } from './coverage.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import { lost, type Player } from './sim-player.ts';
import { type Keeping, orderOf, scheduleFileOf } from './store-finding.ts';
import { Tripwire } from './tripwire.ts';

export interface RealPlayer extends Player {
  /**
   * The run that played this configuration last, if it found something: it stays in the store. One that
   * nobody asks for before the next is played is one more of a finding that is there, and goes.
   */
  kept(config: RunConfig): Ran | undefined;
}

/** What it cannot do here will not be there for the next run, either. */
const HOPELESS: readonly string[] = ['binary-missing', 'unsupported', 'engine-failed'];

export interface RealStage {
  readonly keeping: Keeping;
  readonly interrupt: Pick<Interrupt, 'signal' | 'by'>;
  /** Replaced by tests. */
  readonly run?: typeof makeRun;
}

/** So many clusters at once. They share one store, which they tidy one after the other. */
export function realPlayers(count: number, stage: RealStage): readonly RealPlayer[] {
  let tidied: Promise<unknown> = Promise.resolve();
  const forget = (ran: Ran): Promise<void> => {
    const next = tidied.then(() => forgotten(ran, stage.keeping.output));
    tidied = next.catch(() => undefined);
    return next;
  };
  return Array.from({ length: count }, () => realPlayer(stage, forget));
}

function realPlayer(stage: RealStage, forget: (ran: Ran) => Promise<void>): RealPlayer {
  let found: { readonly config: RunConfig; readonly ran: Ran } | undefined;
  const tidy = async (): Promise<void> => {
    const unasked = found;
    found = undefined;
    if (unasked !== undefined) await forget(unasked.ran);
  };
  const once = async (config: RunConfig, stops: boolean): Promise<Outcome> => {
    const { ran, stoppedAt } = await attempt(stage, config, stops);
    if (ran instanceof HarnessError) return lost(ran.message);
    const outcome = await outcomeFrom(ran);
    if (outcome.violations.length > 0) found = { config, ran };
    else await forget(ran);
    return stoppedAt === undefined ? outcome : { ...outcome, stoppedAt };
  };
  return {
    play: async (config) => {
      await tidy();
      const first = await once(config, true);
      const isDecided = first.stoppedAt === undefined || first.violations.length > 0;
      return isDecided || stage.interrupt.signal.aborted ? first : once(config, false);
    },
    kept: (config) => {
      if (found?.config !== config) return undefined;
      const { ran } = found;
      found = undefined;
      return ran;
    },
    [Symbol.asyncDispose]: tidy,
  };
}

interface Attempt {
  /** A run, or what kept it from being one. */
  readonly ran: Ran | HarnessError;
  /** Index of the entry after which it was ended early, and healed: the store had gone back. */
  readonly stoppedAt: number | undefined;
}

async function attempt(
  { keeping, interrupt, run = makeRun }: RealStage,
  config: RunConfig,
  stops: boolean,
): Promise<Attempt> {
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, interrupt.signal]);
  const tripwire = new Tripwire();
  const progress = watching((op) => {
    tripwire.take(op);
    if (stops && tripwire.tripped !== undefined) stop.abort();
  });
  try {
    const order = await orderOf(keeping, config, {
      interrupt: {
        signal,
        get by() {
          return interrupt.by;
        },
      },
      begin: () => ({ reporters: [], progress }),
    });
    const ran = await run(order);
    return { ran, stoppedAt: stop.signal.aborted ? tripwire.tripped : undefined };
  } catch (error) {
    const isHopeless =
      !(error instanceof HarnessError) ||
      error.code.startsWith('bad-') ||
      HOPELESS.includes(error.code);
    if (isHopeless) throw error;
    return { ran: error, stoppedAt: undefined };
  }
}

/** Says nothing, and sees every entry. */
function watching(onOp: Progress['onOp']): Progress {
  return {
    onOp,
    onPhase: () => undefined,
    end: () => undefined,
    [Symbol.dispose]: () => undefined,
  };
}

/** What cannot be read any more is one run that was lost, and no reason to end the search. */
async function outcomeFrom(ran: Ran): Promise<Outcome> {
  try {
    return await read(ran);
  } catch (error) {
    if (error instanceof HarnessError) return lost(error.message);
    throw error;
  }
}

async function read({ result, dir }: Ran): Promise<Outcome> {
  const { manifest, checks, problems } = result;
  const { history } = await readHistory(storedHistory(dir, manifest.config.workload));
  const coverage = new Coverage(manifest.timing ?? { heartbeatMs: 100, electionMs: 1000 });
  for (const op of history.ops()) coverage.take(op);
  return outcomeOf({ checks, problems, history, coverage });
}

async function forgotten({ dir, result }: Ran, root: string): Promise<void> {
  await rm(scheduleFileOf(root, result.manifest.config), { force: true });
  await rm(dir, { recursive: true, force: true });
  await rebuildIndex(root);
  await repoint(root);
}
