import { createWriteStream } from 'node:fs';
import { copyFile, mkdir } from 'node:fs/promises';
import { dirname, isAbsolute, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Clock } from '../harness/core/clock.ts';
import type { RunManifest, RunResult } from '../harness/protocols/run.ts';
import type { Reporter } from '../harness/runner/run.ts';
import type { RunFolderHandle } from '../harness/store/store.ts';
import { exportPerfetto } from '../reports/export/perfetto.ts';
import { readNodeLogs } from '../reports/html/node-logs.ts';
import { renderHtml } from '../reports/html/report.ts';
import { renderJunit } from '../reports/junit.ts';
import { lineProgress } from '../reports/lines.ts';
import { liveProgress } from '../reports/live.ts';
import type { Progress } from '../reports/progress.ts';
import { ansiStyle, plainStyle, type Style } from '../reports/style.ts';
import { summaryOf } from '../reports/summary.ts';
import { renderText } from '../reports/text.ts';
import { derivedReporters } from './derived.ts';
import { liveKeys } from './live-keys.ts';
import type { Shell } from './program.ts';
import type { ReporterChoice } from './reporter-choice.ts';

/** NO_COLOR and FORCE_COLOR as everywhere; else colours where a terminal is. */
export function styleFor(shell: Shell, wanted: boolean): Style {
  const { NO_COLOR: no, FORCE_COLOR: force } = shell.env;
  if (!wanted || (no !== undefined && no !== '')) return plainStyle;
  if (force !== undefined && force !== '0') return ansiStyle;
  return shell.isTty ? ansiStyle : plainStyle;
}

/** Of the only run there is. */
export interface ToldRun {
  readonly manifest: RunManifest;
  readonly folder: RunFolderHandle;
  readonly clock: Clock;
  readonly style: Style;
  readonly say: (text: string) => void;
  readonly choice: ReporterChoice;
}

export interface Telling {
  readonly progress: Progress;
  /** For whatever else must be said: a live block makes room. */
  readonly say: (text: string) => void;
}

/** The block that redraws itself on a terminal, with its keys until it ends; lines elsewhere. */
export function progressFor(shell: Shell, run: ToldRun): Telling {
  const { clock, manifest, folder, style, say, choice } = run;
  const options = { clock, manifest, style, write: say, columns: () => shell.columns };
  if (choice.voice !== 'live') return { progress: lineProgress(options), say };
  const hasKeys = choice.takesKeys === true && shell.keys !== undefined;
  const live = liveProgress({ ...options, keys: hasKeys });
  if (!hasKeys) return { progress: live, say: live.say };
  const keys = liveKeys(shell, live.say);
  const followed = keys.follow({ progress: live, manifest, folder });
  const end = (): void => {
    keys[Symbol.dispose]();
    followed[Symbol.dispose]();
  };
  return { progress: { ...followed, end, [Symbol.dispose]: end }, say: live.say };
}

/** What is written into the run's folder; each on its own. */
export function fileReporters(folder: RunFolderHandle): readonly Reporter[] {
  return [
    {
      name: 'results',
      write: async (result) => {
        await folder.writeJson('results.json', result);
        for (const check of result.checks)
          await folder.writeJson(checkFile(folder, check.checker), check);
      },
    },
    {
      name: 'JUnit',
      write: (result, history) => {
        const text = renderText(result, history);
        return folder.writeText(
          'junit.xml',
          renderJunit(result, { text, reportPath: 'report.html' }),
        );
      },
    },
    {
      name: 'HTML',
      write: async (result, history) => {
        const logs = await readNodeLogs(folder.testDir, result.manifest);
        await folder.writeText('report.html', renderHtml(result, history, { logs }));
      },
    },
    ...derivedReporters(folder),
    {
      // Last, so that a run without it is known to have crashed.
      name: 'verdict',
      write: (result, history) => folder.writeJson('verdict.json', summaryOf(result, history)),
    },
  ];
}

/** What somebody asked for by name, in the run's folder or elsewhere. */
export function askedReporters(
  { files }: ReporterChoice,
  folder: RunFolderHandle,
): readonly Reporter[] {
  return files.flatMap(({ name, outputFile }): readonly Reporter[] => {
    const path = outputFile === undefined ? undefined : resolve(outputFile);
    if (name === 'perfetto')
      return [
        {
          name: 'Perfetto',
          write: async (_, history) => {
            const to = path ?? folder.path('perfetto.json');
            await mkdir(dirname(to), { recursive: true });
            await pipeline(exportPerfetto(history).text, createWriteStream(to));
          },
        },
      ];
    const inFolder = { html: 'report.html', junit: 'junit.xml', json: 'results.json' };
    if (path === undefined || name === 'blob' || name === 'github') return [];
    // The others stand in the folder by now.
    return [{ name, write: () => copied(folder.path(inFolder[name]), path) }];
  });
}

/** The same for one of the runs of a suite: each in its own folder alone. */
export function ofEachRun(
  { files, ...choice }: ReporterChoice,
  folder: RunFolderHandle,
): readonly Reporter[] {
  const own = files.filter(({ name }) => name === 'perfetto').map(({ name }) => ({ name }));
  return askedReporters({ ...choice, files: own }, folder);
}

async function copied(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await copyFile(from, to);
}

function checkFile(folder: RunFolderHandle, checker: string): string {
  const inside = folder.testDir.slice(folder.dir.length + 1);
  return `${inside}/checks/${checker}.json`;
}

/** Keeps the text that ends a run, to be printed when everything else is written. */
export function textReporter(options: {
  readonly columns: number;
  readonly style: Style;
  readonly runPath: string;
  readonly choice?: ReporterChoice;
}): Reporter & { text(result: RunResult): string } {
  let text: string | undefined;
  return {
    name: 'text',
    write: (result, history) => {
      const shown = isAbsolute(options.runPath) ? options.runPath : `./${options.runPath}`;
      const { columns, style, runPath, choice } = options;
      text = renderText(result, history, {
        columns,
        style,
        runPath,
        reportPath: `${shown}/report.html`,
        files: asked(choice, shown),
        verbose: choice?.verbose === true,
        minimal: choice?.voice === 'minimal',
      });
      return Promise.resolve();
    },
    text: (result) =>
      text ?? `the text report failed; verdict ${result.verdict}, exit ${result.exitCode}\n`,
  };
}

/** What was asked for by name and stands where the reader would not look. */
function asked(
  choice: ReporterChoice | undefined,
  folder: string,
): readonly (readonly [label: string, path: string])[] {
  const labels = { junit: 'JUnit', json: 'JSON', html: 'HTML' };
  return (choice?.files ?? []).flatMap(({ name, outputFile }) => {
    if (name === 'perfetto')
      return [['Perfetto', outputFile ?? `${folder}/perfetto.json`] as const];
    if (outputFile === undefined || name === 'github' || name === 'blob') return [];
    return [[labels[name], outputFile] as const];
  });
}
