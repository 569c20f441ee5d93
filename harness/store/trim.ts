/** What of a run is not worth its bytes once its verdict is known. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunVerdict } from '../protocols/checker.ts';
import { historyFile } from './layout.ts';

/** `on-failure`: for runs that did not pass. */
export interface Keep {
  /** Default: always. */
  readonly history?: 'always' | 'on-failure';
  /** Of the nodes. Default: always. */
  readonly logs?: 'always' | 'on-failure';
  /** What the nodes stored, hundreds of megabytes. Default: on-failure. */
  readonly data?: 'always' | 'on-failure' | 'never';
}

/** Deletes what is not to be kept from the folder of a test whose run has ended. */
export async function trimRun(
  testDir: string,
  verdict: RunVerdict,
  keep: Keep = {},
): Promise<void> {
  const { history = 'always', logs = 'always', data = 'on-failure' } = keep;
  const passed = verdict === 'pass';
  if (data === 'never' || (data === 'on-failure' && passed)) await trimNodes(testDir, isData);
  if (logs === 'on-failure' && passed) await trimNodes(testDir, (name) => !isData(name));
  if (history === 'on-failure' && passed) {
    const plain = historyFile(testDir);
    for (const path of [plain, `${plain}.gz`, plain.replace(/\.jsonl$/, '.idx')])
      await rm(path, { force: true });
  }
}

function isData(name: string): boolean {
  return name === 'data';
}

/** Of what lies in the folder of each node, and beside these folders. */
async function trimNodes(testDir: string, isGone: (name: string) => boolean): Promise<void> {
  const nodes = join(testDir, 'nodes');
  const entries = await readdir(nodes, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const path = join(nodes, entry.name);
    const inside = entry.isDirectory() ? await readdir(path) : [];
    const gone = inside.filter(isGone).map((name) => join(path, name));
    if (!entry.isDirectory() && isGone(entry.name)) gone.push(path);
    for (const each of gone) await rm(each, { recursive: true, force: true });
  }
}
