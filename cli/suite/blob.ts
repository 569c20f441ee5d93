/**
 * `blob.zip`: a suite and its runs as one file, laid out like the folder in which runs are kept, with
 * one suite in it. What the nodes stored stays at home.
 */
import { basename, join, resolve } from 'node:path';
import type { SuiteResult } from '../../harness/protocols/suite.ts';
import { filesOfRun, type PackedFile, packFiles } from '../../harness/store/archive.ts';

/** Throws `store-failed`. `suiteDir`: from where the runs' folders are reached. */
export async function writeBlob(
  suiteDir: string,
  result: SuiteResult,
  path: string,
): Promise<void> {
  const files: PackedFile[] = [
    {
      name: `suites/${basename(suiteDir)}/suite.json`,
      text: `${JSON.stringify(result, null, 2)}\n`,
    },
  ];
  const dirs = result.tests.flatMap(({ runs }) => runs.map(({ dir }) => join(suiteDir, dir)));
  for (const dir of new Set(dirs.map((each) => resolve(each)))) {
    const { kept } = await filesOfRun(dir);
    for (const { name, path: from } of kept)
      files.push({ name: `runs/${basename(dir)}/${name}`, path: from });
  }
  await packFiles(files, path);
}
