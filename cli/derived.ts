/** Writes what is derived from a run beside it: at its end, and whenever somebody asks for it. */
import { join, relative } from 'node:path';
import type { History } from '../harness/history/history.ts';
import type { RunResult } from '../harness/protocols/run.ts';
import type { Reporter } from '../harness/runner/run.ts';
import { testDir } from '../harness/store/layout.ts';
import { type RunFolderHandle, writeWhole } from '../harness/store/store.ts';
import { DERIVED_FILES, type DerivedFile } from '../reports/derived/derived.ts';

/** One for each file, so that one that cannot be written costs only itself. */
export function derivedReporters(
  folder: Pick<RunFolderHandle, 'dir' | 'testDir'>,
): readonly Reporter[] {
  return DERIVED_FILES.map((file) => ({
    name: file.name,
    write: async (result, history) => {
      await writeDerived(file, folder, result, history);
    },
  }));
}

/** Makes all of them anew; returns the paths of those that there are. */
export async function rebuildDerived(
  dir: string,
  result: RunResult,
  history: History,
): Promise<readonly string[]> {
  const folder = { dir, testDir: testDir(dir, result.manifest.config.workload) };
  const written: string[] = [];
  for (const file of DERIVED_FILES)
    written.push(...(await writeDerived(file, folder, result, history)));
  return written.map((path) => relative('', path));
}

async function writeDerived(
  file: DerivedFile,
  folder: Pick<RunFolderHandle, 'dir' | 'testDir'>,
  result: RunResult,
  history: History,
): Promise<readonly string[]> {
  const text = file.text(result, history);
  if (text === '') return [];
  const path = join(file.place === 'run' ? folder.dir : folder.testDir, file.name);
  await writeWhole(path, text);
  return [path];
}
