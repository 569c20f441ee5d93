import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isArchive, unpackRun } from './archive.ts';
import { findRun } from './store.ts';

/** A stored run that somebody named; what was unpacked for it is gone when it is disposed. */
export interface OpenedRun extends AsyncDisposable {
  readonly dir: string;
  /** The archive it came from: then nothing that is written to `dir` stays. */
  readonly archive?: string;
}

/**
 * What every command takes for a run: `latest`, `latest-failed`, `-1`, the beginning of an id, the
 * path of a run's folder or of a file in it, or an archive. Throws `bad-input`, saying what there
 * is.
 */
export async function openRun(root: string, ref: string): Promise<OpenedRun> {
  if (!(await isArchive(ref)))
    return { dir: await findRun(root, ref), [Symbol.asyncDispose]: () => Promise.resolve() };
  const into = await mkdtemp(join(tmpdir(), 'schism-run-'));
  const dispose = (): Promise<void> => rm(into, { recursive: true, force: true });
  try {
    return { dir: await unpackRun(ref, into), archive: ref, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}
