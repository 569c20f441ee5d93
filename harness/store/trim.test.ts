import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import type { RunVerdict } from '../protocols/checker.ts';
import { type Keep, trimRun } from './trim.ts';

const DATA = join('nodes', 'n1', 'data', 'member', 'wal');
const LOGS = [join('nodes', 'link-server.log'), join('nodes', 'n1', 'etcd.log')];
const HISTORY = ['history.idx', 'history.jsonl.gz'];
const OTHERS = [join('checks', 'stats.json'), 'faults.jsonl'];

/** The files that are left of a run with all of them. */
async function left(verdict: RunVerdict, keep?: Keep): Promise<readonly string[]> {
  const dir = await mkdtemp(join(tmpdir(), 'schism-trim-'));
  try {
    for (const name of [DATA, ...LOGS, ...HISTORY, ...OTHERS]) {
      await mkdir(dirname(join(dir, name)), { recursive: true });
      await writeFile(join(dir, name), 'x');
    }
    await trimRun(dir, verdict, keep);
    const found = await readdir(dir, { recursive: true, withFileTypes: true });
    return found
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1))
      .toSorted((a, b) => (a < b ? -1 : 1));
  } finally {
    await rm(dir, { recursive: true });
  }
}

function files(...names: readonly (string | readonly string[])[]): readonly string[] {
  return [...OTHERS, ...names].flat().toSorted((a, b) => (a < b ? -1 : 1));
}

test('a run that passed keeps all but what its nodes stored', async () => {
  expect(await left('pass')).toEqual(files(HISTORY, LOGS));
  expect(await left('pass', { data: 'always' })).toEqual(files(HISTORY, LOGS, DATA));
});

test.for(['fail', 'unknown', 'error'] as const)(
  'a run that ended %s keeps all',
  async (verdict) => {
    const onFailure = { history: 'on-failure', logs: 'on-failure', data: 'on-failure' } as const;
    expect(await left(verdict)).toEqual(files(HISTORY, LOGS, DATA));
    expect(await left(verdict, onFailure)).toEqual(files(HISTORY, LOGS, DATA));
    expect(await left(verdict, { data: 'never' })).toEqual(files(HISTORY, LOGS));
  },
);

test('a run that passed keeps of each what was asked for', async () => {
  expect(await left('pass', { logs: 'on-failure' })).toEqual(files(HISTORY));
  expect(await left('pass', { history: 'on-failure' })).toEqual(files(LOGS));
  expect(await left('pass', { logs: 'on-failure', data: 'always' })).toEqual(files(HISTORY, DATA));
});

test('a run without nodes or history has nothing to lose', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'schism-trim-'));
  await trimRun(dir, 'pass', { history: 'on-failure', logs: 'on-failure' });
  expect(await readdir(dir)).toEqual([]);
  await rm(dir, { recursive: true });
});
