/** What the keys do while a live block is shown. */
import { open, readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { messageOf } from '../harness/core/errors.ts';
import type { RunManifest } from '../harness/protocols/run.ts';
import type { RunFolderHandle } from '../harness/store/store.ts';
import type { Progress } from '../reports/progress.ts';
import { clean, clipped, momentText } from '../reports/words.ts';
import { markLog } from './log.ts';
import type { Shell } from './program.ts';

export interface KeyedRun {
  readonly progress: Progress;
  readonly manifest: RunManifest;
  readonly folder: Pick<RunFolderHandle, 'testDir' | 'path'>;
}

/** Disposed of, it gives the terminal back. */
export interface LiveKeys extends Disposable {
  /** The same progress; until it ends, keys ask for this run, too. */
  follow(run: KeyedRun): Progress;
}

/** `say`: above the block. */
export function liveKeys(
  { keys, columns }: Pick<Shell, 'keys' | 'columns'>,
  say: (text: string) => void,
): LiveKeys {
  const runs = new Set<KeyedRun>();
  let marks = 0;
  const ofEach = (text: (run: KeyedRun) => string): void => {
    say(runs.size === 0 ? ' nothing runs now\n' : [...runs].map(text).join(''));
  };
  const sayLogs = async (): Promise<void> => {
    const told = await Promise.all(
      [...runs].map(async (run) => ({ run, text: await logsText(run, columns) })),
    );
    // Not of those that ended meanwhile.
    ofEach((run) => told.find((each) => each.run === run)?.text ?? '');
  };
  const act = (key: string): void => {
    if (key === 's') ofEach(({ progress }) => progress.answers?.state() ?? '');
    else if (key === 'f') ofEach(({ progress }) => progress.answers?.faults() ?? '');
    else if (key === 'l') void sayLogs();
    else if (key === '\r' || key === '\n') {
      if (runs.size > 0) marks++;
      ofEach((run) => marked(run, marks));
    }
  };
  const listening = keys?.(act);
  return {
    follow: (run) => {
      const { progress } = run;
      runs.add(run);
      return {
        onOp: (op) => {
          progress.onOp(op);
        },
        onPhase: (step) => {
          progress.onPhase(step);
        },
        end: (result) => {
          runs.delete(run);
          progress.end(result);
        },
        [Symbol.dispose]: () => {
          runs.delete(run);
          progress[Symbol.dispose]();
        },
      };
    },
    [Symbol.dispose]: () => {
      listening?.[Symbol.dispose]();
      runs.clear();
    },
  };
}

/** Marks the log of the run, and says so. */
function marked({ progress, folder }: KeyedRun, mark: number): string {
  const at = progress.answers?.moment();
  if (at === undefined) return '';
  const time = momentText(at.nanos);
  const line = ` mark ${mark} at ${time} s   ${at.title}   ${at.step}`;
  try {
    markLog(folder.path('harness.log'), { mark, seconds: Number(time), phase: at.step });
    return `${line}\n`;
  } catch (error) {
    return `${line}, not in the log: ${clean(messageOf(error))}\n`;
  }
}

/** Where the logs of a run are, and the last line of each node's. */
async function logsText(
  { progress, manifest, folder }: KeyedRun,
  columns: number,
): Promise<string> {
  const { title = '' } = { ...progress.answers?.moment() };
  const lines = [` logs   ${title}   ${shown(folder.path('harness.log'))}`];
  for (const node of manifest.config.nodes)
    for (const path of await logsOf(join(folder.testDir, 'nodes', node))) {
      const last = await lastLine(path).catch((error: unknown) => messageOf(error));
      lines.push(`   ${shown(path)}`, `     ${clipped(clean(last), Math.max(20, columns - 6))}`);
    }
  if (lines.length === 1) lines.push('   the nodes write none here');
  return `${lines.join('\n')}\n`;
}

async function logsOf(dir: string): Promise<readonly string[]> {
  const names = await readdir(dir).catch(() => []);
  return names
    .filter((name) => name.endsWith('.log'))
    .toSorted()
    .map((name) => join(dir, name));
}

function shown(path: string): string {
  return clean(relative('', path));
}

/** More than a terminal shows of a line. */
const TAIL_BYTES = 4096;

async function lastLine(path: string): Promise<string> {
  await using file = await open(path);
  const { size } = await file.stat();
  const buffer = Buffer.alloc(Math.min(size, TAIL_BYTES));
  const { bytesRead } = await file.read(buffer, 0, buffer.length, size - buffer.length);
  const text = buffer.toString('utf8', 0, bytesRead).trimEnd();
  return text === '' ? '(empty)' : text.slice(text.lastIndexOf('\n') + 1);
}
