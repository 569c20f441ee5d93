/** A run as one `.zip`, to be kept elsewhere, attached, and read wherever a run is. */
import { createWriteStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openPromise } from 'yauzl';
import { ZipFile } from 'yazl';
import { HarnessError, messageOf } from '../core/errors.ts';
import { filesOf, type StoredFile } from './files.ts';
import { MARKS } from './marks.ts';

export interface Packed {
  readonly files: number;
  /** Of the files, before they were compressed. */
  readonly bytes: number;
  /** What nodes stored, and so was left out unless asked for. */
  readonly leftOut: number;
}

/** What goes into an archive under `name`: a file of ours, or a text. */
export type PackedFile = { readonly name: string } & (
  | { readonly path: string }
  | { readonly text: string }
);

/**
 * Writes the run's files below one folder of its name into `path`, which appears only when it is
 * whole. The same run gives the same bytes, whoever packs it, and when.
 */
export async function packRun(
  dir: string,
  path: string,
  options: { readonly nodeData?: boolean } = {},
): Promise<Packed> {
  const { kept, leftOut } = await filesOfRun(dir, options);
  await packFiles(
    kept.map(({ name, path: from }) => ({ name: `${basename(dir)}/${name}`, path: from })),
    path,
  );
  return { files: kept.length, bytes: kept.reduce((sum, { bytes }) => sum + bytes, 0), leftOut };
}

/** What of a run is taken elsewhere, and how many files of what its nodes stored are not. */
export async function filesOfRun(
  dir: string,
  { nodeData }: { readonly nodeData?: boolean } = {},
): Promise<{ readonly kept: readonly StoredFile[]; readonly leftOut: number }> {
  const files = (await filesOf(dir)).filter(({ name }) => !MARKS.includes(name));
  const isData = ({ name }: StoredFile): boolean =>
    /^tests\/[^/]+\/nodes\/[^/]+\/data\//.test(name);
  const kept = files.filter((file) => nodeData === true || !isData(file));
  return { kept, leftOut: files.length - kept.length };
}

/** Writes an archive, which appears only when it is whole. Throws `store-failed`. */
export async function packFiles(files: readonly PackedFile[], path: string): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    const zip = new ZipFile();
    for (const file of files) {
      const { name } = file;
      const options = {
        mtime: new Date(EPOCH_MS),
        mode: 0o100644,
        compress: !name.endsWith('.gz'),
      };
      if ('path' in file) zip.addFile(file.path, name, options);
      else zip.addBuffer(Buffer.from(file.text), name, options);
    }
    zip.end();
    const failed = new Promise<never>((_, reject) => zip.on('error', reject));
    await Promise.race([failed, pipeline(zip.outputStream, createWriteStream(temporary))]);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw new HarnessError('store-failed', `cannot write ${path}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** The earliest that the format can say; when a run was is in its name. */
const EPOCH_MS = Date.UTC(1980, 0, 1);

/** By its first bytes, whatever its name. False for what cannot be read. */
export async function isArchive(path: string): Promise<boolean> {
  try {
    await using file = await open(path, 'r');
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return bytesRead === 4 && buffer.equals(Buffer.from('PK\u0003\u0004', 'latin1'));
  } catch {
    return false;
  }
}

/** Far above what a run makes; below what fills a disk by surprise. */
const BYTES_MAX = 8 * 2 ** 30;
const FILES_MAX = 50_000;

/** Unpacks a run as `unpack` does, and returns its folder in there. Throws `bad-input`. */
export async function unpackRun(archive: string, into: string): Promise<string> {
  await unpack(archive, into);
  const found = await folderWithRun(into);
  if (found === undefined)
    throw new HarnessError('bad-input', `${archive}: there is no run in it (no run.json)`);
  return found;
}

/**
 * Unpacks an archive into a folder that is there and empty. Nothing is written outside of it,
 * whatever the archive says. Throws `bad-input`.
 */
export async function unpack(archive: string, into: string): Promise<void> {
  try {
    const zip = await openPromise(archive, { strictFileNames: true });
    let [bytes, files] = [0, 0];
    // Names that lead out of the folder, and sizes that lie, are refused by the reader.
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName.endsWith('/')) continue;
      bytes += entry.uncompressedSize;
      if (++files > FILES_MAX || bytes > BYTES_MAX) throw new Error('it is too big for a run');
      const to = join(into, entry.fileName);
      await mkdir(dirname(to), { recursive: true });
      // A second entry of the same name does not replace the first.
      await pipeline(
        await zip.openReadStreamPromise(entry),
        createWriteStream(to, { flags: 'wx' }),
      );
    }
  } catch (error) {
    throw new HarnessError('bad-input', `${archive}: cannot unpack it: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** The folder itself, or the one below it that holds a run. */
async function folderWithRun(dir: string): Promise<string | undefined> {
  const entries = await readdir(dir, { withFileTypes: true });
  if (entries.some(({ name }) => name === 'run.json')) return dir;
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(dir, name));
  for (const folder of folders) if ((await readdir(folder)).includes('run.json')) return folder;
  return undefined;
}
