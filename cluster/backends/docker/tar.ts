/** Archives for the engine: what it builds, imports, or puts into a container. */
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { type Pack, pack } from 'tar-stream';

export type TarEntry = { readonly name: string; readonly mode?: number } & (
  | { readonly kind: 'text'; readonly text: string }
  /** A copy of the file at this path. */
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'folder' }
  | { readonly kind: 'link'; readonly to: string }
);

/** Everything belongs to root and is of no particular time, so that equal content is equal. */
export function tarStream(entries: Iterable<TarEntry>): Readable {
  const tar = pack();
  const fill = async (): Promise<void> => {
    for (const entry of entries) await addEntry(tar, entry);
    tar.finalize();
  };
  fill().catch((error: unknown) => {
    tar.destroy(error instanceof Error ? error : new Error(String(error)));
  });
  return Readable.from(tar);
}

async function addEntry(tar: Pack, entry: TarEntry): Promise<void> {
  const header = { name: entry.name, mtime: new Date(0), uid: 0, gid: 0 };
  const { kind, mode } = entry;
  const bytes =
    kind === 'file' ? await readFile(entry.path) : kind === 'text' ? Buffer.from(entry.text) : '';
  await new Promise<void>((resolve, reject) => {
    const added = (error?: Error | null): void => {
      if (error) reject(error);
      else resolve();
    };
    if (kind === 'folder') tar.entry({ ...header, type: 'directory', mode: mode ?? 0o755 }, added);
    else if (kind === 'link') tar.entry({ ...header, type: 'symlink', linkname: entry.to }, added);
    else tar.entry({ ...header, size: bytes.length, mode: mode ?? 0o644 }, bytes, added);
  });
}
