import { existsSync } from 'node:fs';
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SuiteResult } from '../../harness/protocols/suite.ts';
import { packFiles } from '../../harness/store/archive.ts';
import { writeBlob } from './blob.ts';
import { bringHome, type OpenedPart, openParts } from './open-parts.ts';
import { madeSuite, madeTest } from './testing.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'schism-parts-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

const RUN = '20260101T000000Z-1111';
const SUITE = '20260101T000000Z-s0001';

/** A suite with one run, as it lies where runs are kept. */
async function stored(root: string, result = madeSuite([madeTest('a', '1111')])): Promise<string> {
  const run = join(root, 'runs', RUN);
  const suite = join(root, 'suites', SUITE);
  await mkdir(join(run, 'tests', 'register', 'nodes', 'n1', 'data'), { recursive: true });
  await mkdir(suite, { recursive: true });
  await writeFile(join(run, 'run.json'), '{"schism":1,"run":"1111"}');
  await writeFile(join(run, 'verdict.json'), '{"verdict":"pass","exitCode":0}');
  await writeFile(join(run, 'pinned'), '');
  await writeFile(join(run, 'tests', 'register', 'nodes', 'n1', 'data', 'db'), 'what it stored');
  await writeFile(join(suite, 'suite.json'), JSON.stringify(result));
  return suite;
}

async function blobOf(root: string): Promise<string> {
  const suite = await stored(root);
  const path = join(suite, 'blob.zip');
  await writeBlob(suite, madeSuite([madeTest('a', '1111')]), path);
  return path;
}

async function opened(path: string): Promise<OpenedPart> {
  await using parts = await openParts([path]);
  const [part] = parts.parts;
  if (part === undefined) throw new Error('there should be a part');
  return part;
}

test('a blob holds the suite and its runs, without what nodes stored and without marks', async () => {
  const blob = await blobOf(join(dir, 'one'));
  await using parts = await openParts([blob]);
  const [part] = parts.parts;
  expect(part?.result.tests[0]?.test.id).toBe('a');
  const root = part?.root ?? '';
  expect((await readdir(join(root, 'runs', RUN))).toSorted()).toEqual(['run.json', 'verdict.json']);
});

test('a blob that cannot be read is called as it was given', async () => {
  const path = join(dir, 'bad.zip');
  await packFiles([{ name: `suites/${SUITE}/suite.json`, text: '{}' }], path);
  await expect(openParts([path])).rejects.toThrow(
    `merge: the suite in ${path}: not a suite of this version of schism`,
  );
});

test('a run that is a link is refused', async () => {
  const root = join(dir, 'one');
  await stored(root);
  await rename(join(root, 'runs', RUN), join(dir, 'elsewhere'));
  await symlink(join(dir, 'elsewhere'), join(root, 'runs', RUN));
  await using parts = await openParts([root]);
  const [part] = parts.parts;
  await expect(bringHome(part as OpenedPart, join(dir, 'home'))).rejects.toThrow('is a link');
});

test('what was unpacked is gone afterwards', async () => {
  const { root } = await opened(await blobOf(join(dir, 'one')));
  expect(existsSync(root)).toBe(false);
});

test('a folder is searched for blobs, and other archives there are left alone', async () => {
  await blobOf(join(dir, 'artifacts', 'one'));
  await packFiles([{ name: 'notes.txt', text: 'hello' }], join(dir, 'artifacts', 'other.zip'));
  await rm(join(dir, 'artifacts', 'one', 'suites', SUITE, 'suite.json'));
  await rm(join(dir, 'artifacts', 'one', 'runs'), { recursive: true });
  await using parts = await openParts([join(dir, 'artifacts')]);
  expect(parts.parts.map(({ source }) => source)).toEqual([
    join(dir, 'artifacts', 'one', 'suites', SUITE, 'blob.zip'),
  ]);
});

test("a suite's own folder is a part, and where runs are kept is, if it has one suite", async () => {
  const suite = await stored(join(dir, 'kept'));
  expect((await opened(suite)).root).toBe(join(dir, 'kept'));
  expect((await opened(join(dir, 'kept'))).result.manifest.suite).toBe('s0001');
  await mkdir(join(dir, 'kept', 'suites', '20260101T000001Z-s0002'));
  await expect(openParts([join(dir, 'kept')])).rejects.toThrow('holds several suites');
});

test.each<[string, (path: string) => Promise<void>, string]>([
  ['nothing', () => Promise.resolve(), 'there is no'],
  ['a text', (path) => writeFile(path, 'hello'), 'is no blob: it is not an archive'],
  [
    'an archive without a suite',
    (path) => packFiles([{ name: 'a.txt', text: 'a' }], path),
    'is no blob: there is no suite in it',
  ],
  [
    'a suite of another form',
    (path) =>
      packFiles([{ name: `suites/${SUITE}/suite.json`, text: '{"manifest":{"schism":1}}' }], path),
    'not a suite of this version',
  ],
  ['an empty folder', (path) => mkdir(path).then(() => undefined), 'there is no blob below'],
])('%s is refused in one line', async (_, make, message) => {
  const path = join(dir, 'part.zip');
  await make(path);
  await expect(openParts([path])).rejects.toThrow(message);
});

test('runs come home, and the suite points at them there', async () => {
  await using parts = await openParts([await blobOf(join(dir, 'one'))]);
  const [part] = parts.parts as [OpenedPart];
  const root = join(dir, 'home');
  const result = await bringHome(part, root);
  expect(result.tests[0]?.runs[0]?.dir).toBe(`../../runs/${RUN}`);
  expect(await readFile(join(root, 'runs', RUN, 'run.json'), 'utf8')).toContain('1111');
  expect(await readFile(join(root, 'runs', 'index.jsonl'), 'utf8')).toContain('"verdict":"pass"');
  // Once more: it is there already.
  await expect(bringHome(part, root)).resolves.toEqual(result);
});

test('a run is never put over another one', async () => {
  await using parts = await openParts([await blobOf(join(dir, 'one'))]);
  const [part] = parts.parts as [OpenedPart];
  const there = join(dir, 'home', 'runs', RUN);
  await mkdir(there, { recursive: true });
  await writeFile(join(there, 'run.json'), 'another');
  await expect(bringHome(part, join(dir, 'home'))).rejects.toThrow('is another run');
  expect(await readFile(join(there, 'run.json'), 'utf8')).toBe('another');
});

test.each(['../../../etc', '..', '/etc/passwd', ''])(
  'a suite that names %o for a run is refused',
  async (hostile) => {
    const suite = madeSuite([madeTest('a', '1111')]);
    const tests = suite.tests.map((one) => ({
      ...one,
      runs: one.runs.map((run) => ({ ...run, dir: hostile })),
    }));
    const part = { source: 'x.zip', root: dir, result: { ...suite, tests } };
    await expect(bringHome(part, join(dir, 'home'))).rejects.toThrow('is no folder of a run');
  },
);

test('a path that leads elsewhere is read as the folder of that name at home', async () => {
  const outside = join(dir, 'outside', RUN);
  await mkdir(outside, { recursive: true });
  await writeFile(join(outside, 'run.json'), 'secret');
  const part: OpenedPart = { source: 'x', root: join(dir, 'part'), result: naming(outside) };
  const { tests } = await bringHome(part, join(dir, 'home'));
  expect(tests[0]?.runs[0]?.dir).toBe(`../../runs/${RUN}`);
  expect(existsSync(join(dir, 'home', 'runs', RUN))).toBe(false);
});

test('links in a folder are not followed, and not copied', async () => {
  const suite = await stored(join(dir, 'kept'));
  await writeFile(join(dir, 'secret'), 'secret');
  await symlink(join(dir, 'secret'), join(dir, 'kept', 'runs', RUN, 'report.html'));
  const part = await opened(suite);
  await bringHome(part, join(dir, 'home'));
  const copied = await readdir(join(dir, 'home', 'runs', RUN));
  expect(copied.toSorted()).toEqual(['run.json', 'tests', 'verdict.json']);
});

function naming(path: string): SuiteResult {
  const suite = madeSuite([madeTest('a', '1111')]);
  const tests = suite.tests.map((one) => ({
    ...one,
    runs: one.runs.map((run) => ({ ...run, dir: path })),
  }));
  return { ...suite, tests };
}
