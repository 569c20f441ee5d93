import { basename, join } from 'node:path';

/** Where things lie below the root (`.schism` by default). */
export function runsDir(root: string): string {
  return join(root, 'runs');
}

/** `20261121T014712Z-7f3a`: sorts by time, and ends in the id. */
export function runFolderName(id: string, startedAtMs: number): string {
  const stamp = new Date(startedAtMs).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  return `${stamp}-${id}`;
}

/** The id in a run folder's name; undefined for any other folder. */
export function idOfFolder(path: string): string | undefined {
  return /^\d{8}T\d{6}Z-([0-9a-f]{4,16})$/.exec(basename(path))?.[1];
}

/** When the run of this folder began, in milliseconds since 1970; NaN for any other folder. */
export function startOfFolder(path: string): number {
  const [, date = '', time = ''] = /^(\d{8})T(\d{6})Z-/.exec(basename(path)) ?? [];
  const [day, clock] = [date.replace(/(....)(..)/, '$1-$2-'), time.replace(/(..)(..)/, '$1:$2:')];
  return Date.parse(`${day}T${clock}Z`);
}

export function testDir(runDir: string, test: string): string {
  // Names of tests may hold slashes; files may not.
  return join(runDir, 'tests', test.replaceAll(/[^A-Za-z0-9._-]+/g, '_'));
}

/** The plain history while a run records; `.gz` follows when it is over. */
export function historyFile(dir: string): string {
  return join(dir, 'history.jsonl');
}
