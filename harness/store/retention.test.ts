import { existsSync } from 'node:fs';
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runFolderName } from './layout.ts';
import { isBeingWritten, isPinned, setPinned } from './marks.ts';
import {
  ageMs,
  applyRetention,
  type Candidate,
  candidates,
  chooseToPrune,
  deleteRuns,
  RETENTION,
  retentionOf,
  sizeBytes,
} from './retention.ts';
import { listRuns } from './store.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 21);

function run(id: string, ageDays: number, more: Partial<Candidate> = {}): Candidate {
  const startedAtMs = NOW - ageDays * DAY;
  const state = { verdict: 'pass', bytes: 1e6, pinned: false, writing: false };
  return { id, dir: `/runs/${id}`, startedAtMs, ...state, ...more };
}

/** Runs are given oldest first. */
function gone(runs: readonly Candidate[], limits: Partial<typeof RETENTION> = {}): string {
  const chosen = chooseToPrune(runs, { ...RETENTION, ...limits }, NOW);
  return chosen.map((each) => `${each.run.id}: ${each.why}`).join('; ');
}

describe('what goes', () => {
  test('is nothing while there is little and it is new', () => {
    expect(gone([run('a', 29.9), run('b', 0)])).toBe('');
    expect(gone([])).toBe('');
  });

  test('is what passed and is older than 30 days, and all else that is older than 90', () => {
    const runs = [
      run('a', 91, { verdict: 'fail' }),
      run('b', 89, { verdict: 'unknown' }),
      run('c', 31),
      run('d', 29),
    ];
    expect(gone(runs)).toBe('a: older than 90 days; c: older than 30 days');
  });

  test('of too many: the oldest that passed, before any that failed', () => {
    const runs = [run('a', 4, { verdict: 'fail' }), run('b', 3), run('c', 2), run('d', 1)];
    expect(gone(runs, { maxRuns: 2 })).toBe('b: more than 2 runs; c: more than 2 runs');
    expect(gone(runs, { maxRuns: 0 }).split(';')).toHaveLength(4);
  });

  test('of too much: until it fits, but never the newest', () => {
    const runs = [run('a', 3), run('b', 2), run('c', 1)];
    expect(gone(runs, { maxBytes: 2e6 })).toBe('a: more bytes than may be kept');
    expect(gone(runs, { maxBytes: 0 })).toMatch(/^a: .*; b: [^;]*$/);
  });

  test('is never pinned nor being written, though those count', () => {
    const runs = [run('a', 99, { pinned: true }), run('b', 98, { writing: true }), run('c', 1)];
    expect(gone(runs, { maxRuns: 2 })).toBe('c: more than 2 runs');
    expect(gone(runs, { maxRuns: 0, maxBytes: 0 })).toBe('c: more than 0 runs');
  });

  test('what crashed has no verdict and is kept as long as what failed', () => {
    const { verdict: _, ...crashed } = run('a', 31);
    expect(gone([crashed])).toBe('');
  });
});

interface Store extends AsyncDisposable {
  readonly root: string;
  folder(id: string, verdict?: string): Promise<string>;
}

async function store(): Promise<Store> {
  const root = await mkdtemp(join(tmpdir(), 'schism-retention-'));
  return {
    root,
    folder: async (id, verdict) => {
      const at = NOW - 100 * DAY + Number.parseInt(id, 16) * 1000;
      const dir = join(root, 'runs', runFolderName(id, at));
      await mkdir(dir, { recursive: true });
      await writeFile(join(dir, 'run.json'), '{"schism":1}');
      if (verdict !== undefined)
        await writeFile(join(dir, 'verdict.json'), JSON.stringify({ verdict }));
      return dir;
    },
    [Symbol.asyncDispose]: () => rm(root, { recursive: true }),
  };
}

describe('deleting', () => {
  test('leaves what is pinned, and puts index and links right', async () => {
    await using box = await store();
    const kept = await box.folder('0001', 'pass');
    await box.folder('0002', 'pass');
    await box.folder('0003', 'fail');
    await setPinned(kept, true);
    const chosen = chooseToPrune(await candidates(box.root, NOW), RETENTION, NOW);
    const deleted = await deleteRuns(box.root, chosen, NOW);
    expect(deleted.map((each) => each.run.id)).toEqual(['0002', '0003']);
    expect((await listRuns(box.root)).map(({ id }) => id)).toEqual(['0001']);
    expect(
      (await readFile(join(box.root, 'runs', 'index.jsonl'), 'utf8')).split('\n'),
    ).toHaveLength(2);
    expect(existsSync(join(box.root, 'latest', 'run.json'))).toBe(true);
    await expect(lstat(join(box.root, 'latest-failed'))).rejects.toThrow('ENOENT');
  });

  test('spares a run that was pinned after it was chosen', async () => {
    await using box = await store();
    const dir = await box.folder('0001', 'pass');
    const chosen = chooseToPrune(await candidates(box.root, NOW), RETENTION, NOW);
    await setPinned(dir, true);
    expect(await deleteRuns(box.root, chosen, NOW)).toEqual([]);
    expect(isPinned(dir)).toBe(true);
    await setPinned(dir, false);
    expect(isPinned(dir)).toBe(false);
  });

  test('finishes what broke off in the middle', async () => {
    await using box = await store();
    await mkdir(join(box.root, 'runs', 'going-20260101T000000Z-abcd', 'tests'), {
      recursive: true,
    });
    await deleteRuns(box.root, [], NOW);
    expect(await readdir(join(box.root, 'runs'))).toEqual([]);
    expect(await deleteRuns(join(box.root, 'nowhere'), [], NOW)).toEqual([]);
  });
});

describe('what a config says of it', () => {
  test('is a number, a size and ages; what it leaves out has no limit', () => {
    expect(retentionOf({}, 'retain.runs')).toEqual({
      maxRuns: Infinity,
      maxBytes: Infinity,
      maxAgeMs: Infinity,
      failedMaxAgeMs: Infinity,
    });
    expect(retentionOf({ max: 3, maxSize: '1.5GB', maxAge: '12h' }, 'retain.runs')).toEqual({
      maxRuns: 3,
      maxBytes: 1.5e9,
      maxAgeMs: DAY / 2,
      failedMaxAgeMs: DAY / 2,
    });
    expect(retentionOf({ maxAge: '1d', failedMaxAge: '2w' }, '').failedMaxAgeMs).toBe(14 * DAY);
  });

  test('is refused with its place where it is no size and no age', () => {
    expect(() => retentionOf({ maxSize: '5' }, 'retain.runs')).toThrow(
      "retain.runs.maxSize: '5' is not a size; write 500MB or 5GB",
    );
    expect(() => retentionOf({ failedMaxAge: '5m' }, 'retain.runs')).toThrow(
      "retain.runs.failedMaxAge: '5m' is not an age; write 12h or 30d",
    );
    expect([sizeBytes('2 kb', ''), ageMs('3d', '')]).toEqual([2000, 3 * DAY]);
  });
});

/** A suite of one test, as far as readers look. */
function suiteOf(suite: string, folders: readonly string[]): object {
  const counts = { ok: 0, fail: 0, info: 0, open: 0 };
  const ended = { verdict: 'pass', exitCode: 0, wallMs: 0, counts };
  const lists = { reasons: [], faults: [], anomalies: [], checks: [] };
  const runs = folders.map((at) => ({ run: at, dir: `../../runs/${at}`, ...ended, ...lists }));
  const only = { test: { id: 't', title: 't' }, runs, outcome: 'pass', exitCode: 0, reason: '' };
  const manifest = { schism: 1, suite, startedAt: '', seed: '0x1', selected: 1 };
  return { manifest, tests: [only], exitCode: 0, wallMs: 0 };
}

describe('after a run', () => {
  test('what it has just made stays, and so does what others write or have pinned', async () => {
    await using box = await store();
    await setPinned(await box.folder('0001', 'pass'), true);
    for (const id of ['0002', '0003', '0004', '0005']) await box.folder(id, 'pass');
    await writeFile(join(await box.folder('0006'), 'writing'), `${process.pid}\n`);
    const limits = { ...RETENTION, maxRuns: 1 };
    const deleted = await applyRetention(box.root, limits, ['0003', '0005'], NOW);
    expect(deleted.map((each) => each.run.id)).toEqual(['0002', '0004']);
    expect((await listRuns(box.root)).map(({ id }) => id)).toEqual([
      '0001',
      '0003',
      '0005',
      '0006',
    ]);
  });

  test('a run that somebody else deletes meanwhile is passed over', async () => {
    await using box = await store();
    const dir = await box.folder('0001', 'pass');
    const chosen = chooseToPrune(await candidates(box.root, NOW), RETENTION, NOW);
    await rm(dir, { recursive: true });
    expect(await deleteRuns(box.root, chosen, NOW)).toEqual([]);
  });

  test('a suite goes with the last of its runs, but not the newest', async () => {
    await using box = await store();
    const suite = async (id: string, ...runs: readonly string[]): Promise<void> => {
      const dir = join(box.root, 'suites', `20260101T0000${id}Z-s00${id}`);
      await mkdir(dir, { recursive: true });
      const text = JSON.stringify(suiteOf(`s00${id}`, runs));
      await writeFile(join(dir, 'suite.json'), text);
    };
    const names = [];
    for (const id of ['0001', '0002']) names.push((await box.folder(id, 'pass')).slice(-21));
    const [first = '', second = ''] = names;
    await suite('01', first);
    await suite('02', first, second);
    await suite('03');
    await suite('04', first);
    const limits = { ...RETENTION, maxAgeMs: 200 * DAY, maxRuns: 1 };
    await applyRetention(box.root, limits, ['0002'], NOW);
    const left = (await readdir(join(box.root, 'suites'))).map((name) => name.slice(-2));
    expect(left.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(['02', '03', '04']);
  });
});

describe('a run is being written', () => {
  test('while the process that said so lives', async () => {
    await using box = await store();
    const dir = await box.folder('0001');
    expect(await isBeingWritten(dir, NOW)).toBe(false);
    await writeFile(join(dir, 'writing'), `${process.pid}\n`);
    expect(await isBeingWritten(dir, NOW)).toBe(true);
    const [found] = await candidates(box.root, NOW);
    expect(found?.writing).toBe(true);
  });

  test('or something was written just now, by a process that is not seen from here', async () => {
    await using box = await store();
    const dir = await box.folder('0001');
    const mark = join(dir, 'writing');
    // Larger than any id of a process.
    for (const pid of ['4194305', 'nonsense', '-1']) {
      await writeFile(mark, pid);
      await utimes(mark, NOW / 1000, NOW / 1000);
      expect([pid, await isBeingWritten(dir, NOW + 9 * 60_000)]).toEqual([pid, true]);
      expect([pid, await isBeingWritten(dir, NOW + 11 * 60_000)]).toEqual([pid, false]);
    }
  });
});
