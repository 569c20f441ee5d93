/** Commands for stored runs as far as no run, and no process, is needed to try them. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { realClock } from '../../harness/core/clock.ts';
import { packRun } from '../../harness/store/archive.ts';
import { runFolderName } from '../../harness/store/layout.ts';
import { summaryOf } from '../../reports/summary.ts';
import {
  type FixtureRun,
  failRun,
  passRun,
  shortRun,
} from '../../reports/testing/fixture-result.ts';
import { called } from '../testing.ts';

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'schism-commands-'));
  // A run that was killed: it has no verdict, no results, and no history.
  const dir = join(root, 'runs', '20261121T014712Z-7f3a');
  await mkdir(dir, { recursive: true });
  const manifest = {
    schism: 1,
    run: '7f3a',
    config: { workload: 'register', workloadOptions: {} },
  };
  await writeFile(join(dir, 'run.json'), JSON.stringify(manifest));
  await packRun(dir, join(root, 'saved.zip'));
  await writeFile(join(root, 'broken.zip'), 'PK\u0003\u0004 and then nothing');
});
afterAll(async () => {
  await rm(root, { recursive: true });
});

function schism(words: string, store: string = root): ReturnType<typeof called> {
  const argv = words.split(' ').map((word) => word.replace('ROOT', store));
  return called([...argv, '--output', store]);
}

const MISTAKES: readonly (readonly [string, number, RegExp])[] = [
  ['runs show nope', 254, /no run 'nope' below .*; the newest are 7f3a/],
  ['runs show nope.zip', 254, /no run 'nope\.zip'/],
  ['runs show ROOT/broken.zip', 254, /broken\.zip: cannot unpack it: /],
  ['check nope.zip', 254, /no file nope\.zip/],
  ['check ROOT/broken.zip', 254, /broken\.zip: cannot unpack it: /],
  ['explain nope', 254, /no run 'nope'/],
  ['explain latest', 254, /run 7f3a did not come to its end: .*`schism check 7f3a` judges/],
  ['explain latest --format pdf', 254, /--format: 'pdf'; there are: text, md, github-issue, json/],
  ['report', 254, /run 7f3a did not come to its end/],
  ['report ROOT/saved.zip', 254, /run 7f3a did not come to its end/],
  ['replay latest', 254, /run 7f3a did not come to its end/],
  ['regression latest', 254, /run 7f3a did not come to its end/],
  ['regression --within 0', 254, /--within: 0 runs show nothing/],
  ['replay --repeat-each 0', 254, /--repeat-each: 0 runs show nothing/],
  ['replay --repeat-each x', 254, /--repeat-each: 'x' is not a whole number/],
  ['runs diff latest -1', 254, /run 7f3a did not come to its end/],
  ['serve nope', 254, /no run 'nope'/],
  ['serve --port 99999', 254, /--port: '99999' is not a whole number from 0 to 65535/],
  ['runs ls --verdict failing', 254, /--verdict: 'failing'; there are: pass, fail/],
  ['runs ls --limit -3', 254, /--limit: '-3' is not a whole number|argument missing/],
  ['runs prune --max-size 5', 254, /--max-size: '5' is not a size; write 500MB or 5GB/],
  ['runs prune --max-age 30', 254, /--max-age: '30' is not an age; write 12h or 30d/],
  ['runs prune --max-runs many', 254, /--max-runs: 'many' is not a whole number/],
  ['runs pin ROOT/saved.zip', 254, /an archive cannot be pinned/],
  ['runs pin', 254, /missing required argument 'run'/],
  ['runs export ROOT/saved.zip -o ROOT/saved.zip', 254, /is the archive itself/],
  ['runs export -o ROOT/saved.zip/x.zip', 3, /cannot write .*saved\.zip\/x\.zip/],
  ['runs shwo', 254, /unknown command 'shwo'\s+\(Did you mean show\?\)/],
];

test.each(MISTAKES)('schism %s: one clear line, and exit %i', async (words, code, said) => {
  const result = await schism(words);
  expect({ code: result.code, out: result.out }).toEqual({ code, out: '' });
  expect(result.err).toMatch(said);
  expect(result.err.trimEnd().split('\n').length).toBeLessThanOrEqual(2);
  expect(result.err).not.toContain('    at ');
});

describe('a run that crashed', () => {
  test('is listed and shown as such', async () => {
    const listed = await schism('runs ls');
    expect(listed.out).toMatch(/7f3a +✗ crashed +2026-11-21 01:47 /);
    const shown = await schism('runs show latest');
    expect(shown.out).toContain('It never came to a verdict.');
    const { out } = await schism('runs ls --json --verdict crashed');
    expect(JSON.parse(out)).toMatchObject({ runs: [{ run: '7f3a', summary: null }] });
    expect([listed.code, shown.code]).toEqual([0, 0]);
  });

  test('can be packed, and is the same in its archive', async () => {
    const { out } = await schism('runs show ROOT/saved.zip --json');
    expect(JSON.parse(out)).toMatchObject({ run: '7f3a', state: 'crashed', pinned: false });
  });
});

/** A store with runs of the last days, oldest first; the ids are those given. */
async function storeOf(
  runs: readonly (readonly [id: string, FixtureRun])[],
): Promise<{ readonly store: string } & AsyncDisposable> {
  const store = await mkdtemp(join(tmpdir(), 'schism-commands-'));
  const nowMs = realClock().wallMs();
  for (const [at, [id, { result, history }]] of runs.entries()) {
    const dir = join(store, 'runs', runFolderName(id, nowMs - (runs.length - at) * 3_600_000));
    await mkdir(dir, { recursive: true });
    await writeFile(join(dir, 'run.json'), JSON.stringify({ ...result.manifest, run: id }));
    const summary = { ...summaryOf(result, history), run: id };
    await writeFile(join(dir, 'verdict.json'), JSON.stringify(summary));
  }
  return { store, [Symbol.asyncDispose]: () => rm(store, { recursive: true }) };
}

describe('stored runs', () => {
  const RUNS = [
    ['a41e', passRun()],
    ['7f3a', failRun()],
    ['91c0', shortRun()],
  ] as const;

  test('are filtered, and listed as data for programs', async () => {
    await using box = await storeOf(RUNS);
    const list = async (args: string): Promise<string[]> => {
      const { out } = await schism(`runs ls --json${args}`, box.store);
      return (JSON.parse(out) as { runs: { run: string }[] }).runs.map(({ run }) => run);
    };
    expect(await list('')).toEqual(['91c0', '7f3a', 'a41e']);
    expect(await list(' --verdict fail,unknown')).toEqual(['7f3a']);
    expect(await list(' --workload register --system etcd')).toEqual(['7f3a', 'a41e']);
    expect(await list(' --system memory')).toEqual(['91c0']);
    expect(await list(' --limit 1')).toEqual(['91c0']);
    expect(await list(' --limit 0')).toEqual([]);
    const { out } = await schism('runs ls --verdict pass', box.store);
    expect(out).toMatch(/91c0 +✓ pass .*\n +a41e +✓ pass .*\n\n 2 of 3 runs, /);
  });

  test('are in an index that can be made anew from them', async () => {
    await using box = await storeOf(RUNS);
    const index = join(box.store, 'runs', 'index.jsonl');
    await writeFile(index, 'damaged');
    expect((await schism('runs ls --reindex', box.store)).code).toBe(0);
    const lines = (await readFile(index, 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { run: string }).run)).toEqual(
      RUNS.map(([id]) => id),
    );
  });

  test('are deleted as said before, but never a pinned one', async () => {
    await using box = await storeOf(RUNS);
    expect((await schism('runs pin 7f3a', box.store)).out).toMatch(/^pinned: .*-7f3a\n$/);
    const would = await schism('runs prune --max-runs 2 --dry-run', box.store);
    expect(would.out).toMatch(
      /^ a41e .*more than 2 runs\n would delete 1 run, .*; 2 runs would stay\n$/,
    );
    expect((await schism('runs ls', box.store)).out).toMatch(/ 3 runs, .*; \* pinned\n$/);
    const did = await schism('runs prune --max-runs 0', box.store);
    expect(did.out).toMatch(/more than 0 runs\n deleted 2 runs, .*; 1 run left\n$/);
    expect((await schism('runs prune', box.store)).out).toBe(' nothing to delete, 1 run left\n');
    expect(existsSync(join(box.store, 'latest', 'verdict.json'))).toBe(true);
    expect((await schism('runs unpin latest', box.store)).code).toBe(0);
    const last = await schism('runs prune --max-runs 0 --json', box.store);
    expect(JSON.parse(last.out)).toMatchObject({ dryRun: false, runs: [{ run: '7f3a' }] });
    expect((await schism('runs ls', box.store)).out).toBe(' 0 runs, 0\u00a0B\n');
  });

  test('that share the beginning of an id are all named', async () => {
    await using box = await storeOf([
      ['ab12', passRun()],
      ['ab34', failRun()],
    ]);
    expect(await schism('runs show ab', box.store)).toEqual({
      code: 254,
      out: '',
      err: "schism: 'ab' is the beginning of 2 runs: ab12, ab34\n",
    });
  });
});
