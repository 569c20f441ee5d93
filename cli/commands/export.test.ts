/** `schism export` of history files, which need no run. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { importHistory } from '../../harness/history/formats/import.ts';
import { called } from '../testing.ts';

const OPS = [
  '{"client":0,"op":"write","key":"x","arg":5,"call":1,"ret":3}',
  '{"client":1,"op":"read","key":"x","out":5,"call":2,"ret":4}',
].join('\n');

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'schism-export-'));
  await writeFile(join(root, 'history.ops'), OPS);
});
afterAll(async () => {
  await rm(root, { recursive: true });
});

const schism = (words: readonly string[], input = ''): ReturnType<typeof called> =>
  called(['export', ...words, '--output', root], { input });

test.each(['edn', 'jsonl', 'ops'] as const)('%s can be read back', async (form) => {
  const { code, out } = await schism([join(root, 'history.ops'), '--to', form]);
  expect(code).toBe(0);
  const { history } = importHistory(out, form);
  const said = [...history.operations()].map(({ invoke, completion }) => [
    invoke.process,
    invoke.f,
    invoke.key,
    completion?.value,
  ]);
  expect(said).toEqual([
    [0, 'write', 'x', 5],
    [1, 'read', 'x', 5],
  ]);
});

test('a history comes through standard input, and goes to a compressed file', async () => {
  const file = join(root, 'trace.json.gz');
  const { code, out, err } = await schism(['-', '--to', 'perfetto', '-o', file], OPS);
  expect({ code, out }).toEqual({ code: 0, out: '' });
  expect(err).toContain('wrote ');
  const { traceEvents } = JSON.parse(gunzipSync(await readFile(file)).toString()) as {
    traceEvents: readonly { readonly ph: string }[];
  };
  expect(traceEvents.filter(({ ph }) => ph === 'X')).toHaveLength(2);
});

test.each([
  [['--to', 'pdf'], /--to: 'pdf'; it is one of edn, porcupine, perfetto, csv, jsonl, ops/],
  [['--to', 'perfeto'], /did you mean 'perfetto'/],
  [[], /required option '--to <form>'/],
] as const)('%j is refused', async (words, said) => {
  const { code, err } = await schism([join(root, 'history.ops'), ...words]);
  expect(code).toBe(254);
  expect(err).toMatch(said);
});

test('a file that cannot be written is trouble of the machine', async () => {
  const nowhere = join(root, 'no', 'such', 'folder.csv');
  const { code, err } = await schism([join(root, 'history.ops'), '--to', 'csv', '-o', nowhere]);
  expect(code).toBe(3);
  expect(err).toContain(`cannot write ${nowhere}`);
});
