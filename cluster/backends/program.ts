/** Helper programs of ours that say on their first line of output how they can be reached. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { sleep } from '../../harness/core/clock.ts';
import { HarnessError } from '../../harness/core/errors.ts';
import type { LaunchProgram } from '../network/toxiproxy.ts';
import { type Child, type ChildContext, startChild } from './child.ts';
import { logTail } from './log-tail.ts';
import { exitText } from './process.ts';

const LOOK_AGAIN_MS = 5;

/** Launches programs as children of this process, with their output in files under `dir`. */
export function launcherIn(dir: string, context: ChildContext): LaunchProgram {
  return async ({ name, file, args }) => {
    const path = join(dir, name.replaceAll(/\W+/g, '-'));
    const files = { outputPath: `${path}.out`, logPath: `${path}.log` };
    rmSync(files.outputPath, { force: true });
    const child = await startChild({ name, file, args, ...files }, context);
    const firstLine = awaitLine(name, child, files, context);
    // Whoever launched it may give up before it asks.
    firstLine.catch(() => undefined);
    return {
      pid: child.pid,
      firstLine,
      [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
    };
  };
}

/** A file and not a pipe: a pipe would break when the harness dies, and the program with it. */
async function awaitLine(
  name: string,
  child: Child,
  { outputPath, logPath }: { readonly outputPath: string; readonly logPath: string },
  { clock }: ChildContext,
): Promise<string> {
  for (;;) {
    // Looked at before the file, so that the last words of a program that ended are read.
    const gone = child.state().state === 'gone';
    const output = existsSync(outputPath) ? readFileSync(outputPath, 'utf8') : '';
    const end = output.indexOf('\n');
    if (end >= 0) return output.slice(0, end);
    if (gone) {
      const how = exitText(await child.exited);
      throw new HarnessError('process-failed', `${name} ended (${how}) without a word`, {
        details: logTail(logPath),
      });
    }
    await sleep(clock, LOOK_AGAIN_MS);
  }
}
