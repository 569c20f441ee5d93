/** Where what was learnt lies until the next night. */
import { mkdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { writeWhole } from '../../harness/store/store.ts';
import { closed, count, text } from '../config/schema-parts.ts';
import { Corpus, type CorpusFile, FEATURES_MAX, FORMAT, PLANS_MAX } from './corpus.ts';
import { hasDrawnOptions } from './draw-plan.ts';
import type { Space } from './space.ts';

/** One of the largest has some megabytes. */
const BYTES_MAX = 64 * 1024 * 1024;
const INT_MAX = Number.MAX_SAFE_INTEGER;

const times = z.number().min(0).max(1e6);
const options = z.record(z.string(), z.string());
const PLAN = closed({
  seed: count(0, 2 ** 32 - 1),
  nodes: count(1, 1000),
  workload: text,
  clientsPerNode: count(1, 10_000),
  rate: z.number().min(0),
  clientTimeoutMs: z.number().positive(),
  workloadOptions: options,
  systemOptions: options,
  length: times,
  steps: z.array(
    closed({ at: times, for: times, fault: text, options: z.record(z.string(), z.json()) }),
  ),
});
const KEPT = closed({ plan: PLAN, features: z.array(z.string()) });
const FILE = z.object({
  schism: z.literal(1),
  explore: z.literal(FORMAT),
  runs: count(0, INT_MAX),
  hits: z.record(z.string(), count(0, INT_MAX)),
  plans: z.array(z.unknown()),
});

export function corpusPath(output: string, { system, backend }: Space): string {
  return join(output, 'explore', `${system.name}-${backend}`, 'corpus.json');
}

/** Empty where there is none, or one of another version: it is a help, and nothing rests on it. */
export async function readCorpus(path: string): Promise<Corpus> {
  try {
    if ((await stat(path)).size > BYTES_MAX) return new Corpus();
    return new Corpus(corpusIn(JSON.parse(await readFile(path, 'utf8'))));
  } catch {
    return new Corpus();
  }
}

/**
 * It may have been anywhere between two nights: a plan that nobody here could have drawn, such as one
 * that names a program, is left out. Undefined for anything but a corpus.
 */
function corpusIn(value: unknown): CorpusFile | undefined {
  const file = FILE.safeParse(value);
  if (!file.success) return undefined;
  const plans = file.data.plans.slice(0, PLANS_MAX * 2).flatMap((each) => {
    const kept = KEPT.safeParse(each);
    return kept.success && hasDrawnOptions(kept.data.plan) ? [kept.data] : [];
  });
  const hits = Object.fromEntries(Object.entries(file.data.hits).slice(0, FEATURES_MAX));
  return { ...file.data, hits, plans };
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
