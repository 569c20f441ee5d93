import { lstat, readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

/** A file in a run's folder. */
export interface StoredFile {
  /** Below the folder, with `/` on every platform. */
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
}

/** All plain files of a folder in the order of their names; links are not followed. */
export async function filesOf(dir: string): Promise<readonly StoredFile[]> {
  const entries = await readdir(dir, { withFileTypes: true, recursive: true });
  const found = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry): Promise<readonly StoredFile[]> => {
        const path = join(entry.parentPath, entry.name);
        // It may go while we look.
        const size = await lstat(path).catch(() => undefined);
        if (size === undefined) return [];
        return [{ name: relative(dir, path).replaceAll(sep, '/'), path, bytes: size.size }];
      }),
  );
  return found.flat().toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

export async function bytesOf(dir: string): Promise<number> {
  const files = await filesOf(dir);
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}
