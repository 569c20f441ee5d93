import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { Command } from 'commander';
import { EXIT, HarnessError } from '../../harness/core/errors.ts';
import { writeWhole } from '../../harness/store/store.ts';
import { loadModules, modulesFor } from '../modules.ts';
import type { Shell } from '../program.ts';
import { findNamed } from '../registry.ts';
import { REGRESSIONS } from '../regressions/load.ts';
import { parseRegression, RUNS_MAX } from '../regressions/regression.ts';
import { regressionOf } from '../regressions/write.ts';
import { requireOwnPrograms } from '../replay.ts';
import { commandText } from '../shrink/words.ts';
import { countOption, DEFAULT_ROOT, loadRun, RUN_HELP } from '../stored.ts';

interface Flags {
  readonly config?: string;
  readonly output: string;
  readonly name?: string;
  readonly dir: string;
  readonly within?: string;
  readonly note?: string;
  readonly force?: boolean;
}

/** `schism regression`: a file that asks for a stored run again, and for what came of it. */
export function regressionCommand(shell: Shell, finish: (code: number) => void): Command {
  return new Command('regression')
    .description('keep a run as a regression: what was played, and what must come of it again')
    .argument('[run]', RUN_HELP, 'latest-failed')
    .option('--name <name>', 'of the file (default: store, first anomaly and kind of cluster)')
    .option('--dir <dir>', 'where it is written', REGRESSIONS)
    .option('--within <n>', 'it must be seen within so many runs (default: 10; sim: 1)')
    .option('--note <text>', 'what there is to know of it')
    .option('--force', 'in place of a file that is there')
    .option('-c, --config <file>', 'with stores, workloads and faults of your own')
    .option('-o, --output <dir>', 'where runs are kept', DEFAULT_ROOT)
    .action(async (ref: string, flags: Flags) => {
      await execute(shell, ref, flags);
      finish(EXIT.pass);
    });
}

async function execute(shell: Shell, ref: string, flags: Flags): Promise<void> {
  const within =
    flags.within === undefined ? undefined : countOption(flags.within, '--within', RUNS_MAX);
  if (within === 0) throw new HarnessError('bad-option', '--within: 0 runs show nothing');
  await using run = await loadRun(flags.output, ref);
  const { config } = run.result.manifest;
  requireOwnPrograms(run.archive, run.result.manifest);
  const { catalogue } = await loadModules(await modulesFor(flags.config, config));
  const kind = run.result.checks.flatMap(({ anomalies }) => anomalies)[0]?.kind;
  const name = flags.name ?? [config.system, kind ?? config.workload, config.backend].join('-');
  if (!/^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}$/.test(name))
    throw new HarnessError('bad-option', `--name: '${name}' is no name of a file`);
  const text = regressionOf(run, findNamed('system', catalogue.systems, config.system), {
    name,
    ...(within !== undefined && { within }),
    ...(flags.note !== undefined && { note: flags.note }),
  });
  const path = join(flags.dir, `${name}.json`);
  if (existsSync(path) && flags.force !== true)
    throw new HarnessError(
      'bad-input',
      `${path} is there already; give another --name, or --force`,
    );
  // What could not be read again is not written.
  parseRegression(JSON.parse(text), path, path);
  await mkdir(flags.dir, { recursive: true });
  await writeWhole(path, text);
  const dir = flags.dir === REGRESSIONS ? [] : [flags.dir];
  const words = ['run', name, '--regressions', ...dir];
  shell.out(` ${relative('', path)}\n again: ${commandText(words)}\n`);
}
