import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Random, seedFrom } from '../../harness/core/prng.ts';
import { Corpus } from './corpus.ts';
import { corpusWriter, readCorpus } from './corpus-file.ts';
import { drawn, plans } from './draw-plan.ts';
import type { Plan } from './plan.ts';
import { simulatedSpace } from './testing.ts';

let dir = '';
let plan: Plan;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'schism-corpus-'));
  plan = drawn(plans(await simulatedSpace()), Random.stream(seedFrom(1), 'corpus'));
});
afterAll(async () => {
  await rm(dir, { recursive: true });
});

async function read(file: unknown): Promise<Corpus> {
  const path = join(dir, 'corpus.json');
  await writeFile(path, JSON.stringify(file));
  return readCorpus(path);
}

describe('the file of a corpus', () => {
  test('says again what was learnt', async () => {
    const random = Random.stream(seedFrom(2), 'corpus');
    const all = plans(await simulatedSpace());
    const corpus = new Corpus();
    for (let at = 0; at < 100; at++) corpus.add(drawn(all, random), [`state ${at}`]);
    const path = join(dir, 'deeper', 'corpus.json');
    await corpusWriter(path)(corpus);
    expect((await readCorpus(path)).file()).toEqual(corpus.file());
  });

  test('is left alone where it is none', async () => {
    const base = { schism: 1, explore: 1, runs: 3, hits: {}, plans: [] };
    expect((await read(base)).runs).toBe(3);
    const wrong = [[], null, { ...base, hits: null }, { ...base, hits: { a: 'b' } }];
    for (const file of [...wrong, { ...base, explore: 2 }, { ...base, runs: 'many' }])
      expect((await read(file)).file()).toEqual(new Corpus().file());
    expect((await readCorpus(join(dir, 'nowhere'))).runs).toBe(0);
  });

  test('gives no plan that nobody here could have drawn', async () => {
    const kept = { plan, features: ['a'] };
    const others = [
      { ...plan, systemOptions: { binary: '/bin/echo' } },
      { ...plan, workloadOptions: { target: 'elsewhere' } },
      { ...plan, nodes: '3' },
      { ...plan, steps: [{ at: 1, for: 1, fault: 'kill' }] },
    ].map((each) => ({ ...kept, plan: each }));
    const plansThere = [kept, ...others, { plan }, 7];
    const corpus = await read({
      schism: 1,
      explore: 1,
      runs: 9,
      hits: { a: 1 },
      plans: plansThere,
    });
    expect(corpus.file().plans).toEqual([kept]);
    expect(corpus.runs).toBe(9);
  });
});
