import { createWriteStream, existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ZipFile } from 'yazl';
import { isArchive, packRun } from './archive.ts';
import { openRun } from './run-ref.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'schism-archive-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true });
});

const NAME = '20261121T014712Z-7f3a';

async function aRun(): Promise<string> {
  const run = join(dir, 'runs', NAME);
  const data = join(run, 'tests/register/nodes/n1/data/member');
  await mkdir(data, { recursive: true });
  const files = {
    'run.json': '{"schism":1}',
    'tests/register/history.jsonl.gz': 'x'.repeat(5000),
    'tests/register/nodes/n1/n1.log': 'ready\n',
    'tests/register/nodes/n1/data/member/wal': 'secret bytes',
    pinned: '',
    writing: '1',
    empty: '',
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(run, name), text);
  await symlink('/etc/passwd', join(run, 'link'));
  return run;
}

describe('an archive of a run', () => {
  test('holds its files, but not what nodes stored, marks of this store, or links', async () => {
    const zip = join(dir, 'deep', 'run.zip');
    expect(await packRun(await aRun(), zip)).toEqual({ files: 4, bytes: 5018, leftOut: 1 });
    expect(await readdir(join(dir, 'deep'))).toEqual(['run.zip']);
    await using opened = await openRun(join(dir, 'nowhere'), zip);
    expect(opened.archive).toBe(zip);
    const files = await readdir(opened.dir, { recursive: true, withFileTypes: true });
    expect(
      files
        .filter((file) => file.isFile())
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(['empty', 'history.jsonl.gz', 'n1.log', 'run.json']);
    const history = await readFile(join(opened.dir, 'tests/register/history.jsonl.gz'), 'utf8');
    expect(history).toBe('x'.repeat(5000));
  });

  test('holds what nodes stored when that is asked for', async () => {
    const packed = await packRun(await aRun(), join(dir, 'all.zip'), { nodeData: true });
    expect(packed).toMatchObject({ files: 5, leftOut: 0 });
  });

  test('is the same, byte for byte, however often it is made', async () => {
    const run = await aRun();
    await packRun(run, join(dir, 'a.zip'));
    await writeFile(join(run, 'run.json'), '{"schism":1}');
    await packRun(run, join(dir, 'b.zip'));
    const [a, b] = [await readFile(join(dir, 'a.zip')), await readFile(join(dir, 'b.zip'))];
    expect(a.equals(b)).toBe(true);
  });

  test('is gone from the temporary folder when it was read', async () => {
    await packRun(await aRun(), join(dir, 'a.zip'));
    const opened = await openRun(dir, join(dir, 'a.zip'));
    await opened[Symbol.asyncDispose]();
    await expect(readdir(opened.dir)).rejects.toThrow('ENOENT');
  });

  test('that cannot be written is said so, and leaves nothing', async () => {
    const run = await aRun();
    await writeFile(join(dir, 'file'), '');
    await expect(packRun(run, join(dir, 'file', 'a.zip'))).rejects.toMatchObject({
      code: 'store-failed',
    });
    expect((await readdir(dir)).toSorted()).toEqual(['file', 'runs']);
  });
});

async function zipOf(entries: readonly (readonly [string, string])[]): Promise<string> {
  const zip = new ZipFile();
  for (const [name, text] of entries) zip.addBuffer(Buffer.from(text), name);
  zip.end();
  const path = join(dir, 'made.zip');
  await pipeline(zip.outputStream, createWriteStream(path));
  return path;
}

describe('an archive from elsewhere', () => {
  test('may hold the files themselves instead of a folder', async () => {
    await using opened = await openRun(dir, await zipOf([['run.json', '{}']]));
    expect(await readdir(opened.dir)).toEqual(['run.json']);
  });

  test('without a run, cut short, or damaged is refused in one line', async () => {
    const none = await zipOf([['readme.txt', 'hello']]);
    await expect(openRun(dir, none)).rejects.toMatchObject({
      code: 'bad-input',
      message: `${none}: there is no run in it (no run.json)`,
    });
    const whole = await readFile(await zipOf([['x/run.json', '{"a":1}'.repeat(100)]]));
    const damaged = Buffer.from(whole);
    damaged.fill(0, 45, 60);
    for (const bytes of [whole.subarray(0, -30), damaged]) {
      const path = join(dir, 'bad.zip');
      await writeFile(path, bytes);
      await expect(openRun(dir, path)).rejects.toMatchObject({
        code: 'bad-input',
        message: expect.stringMatching(/bad\.zip: cannot unpack it: /) as string,
      });
    }
  });

  test.each(['../evil.txt', '/evil.txt', 'a/../../evil.txt', String.raw`..\evil.txt`])(
    'cannot write to %s',
    async (name) => {
      // The name is put in place of one of the same length, as no honest writer takes it.
      const path = await zipOf([
        ['run.json', '{}'],
        ['x'.repeat(name.length), 'evil'],
      ]);
      const text = (await readFile(path)).toString('latin1');
      const bytes = Buffer.from(text.replaceAll('x'.repeat(name.length), name), 'latin1');
      await writeFile(path, bytes);
      await expect(openRun(dir, path)).rejects.toThrow(
        /cannot unpack it: (invalid relative path|absolute path|invalid characters)/,
      );
      expect(existsSync(join(tmpdir(), 'evil.txt'))).toBe(false);
    },
  );

  test('cannot replace a file that it brought itself', async () => {
    const path = await zipOf([
      ['run.json', '{}'],
      ['run.json', '{"other":1}'],
    ]);
    await expect(openRun(dir, path)).rejects.toThrow(/EEXIST/);
  });
});

test('an archive is known by its first bytes', async () => {
  await writeFile(join(dir, 'history.zip'), '{"schism":1}');
  expect(await isArchive(join(dir, 'history.zip'))).toBe(false);
  expect(await isArchive(join(dir, 'nowhere'))).toBe(false);
  expect(await isArchive(dir)).toBe(false);
});
