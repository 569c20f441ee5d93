import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packFiles } from '../../harness/store/archive.ts';
import { madeSuite, madeTest } from '../suite/testing.ts';
import { earlierOf, earlierSuites } from './against.ts';

interface Place extends AsyncDisposable {
  readonly dir: string;
}

async function place(): Promise<Place> {
  const dir = await mkdtemp(join(tmpdir(), 'schism-earlier-'));
  return { dir, [Symbol.asyncDispose]: () => rm(dir, { recursive: true }) };
}

function suiteText(suite: string): string {
  const startedAt = `2026-01-0${suite.at(-1)}T00:00:00.000Z`;
  return JSON.stringify(madeSuite([madeTest('a', 'abcd')], { suite, startedAt }));
}

async function storeSuite(root: string, suite: string): Promise<string> {
  const dir = join(root, 'suites', `20260101T000000Z-${suite}`);
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'suite.json'), suiteText(suite));
  return dir;
}

async function idsAt(path: string): Promise<readonly string[]> {
  return (await earlierSuites(path)).map(({ manifest }) => manifest.suite).toSorted();
}

test('suites are found in a store, in one suite, in a blob, and in a folder of such', async () => {
  await using at = await place();
  const one = await storeSuite(join(at.dir, 'store'), 's0001');
  await storeSuite(join(at.dir, 'store'), 's0002');
  const blob = join(at.dir, 'blobs', 'blob.zip');
  await packFiles(
    [{ name: 'suites/20260101T000000Z-s0003/suite.json', text: suiteText('s0003') }],
    blob,
  );
  expect(await idsAt(join(at.dir, 'store'))).toEqual(['s0001', 's0002']);
  expect(await idsAt(one)).toEqual(['s0001']);
  expect(await idsAt(blob)).toEqual(['s0003']);
  expect(await idsAt(at.dir)).toEqual(['s0001', 's0002', 's0003']);
});

test('runs are not searched, and a suite that cannot be read is left out', async () => {
  await using at = await place();
  await storeSuite(join(at.dir, 'runs', 'x'), 's0001');
  await mkdir(join(at.dir, 'broken'));
  await writeFile(join(at.dir, 'broken', 'suite.json'), '{"manifest":{}}');
  await writeFile(join(at.dir, 'other.zip'), 'no archive');
  await writeFile(join(at.dir, 'torn.zip'), 'PK\u0003\u0004 and no more of it');
  expect(await idsAt(at.dir)).toEqual([]);
});

test('what is not there yet is told and is no error; what is no archive is one', async () => {
  await using at = await place();
  const told: string[] = [];
  const err = (text: string): void => {
    told.push(text);
  };
  const nowhere = join(at.dir, 'nowhere');
  expect(await earlierOf({ err }, [nowhere])).toEqual([]);
  expect(told).toEqual([
    `schism: --against: there are no suites in ${nowhere} yet, and so none to compare with\n`,
  ]);
  expect(await earlierOf({ err }, undefined)).toBeUndefined();
  await writeFile(nowhere, 'text');
  await expect(earlierSuites(nowhere)).rejects.toThrow(/neither a folder nor an archive/);
});

test('they come in the order of their nights, each once', async () => {
  await using at = await place();
  for (const id of ['s0002', 's0001']) await storeSuite(at.dir, id);
  const found = await earlierOf({ err: () => undefined }, [at.dir, at.dir]);
  expect(found?.map(({ manifest }) => manifest.suite)).toEqual(['s0001', 's0002']);
});
