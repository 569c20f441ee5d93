import { isAbsolute } from 'node:path';
import type { Clock } from '../harness/core/clock.ts';
import type { RunManifest, RunResult } from '../harness/protocols/run.ts';
import type { Reporter } from '../harness/runner/run.ts';
import type { RunFolderHandle } from '../harness/store/store.ts';
import { readNodeLogs } from '../reports/html/node-logs.ts';
import { renderHtml } from '../reports/html/report.ts';
import { renderJunit } from '../reports/junit.ts';
import { lineProgress } from '../reports/lines.ts';
import { liveProgress } from '../reports/live.ts';
import type { Progress } from '../reports/progress.ts';
import { ansiStyle, plainStyle, type Style } from '../reports/style.ts';
import { summaryOf } from '../reports/summary.ts';
import { renderText } from '../reports/text.ts';
import { isCi } from './options.ts';
import type { Shell } from './program.ts';

/** NO_COLOR and FORCE_COLOR as everywhere; else colours where a terminal is. */
export function styleFor(shell: Shell, wanted: boolean): Style {
  const { NO_COLOR: no, FORCE_COLOR: force } = shell.env;
  if (!wanted || (no !== undefined && no !== '')) return plainStyle;
  if (force !== undefined && force !== '0') return ansiStyle;
  return shell.isTty ? ansiStyle : plainStyle;
}

/** The block that redraws itself on a terminal, lines elsewhere. */
export function progressFor(
  shell: Shell,
  run: {
    readonly manifest: RunManifest;
    readonly clock: Clock;
    readonly style: Style;
    readonly say: (text: string) => void;
  },
): Progress {
  const { clock, manifest, style, say } = run;
  const options = { clock, manifest, style, write: say, columns: () => shell.columns };
  return shell.isTty && !isCi(shell.env) ? liveProgress(options) : lineProgress(options);
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
    {
      // Last, so that a run without it is known to have crashed.
      name: 'verdict',
      write: (result, history) => folder.writeJson('verdict.json', summaryOf(result, history)),
    },
  ];
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
}): Reporter & { text(result: RunResult): string } {
  let text: string | undefined;
  return {
    name: 'text',
    write: (result, history) => {
      const shown = isAbsolute(options.runPath) ? options.runPath : `./${options.runPath}`;
      text = renderText(result, history, { ...options, reportPath: `${shown}/report.html` });
      return Promise.resolve();
    },
    text: (result) =>
      text ?? `the text report failed; verdict ${result.verdict}, exit ${result.exitCode}\n`,
  };
}
