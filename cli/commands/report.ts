import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { basename, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Command } from 'commander';
import { realClock } from '../../harness/core/clock.ts';
import { EXIT, HarnessError, messageOf } from '../../harness/core/errors.ts';
import { testDir } from '../../harness/store/layout.ts';
import { findRun, writeWhole } from '../../harness/store/store.ts';
import { listSuites } from '../../harness/store/suites.ts';
import { readNodeLogs } from '../../reports/html/node-logs.ts';
import { renderHtml } from '../../reports/html/report.ts';
import { renderTrendPage } from '../../reports/trend/page.ts';
import { rebuildDerived } from '../derived.ts';
import { earlierOf } from '../nightly/against.ts';
import { daysOf } from '../nightly/trend.ts';
import type { Shell } from '../program.ts';
import { serveRuns } from '../serve.ts';
import {
  countOption,
  DEFAULT_ROOT,
  type LoadedRun,
  loadRun,
  RUN_HELP,
  runRows,
} from '../stored.ts';
import { VERSION } from '../version.ts';

type Finish = (code: number) => void;

interface ServeFlags {
  readonly output: string;
  readonly port: string;
  readonly open?: boolean;
}

interface Flags extends ServeFlags {
  readonly out?: string;
  readonly serve?: boolean;
  readonly files?: boolean;
  readonly trend?: boolean;
  readonly against?: readonly string[];
}

const PORT = '4477';

/** `schism report`: the HTML of a stored run, made anew, or all of them in a browser. */
export function reportCommand(shell: Shell, finish: Finish): Command {
  return withServing(new Command('report'))
    .description('make the HTML report of a stored run again')
    .argument('[run]', RUN_HELP)
    .option('-o, --out <file>', "where to (default: the run's folder; -: standard output)")
    .option('--files', 'and all else that only repeats the history: faults.jsonl, summary.md, ...')
    .option('--trend', 'one page over all stored suites instead: what became of tests and findings')
    .option('--against <path>', 'for --trend: suites that lie elsewhere, too', collect)
    .option('--serve', 'serve all stored runs on 127.0.0.1 instead, until Ctrl-C')
    .action(async (ref: string | undefined, flags: Flags) => {
      if (flags.trend === true) finish(await writeTrend(shell, flags));
      else if (flags.serve === true) finish(await serve(shell, ref, flags));
      else finish(await write(shell, ref ?? 'latest', flags));
    });
}

/** `schism serve`: the same as `schism report --serve`. */
export function serveCommand(shell: Shell, finish: Finish): Command {
  return withServing(new Command('serve'))
    .description('stored runs and their reports in a browser, on 127.0.0.1, until Ctrl-C')
    .argument('[run]', `the one to begin with: ${RUN_HELP}`)
    .action(async (ref: string | undefined, flags: ServeFlags) => {
      finish(await serve(shell, ref, flags));
    });
}

function withServing(command: Command): Command {
  return command
    .option('--port <n>', 'for --serve; 0: any that is free', PORT)
    .option('--open', 'open it in the browser')
    .option('--output <dir>', 'where runs are kept', DEFAULT_ROOT);
}

const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

async function writeTrend(shell: Shell, flags: Flags): Promise<number> {
  const { output } = flags;
  const own = (await listSuites(output)).map(({ result }) => result);
  const others = (await earlierOf(shell, flags.against)) ?? [];
  const rows = await runRows(output, realClock().wallMs());
  const page = renderTrendPage([...own, ...others, ...daysOf(rows)], VERSION);
  return writePage(shell, page, flags, join(output, 'trend.html'));
}

async function write(shell: Shell, ref: string, flags: Flags): Promise<number> {
  await using run = await loadRun(flags.output, ref);
  const files = flags.files === true ? await filesAgain(run) : [];
  // What is written into an unpacked archive would be gone.
  const ours = run.archive === undefined ? join(run.dir, 'report.html') : undefined;
  return writePage(shell, await pageOf(run), flags, ours ?? `${basename(run.dir)}.html`, files);
}

async function writePage(
  shell: Shell,
  page: string,
  flags: Flags,
  place: string,
  files: readonly string[] = [],
): Promise<number> {
  if (flags.out === '-') {
    shell.out(page);
    return EXIT.pass;
  }
  const path = flags.out ?? place;
  try {
    await writeWhole(resolve(path), page);
  } catch (error) {
    throw new HarnessError('store-failed', `cannot write ${path}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  shell.out([relative('', path), ...files].map((name) => `${name}\n`).join(''));
  if (flags.open === true) await openInBrowser(shell, pathToFileURL(resolve(path)).href);
  return EXIT.pass;
}

function filesAgain({ dir, archive, result, history }: LoadedRun): Promise<readonly string[]> {
  if (archive === undefined) return rebuildDerived(dir, result, history);
  throw new HarnessError('bad-option', `--files: ${archive} is an archive, and stays as it is`);
}

async function pageOf({ dir, result, history }: LoadedRun): Promise<string> {
  const { manifest } = result;
  const logs = await readNodeLogs(testDir(dir, manifest.config.workload), manifest);
  return renderHtml(result, history, { logs });
}

async function serve(shell: Shell, ref: string | undefined, flags: ServeFlags): Promise<number> {
  const { output } = flags;
  const port = countOption(flags.port, '--port', 65_535);
  const folder = ref === undefined ? undefined : basename(await findRun(output, ref));
  const stopped = Promise.withResolvers<void>();
  using _ = shell.onSignal(() => {
    stopped.resolve();
  });
  await using server = await serveRuns(output, port, realClock());
  const url = folder === undefined ? server.url : `${server.url}runs/${folder}/report.html`;
  shell.out(`${url}\n`);
  shell.err(`schism: serving the runs below ${output} to this machine; Ctrl-C ends it\n`);
  if (flags.open === true) await openInBrowser(shell, url);
  await stopped.promise;
  return EXIT.pass;
}

const OPENERS: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  darwin: ['open'],
  win32: ['explorer.exe'],
};

/** Where there is no browser, the line with the address is enough. */
async function openInBrowser(shell: Shell, url: string): Promise<void> {
  const [program = '', ...args] = OPENERS[process.platform] ?? ['xdg-open'];
  try {
    const child = spawn(program, [...args, url], { stdio: 'ignore', detached: true });
    await once(child, 'spawn');
    child.unref();
  } catch (error) {
    shell.err(`schism: cannot open a browser: ${messageOf(error)}\n`);
  }
}
