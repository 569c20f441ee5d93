/** A finding as an ordinary stored run: everything that works on runs works on it. */
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readHistory } from '../../harness/history/jsonl.ts';
import type { RunConfig } from '../../harness/protocols/run.ts';
import { storedHistory, writeWhole } from '../../harness/store/store.ts';
import { fingerprintOf } from '../../reports/summary.ts';
import { makeRun, type Ran, type RunOrder } from '../make-run.ts';
import type { Shell } from '../program.ts';
import { optionsOf, runWords } from '../shrink/repro.ts';
import { DEFAULT_ROOT } from '../stored.ts';
import type { Outcome } from './outcome.ts';
import { hashOf } from './simulate.ts';
import type { Space } from './space.ts';

export interface Keeping {
  readonly shell: Shell;
  readonly output: string;
  readonly modules: readonly string[];
  readonly space: Space;
  /** As `--config` said it. */
  readonly configFile?: string;
}

export interface StoredFinding {
  readonly run: string;
  readonly dir: string;
  /** As `schism runs` groups them. */
  readonly fingerprint?: string;
  readonly verdict: Ran['result']['verdict'];
  /** Of a simulated run: entry for entry what was explored. */
  readonly same?: boolean;
}

export function scheduleFileOf(output: string, { seed }: RunConfig): string {
  return join(output, 'explore', 'schedules', `${seed}.schedule.json`);
}

/** The run in which it was found, told how it could have been asked for. */
export async function orderOf(
  { shell, output, modules, space, configFile }: Keeping,
  config: RunConfig,
  rest: Pick<RunOrder, 'interrupt'> & Partial<Pick<RunOrder, 'begin'>>,
): Promise<RunOrder> {
  const scheduleFile = scheduleFileOf(output, config);
  const options = optionsOf(config, space.system);
  const words = [
    'run',
    ...runWords(options, scheduleFile),
    ...(configFile === undefined ? [] : ['--config', configFile]),
    ...(output === DEFAULT_ROOT ? [] : ['-o', output]),
  ];
  if (Array.isArray(options.schedule)) {
    await mkdir(dirname(scheduleFile), { recursive: true });
    const lines = options.schedule.map((line) => `  ${JSON.stringify(line)}`);
    await writeWhole(scheduleFile, `[\n${lines.join(',\n')}\n]\n`);
  }
  return {
    shell: { ...shell, argv: words },
    output,
    config,
    modules,
    begin: () => ({ reporters: [] }),
    warn: shell.err,
    ...rest,
  };
}

/** Plays a simulated run once more, for the store, and says whether it was the same. */
export async function storeSimulated(
  keeping: Keeping,
  config: RunConfig,
  { beginning }: Outcome,
): Promise<StoredFinding> {
  const never = new AbortController().signal;
  const ran = await makeRun(
    await orderOf(keeping, config, { interrupt: { signal: never, by: undefined } }),
  );
  const { stored, hash } = await described(ran, beginning?.entries ?? 0);
  return { ...stored, same: beginning === undefined || hash === beginning.hash };
}

/** Of a run that lies in the store. */
export async function described(
  { result, dir }: Ran,
  entries: number,
): Promise<{ readonly stored: StoredFinding; readonly hash: string }> {
  const { history } = await readHistory(storedHistory(dir, result.manifest.config.workload));
  const fingerprint = fingerprintOf(result, history);
  return {
    stored: {
      run: result.manifest.run,
      dir,
      verdict: result.verdict,
      ...(fingerprint !== undefined && { fingerprint }),
    },
    hash: hashOf(history, Math.min(entries, history.length)),
  };
}
