/** Runs made while shrinking: in a folder of their own, so that the store keeps the result alone. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HarnessError } from '../../harness/core/errors.ts';
import type { RunConfig, RunResult } from '../../harness/protocols/run.ts';
import { rebuildIndex, repoint } from '../../harness/store/store.ts';
import type { Interrupt } from '../interrupt.ts';
import { makeRun, type Ran } from '../make-run.ts';
import type { Shell } from '../program.ts';
import { simulate } from './simulate.ts';
import { ANY, shows, type Target, targetOf, targetText } from './target.ts';
import type { Played } from './trials.ts';

export interface PlayOptions {
  /** Of a run that stays, `argv` is how it could have been asked for. */
  readonly shell: Shell;
  /** Where runs are kept. */
  readonly output: string;
  readonly interrupt: Pick<Interrupt, 'signal' | 'by'>;
  readonly modules: readonly string[];
  readonly target: Target;
  /** Runs that show it stay in the store, with their reports. Otherwise none does. */
  readonly keeps: boolean;
}

/** So many runs that could not be made, and none that could, are no coincidence. */
const BROKEN_FIRST_MAX = 3;

export interface Player extends AsyncDisposable {
  play(config: RunConfig): Promise<Played>;
  /** The last run that stayed. */
  kept(): Ran | undefined;
  /** What runs showed that did not show what was looked for: the first of each, and in how many. */
  readonly others: ReadonlyMap<string, number>;
}

export async function player(options: PlayOptions): Promise<Player> {
  const { output, target, keeps } = options;
  await mkdir(output, { recursive: true });
  const root = keeps ? output : await mkdtemp(join(output, 'shrinking-'));
  let last: Ran | undefined;
  const others = new Map<string, number>();
  let broken = 0;
  let hasEnded = false;
  return {
    play: async (config) => {
      const ran = await attempt(options, root, config);
      const isRun = !(ran instanceof HarnessError);
      const isShown = isRun && shows(ran.result, target);
      if (isShown && keeps) last = ran;
      else if (isRun) await forget(ran, root);
      const other = isRun && !isShown ? firstOf(ran.result) : undefined;
      if (other !== undefined) others.set(other, (others.get(other) ?? 0) + 1);
      const trouble = isShown ? undefined : troubleOf(ran);
      if (trouble === undefined) {
        hasEnded = true;
        return isShown ? 'found' : 'not-found';
      }
      broken++;
      if (!hasEnded && broken >= BROKEN_FIRST_MAX) throw trouble;
      return 'broken';
    },
    kept: () => last,
    others,
    [Symbol.asyncDispose]: () =>
      keeps ? Promise.resolve() : rm(root, { recursive: true, force: true }),
  };
}

/** What a run was accused of first. */
function firstOf(result: RunResult): string | undefined {
  return shows(result, ANY) ? targetText(targetOf(result)) : undefined;
}

/** A run, or what kept it from being one. A mistake in what was asked is thrown at once. */
async function attempt(
  { shell, interrupt, modules, target, keeps }: PlayOptions,
  root: string,
  config: RunConfig,
): Promise<Ran | HarnessError> {
  try {
    if (config.backend === 'sim' && !keeps)
      return await simulate({ shell, interrupt, modules, checker: target.checker, root }, config);
    return await makeRun({
      shell,
      output: root,
      config,
      modules,
      interrupt,
      begin: () => ({ reporters: [] }),
      warn: shell.err,
    });
  } catch (error) {
    if (error instanceof HarnessError && !error.code.startsWith('bad-')) return error;
    throw error;
  }
}

function troubleOf(ran: Ran | HarnessError): HarnessError | undefined {
  if (ran instanceof HarnessError) return ran;
  const { verdict, reasons } = ran.result;
  if (verdict !== 'error') return undefined;
  return new HarnessError('process-failed', `no run comes to its end: ${reasons[0] ?? ''}`);
}

async function forget({ dir }: Ran, root: string): Promise<void> {
  await rm(dir, { recursive: true, force: true });
  await rebuildIndex(root);
  await repoint(root);
}
