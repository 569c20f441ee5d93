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
  /** The run that played this configuration, if it stayed. */
  kept(config: RunConfig): Ran | undefined;
}

/** What it cannot do here will not be there for the next run, either. */
const HOPELESS: readonly string[] = ['binary-missing', 'unsupported', 'engine-failed'];

export function realPlayer(
  keeping: Keeping,
  interrupt: Pick<Interrupt, 'signal' | 'by'>,
): RealPlayer {
  const kept = new Map<RunConfig, Ran>();
  return {
    play: async (config) => {
      const ran = await attempt(keeping, config, interrupt);
      if (ran instanceof HarnessError) return lost(ran.message);
      const outcome = await read(ran);
      if (outcome.violations.length > 0) kept.set(config, ran);
      else await forget(ran, keeping.output);
      return outcome;
    },
    kept: (config) => kept.get(config),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** A run, or what kept it from being one; ended early, and healed, once the store went back. */
async function attempt(
  keeping: Keeping,
  config: RunConfig,
  interrupt: Pick<Interrupt, 'signal' | 'by'>,
): Promise<Ran | HarnessError> {
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, interrupt.signal]);
  const progress = watching(() => {
    stop.abort();
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
    return await makeRun(order);
  } catch (error) {
    const isHopeless =
      !(error instanceof HarnessError) ||
      error.code.startsWith('bad-') ||
      HOPELESS.includes(error.code);
    if (isHopeless) throw error;
    return error;
  }
}

/** Says nothing, and sees when a store goes back. */
function watching(onTrip: () => void): Progress {
  const tripwire = new Tripwire();
  return {
    onOp: (op) => {
      tripwire.take(op);
      if (tripwire.tripped !== undefined) onTrip();
    },
    onPhase: () => undefined,
    end: () => undefined,
    [Symbol.dispose]: () => undefined,
  };
}

async function read({ result, dir }: Ran): Promise<Outcome> {
  const { manifest, checks, problems } = result;
  const { history } = await readHistory(storedHistory(dir, manifest.config.workload));
  const coverage = new Coverage(manifest.timing ?? { heartbeatMs: 100, electionMs: 1000 });
  for (const op of history.ops()) coverage.take(op);
  return outcomeOf({ checks, problems, history, coverage });
}

async function forget({ dir, result }: Ran, root: string): Promise<void> {
  await rm(scheduleFileOf(root, result.manifest.config), { force: true });
  await rm(dir, { recursive: true, force: true });
  await rebuildIndex(root);
  await repoint(root);
}
