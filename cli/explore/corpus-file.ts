/** Where what was learnt lies until the next night. */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeWhole } from '../../harness/store/store.ts';
import { Corpus, type CorpusFile, FORMAT } from './corpus.ts';
import type { Space } from './space.ts';

export function corpusPath(output: string, { system, backend }: Space): string {
  return join(output, 'explore', `${system.name}-${backend}`, 'corpus.json');
}

/** Empty where there is none, or one of another version: it is a help, and nothing rests on it. */
export async function readCorpus(path: string): Promise<Corpus> {
  try {
    const file = JSON.parse(await readFile(path, 'utf8')) as Partial<CorpusFile>;
    const { schism, explore, hits, plans, runs } = file;
    const isOurs =
      schism === 1 &&
      explore === FORMAT &&
      typeof hits === 'object' &&
      Array.isArray(plans) &&
      typeof runs === 'number';
    return new Corpus(isOurs ? (file as CorpusFile) : undefined);
  } catch {
    return new Corpus();
  }
}

/** Writes it, one time after another; the last call answers for those before it. */
export function corpusWriter(path: string): (corpus: Corpus) => Promise<void> {
  let before: Promise<void> = Promise.resolve();
  return (corpus) => {
    before = before.catch(() => undefined).then(() => write(path, corpus));
    return before;
  };
}

async function write(path: string, corpus: Corpus): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeWhole(path, `${JSON.stringify(corpus.file())}\n`);
}
