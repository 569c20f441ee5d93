/** What `schism run --backend sim` with these words plays and judges, without folders and processes. */
import { Command } from 'commander';
import { addRunFlags } from '../cli/flags.ts';
import { type RunFlags, resolveConfig } from '../cli/options.ts';
import { findNamed, findWorkload, SYSTEMS } from '../cli/registry.ts';
import { playVirtually, type VirtualRun } from './virtual-run.ts';

/** `words` as on the command line, without `schism run`; the simulator is meant. */
export async function recordedRun(words: readonly string[]): Promise<VirtualRun> {
  const flags = addRunFlags(new Command())
    .parse(['--system', 'raftkv', ...words], { from: 'user' })
    .opts<RunFlags & { readonly system: string; readonly workload: string }>();
  const system = findNamed('system', SYSTEMS, flags.system);
  const workload = findWorkload(flags.workload);
  const config = await resolveConfig({ ...flags, backend: 'sim' }, system, workload, {});
  return playVirtually(config, system, workload, `workload/${config.workload}`);
}
