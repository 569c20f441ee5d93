import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { encodeOp, HEADER } from './codec.ts';
import type { History } from './history.ts';
import { compressHistory, readHistory } from './jsonl.ts';
import { parseHistory, printHistory } from './notation.ts';

let root = '';
let dir = '';
let path = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'schism-jsonl-'));
});
afterAll(async () => {
  await rm(root, { recursive: true });
});
beforeEach(async () => {
  dir = await mkdtemp(join(root, 'case-'));
  path = join(dir, 'history.jsonl');
});

const small = parseHistory(`
  0 invoke write x 1 @n1; 1 invoke read "a\\nb" mode=serializable
  0 ok write x 1 rev=7 mod=7 ver=1 term=2 member=88 cluster=99
  1 info err=request-timed-out?"after 1 s ✂"
  nemesis invoke partition - {"stage":"begin"} lane=partition id=f1
`);

function textOf(history: History): string {
  return `${[HEADER, ...[...history.ops()].map(encodeOp)].join('\n')}\n`;
}

function lines(history: History): string[] {
  return textOf(history).trimEnd().split('\n');
}

/** Many entries: enough for several members of the compressed file. */
function large(entries: number): History {
  const pad = 'x'.repeat(900);
  return parseHistory(
    Array.from({ length: entries / 2 }, (_, n) => `0 invoke write k ${pad}${n}; 0 ok`).join('\n'),
  );
}

describe('reading', () => {
  test('what was written comes back', async () => {
    await writeFile(path, textOf(small));
    const { history, torn } = await readHistory(path);
    expect(torn).toBe(false);
    expect([...history.ops()]).toEqual([...small.ops()]);
  });

  test('the bytes of a line are these', () => {
    const [header, write, read, ok, info, cut] = lines(small);
    expect(header).toBe('{"schism":1,"unit":"ns","clock":"monotonic"}');
    expect(write).toBe(
      '{"i":0,"t":0,"p":0,"e":"invoke","f":"write","k":"x","v":1,"n":"n1","ph":"main"}',
    );
    expect(read?.slice(19)).toBe(
      '"p":1,"e":"invoke","f":"read","k":"a\\nb","v":null,"mode":"serializable","ph":"main"}',
    );
    expect(ok?.slice(-81)).toBe(
      ',"ph":"main","s":{"rev":7,"mod":7,"ver":1,"term":2,"member":"88","cluster":"99"}}',
    );
    expect(info?.slice(-89)).toBe(
      ',"ph":"main","err":{"code":"request-timed-out","definite":false,"message":"after 1 s ✂"}}',
    );
    expect(cut?.slice(-64)).toBe(
      ',"v":{"stage":"begin"},"id":"f1","ph":"main","lane":"partition"}',
    );
  });

  test('a torn last line is dropped, at whatever byte it was torn', async () => {
    const text = Buffer.from(textOf(small));
    const last = text.lastIndexOf('\n', text.length - 2) + 1;
    for (let end = last + 1; end < text.length - 1; end++) {
      await writeFile(path, text.subarray(0, end));
      const { history, torn } = await readHistory(path);
      expect([history.length, torn]).toEqual([4, true]);
    }
  });

  test('a last line that only lacks its end is whole', async () => {
    await writeFile(path, textOf(small).trimEnd());
    const { history, torn } = await readHistory(path);
    expect([history.length, torn]).toEqual([5, false]);
  });

  test('a header alone is an empty history', async () => {
    await writeFile(path, `${HEADER}\n`);
    expect((await readHistory(path)).history.length).toBe(0);
  });
});

describe('what is refused, with file, line and reason', () => {
  const cases: readonly (readonly [string, (good: string[]) => string[], RegExp])[] = [
    ['nothing at all', () => [], /:1: there is no header line/],
    ['no header', (good) => good.slice(1), /:1: the first line is not the header/],
    ['another version', (good) => ['{"schism":2}', ...good.slice(1)], /:1: .*version 2 .*only 1/],
    ['another clock', (good) => good.with(0, HEADER.replace('mono', 'a')), /:1: .*clock "atonic"/],
    ['no JSON', (good) => good.with(2, '{"i":'), /:3: the line is not JSON/],
    ['an empty line', (good) => good.with(2, ''), /:3: the line is not JSON/],
    ['no object', (good) => good.with(2, '[]'), /:3: the line is not a JSON object/],
    ['a missing field', (good) => good.with(1, '{"i":0}'), /:2: "t" \(time\) is missing/],
    [
      'a wrong type',
      (good) => edit(good, 1, '"invoke"', '"begin"'),
      /:2: "e" is "begin", but must/,
    ],
    ['a wrong process', (good) => edit(good, 1, '"p":0', '"p":-1'), /:2: "p" is -1, but must/],
    ['a rounded time', (good) => edit(good, 1, '"t":0', '"t":9007199254740993'), /:2: "t" is /],
    [
      'an unknown field',
      (good) => edit(good, 1, '"t":0', '"t":0,"zz":1'),
      /"zz" is 1, but no such/,
    ],
    [
      'a broken error',
      (good) => edit(good, 4, '"definite":false', '"definite":0'),
      /:5: "err" is /,
    ],
    ['a broken stamp', (good) => edit(good, 3, '"rev":7', '"rev":"7"'), /:4: "s" .*its "rev" must/],
    ['a lost entry', (good) => good.toSpliced(2, 1), /:3: entry 2 stands where 1 should/],
    ['time going back', (good) => edit(good, 3, '2000000', '0'), /:4: time 0 lies before/],
    ['another f', (good) => edit(good, 3, '"write"', '"read"'), /completes read, but write is/],
    [
      'no invocation',
      (good) => edit(good, 3, '"p":0', '"p":7'),
      /process 7 completes write, which/,
    ],
    [
      'two at a time',
      (good) => edit(good, 2, '"p":1', '"p":0'),
      /process 0 invokes read while its/,
    ],
    ['life after info', (good) => [...good, entry(5, 1)], /process 1 goes on after info/],
    ['ok of a fault', (good) => [...good, fault('ok')], /a fault completes with info, not ok/],
  ];
  test.each(cases)('%s', async (_name, damage, message) => {
    await writeFile(
      path,
      damage(lines(small))
        .map((line) => `${line}\n`)
        .join(''),
    );
    await expect(readHistory(path)).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringMatching(message) as unknown,
    });
  });

  test('a line without end', async () => {
    await writeFile(path, `${HEADER}\n{"i":"${'x'.repeat(5_000_000)}`);
    await expect(readHistory(path)).rejects.toThrow(/history.jsonl:2: the line is longer than/);
  });

  test('bytes that are not UTF-8', async () => {
    await writeFile(path, Buffer.concat([Buffer.from(`${HEADER}\n`), Buffer.from([0xff, 0x0a])]));
    await expect(readHistory(path)).rejects.toThrow(/history.jsonl:1: .*not UTF-8/);
  });

  test('a file that is not there', async () => {
    await expect(readHistory(path)).rejects.toThrow(/there is no such history/);
  });
});

describe('compressed', () => {
  test('it replaces the plain file, and reads the same', async () => {
    await writeFile(path, textOf(small));
    expect(await compressHistory(path)).toBe(`${path}.gz`);
    expect((await readdir(dir)).toSorted()).toEqual(['history.idx', 'history.jsonl.gz']);
    const { history, torn } = await readHistory(`${path}.gz`);
    expect(torn).toBe(false);
    expect(printHistory(history)).toBe(printHistory(small));
  });

  test('the index says where members begin', async () => {
    const history = large(12_000);
    await writeFile(path, textOf(history));
    await compressHistory(path);
    const starts = (await readFile(join(dir, 'history.idx'), 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { offset: number; i: number; t: number });
    expect(starts.length).toBeGreaterThan(2);
    const bytes = await readFile(`${path}.gz`);
    for (const { offset, i, t } of starts) {
      expect([...bytes.subarray(offset, offset + 2)]).toEqual([0x1f, 0x8b]);
      expect(history.time(i)).toBe(t);
    }
  });

  test('a file that was cut yields what came before, wherever it was cut', async () => {
    await writeFile(path, textOf(large(12_000)));
    await compressHistory(path);
    const bytes = await readFile(`${path}.gz`);
    const [, second] = (await readFile(join(dir, 'history.idx'), 'utf8')).split('\n');
    const { offset, i } = JSON.parse(second ?? '') as { offset: number; i: number };
    for (const end of [offset, offset + 5, offset + 2000, bytes.length - 1]) {
      await writeFile(`${path}.gz`, bytes.subarray(0, end));
      const { history, torn } = await readHistory(`${path}.gz`);
      expect(torn).toBe(true);
      expect(history.length).toBeGreaterThanOrEqual(i);
    }
  });

  test('damage in the middle is refused', async () => {
    await writeFile(path, textOf(large(12_000)));
    await compressHistory(path);
    const bytes = await readFile(`${path}.gz`);
    const [, second] = (await readFile(join(dir, 'history.idx'), 'utf8')).split('\n');
    const { offset } = JSON.parse(second ?? '') as { offset: number };
    for (const at of [offset, offset + 100]) {
      const damaged = Buffer.from(bytes);
      damaged.fill(0x55, at, at + 8);
      await writeFile(`${path}.gz`, damaged);
      await expect(readHistory(`${path}.gz`)).rejects.toMatchObject({ code: 'bad-input' });
    }
  });

  test('files of one member, as gzip makes them, read too', async () => {
    await writeFile(`${path}.gz`, gzipSync(textOf(small)));
    expect((await readHistory(`${path}.gz`)).history.length).toBe(5);
  });

  test('an empty file is cut short before its header', async () => {
    await writeFile(`${path}.gz`, gzipSync(textOf(small)));
    await truncate(`${path}.gz`, 0);
    await expect(readHistory(`${path}.gz`)).rejects.toThrow(/there is no header line/);
  });

  test('what cannot be compressed stays as it is', async () => {
    const text = textOf(large(12_000)).replaceAll('{"i":', '{"j":');
    await writeFile(path, text);
    await expect(compressHistory(path)).rejects.toThrow(/no entry begins with '{"j":/);
    expect(await readdir(dir)).toEqual(['history.jsonl']);
    expect(await readFile(path, 'utf8')).toBe(text);
    await expect(compressHistory(join(dir, 'missing.jsonl'))).rejects.toMatchObject({
      code: 'store-failed',
    });
  });
});

function edit(good: readonly string[], at: number, from: string, to: string): string[] {
  const line = good[at] ?? '';
  expect(line).toContain(from);
  return good.with(at, line.replace(from, to));
}

function entry(index: number, process: number): string {
  return `{"i":${index},"t":9000000,"p":${process},"e":"invoke","f":"read","v":null,"ph":"main"}`;
}

function fault(type: string): string {
  return `{"i":5,"t":9000000,"p":"nemesis","e":"${type}","f":"partition","v":null,"ph":"main","lane":"partition"}`;
}
