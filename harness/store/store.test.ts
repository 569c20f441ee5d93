import { mkdirSync } from 'node:fs';
import {
  lstat,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Random, seedFrom } from '../core/prng.ts';
import type { RunResult } from '../protocols/run.ts';
import {
  createRun,
  findRun,
  listRuns,
  type RunFolderHandle,
  readManifest,
  readResult,
  rebuildIndex,
  storedHistory,
} from './store.ts';

let root = '';
beforeEach(async () => {
  root = join(await realpath(await mkdtemp(join(tmpdir(), 'schism-store-'))), '.schism');
});
afterEach(async () => {
  await rm(join(root, '..'), { recursive: true });
});

const START = Date.UTC(2026, 10, 21, 1, 47, 12);
const random = (seed = 1): Random => Random.stream(seedFrom(seed), 'run');

function begin(seed: number, seconds = seed): Promise<RunFolderHandle> {
  const startedAtMs = START + seconds * 1000;
  return createRun(root, { startedAtMs, random: random(seed), test: 'register' });
}

/** Only what the store looks at. */
function result(verdict: string): RunResult {
  const manifest = { schism: 1, startedAt: new Date(START).toISOString() };
  return { verdict, exitCode: verdict === 'pass' ? 0 : 1, manifest } as unknown as RunResult;
}

async function end(run: RunFolderHandle, verdict: string): Promise<void> {
  const outcome = result(verdict);
  await run.writeJson('run.json', outcome.manifest);
  await run.writeJson('verdict.json', { verdict, exitCode: outcome.exitCode });
  await run.finish(outcome);
}

describe('a new run', () => {
  test('has a folder that sorts by time and ends in its id', async () => {
    const run = await begin(1, 0);
    expect(run.id).toMatch(/^[0-9a-f]{4}$/);
    expect(basename(run.dir)).toBe(`20261121T014712Z-${run.id}`);
    expect(run.historyPath).toBe(join(run.dir, 'tests', 'register', 'history.jsonl'));
    expect(await readdir(run.testDir)).toEqual(['checks']);
  });

  test('never takes the id of another, even drawn from the same chance', async () => {
    const ids = [];
    for (let n = 0; n < 12; n++) {
      const run = await createRun(root, { startedAtMs: START, random: random(), test: 'a/b c' });
      expect(basename(run.testDir)).toBe('a_b_c');
      ids.push(run.id);
    }
    expect(new Set(ids).size).toBe(12);
    const both = await Promise.all([begin(2, 0), begin(2, 0), begin(2, 0)]);
    expect(new Set(both.map(({ id }) => id)).size).toBe(3);
  });

  test('a root that cannot be written is said so', async () => {
    await writeFile(join(root, '..', 'file'), '');
    const under = join(root, '..', 'file', 'x');
    await expect(
      createRun(under, { startedAtMs: START, random: random(), test: 'register' }),
    ).rejects.toMatchObject({ code: 'store-failed' });
  });

  test('files are replaced whole, and nothing is left of the way there', async () => {
    const run = await begin(1);
    await run.writeJson('checks/x.json', { a: 1 });
    await run.writeJson('checks/x.json', { a: 2 });
    expect(await readFile(run.path('checks/x.json'), 'utf8')).toBe('{\n  "a": 2\n}\n');
    expect(await readdir(run.path('checks'))).toEqual(['x.json']);
  });
});

describe('when a run ends', () => {
  test('latest and latest-failed point at it', async () => {
    const [first, second] = [await begin(1), await begin(2)];
    await end(first, 'fail');
    await end(second, 'pass');
    expect(await realpath(join(root, 'latest'))).toBe(second.dir);
    expect(await realpath(join(root, 'latest-failed'))).toBe(first.dir);
    expect((await lstat(join(root, 'latest'))).isSymbolicLink()).toBe(true);
  });

  test('nobody writes it any more', async () => {
    const run = await begin(1);
    expect(await readdir(run.dir)).toContain('writing');
    await end(run, 'pass');
    expect(await readdir(run.dir)).not.toContain('writing');
  });

  test('the index has a line, and can be made anew from the runs', async () => {
    await end(await begin(1), 'fail');
    await begin(2);
    await end(await begin(3), 'pass');
    const path = join(root, 'runs', 'index.jsonl');
    const before = (await readFile(path, 'utf8')).trimEnd().split('\n');
    expect(before.map((line) => (JSON.parse(line) as { verdict: string }).verdict)).toEqual([
      'fail',
      'pass',
    ]);
    await writeFile(path, 'damaged');
    await rebuildIndex(root);
    const after = (await readFile(path, 'utf8')).trimEnd().split('\n');
    expect([after[0], after[2]]).toEqual(before);
    expect(JSON.parse(after[1] ?? '')).not.toHaveProperty('verdict');
  });
});

describe('finding a run', () => {
  test('lists all, oldest first; one without a verdict crashed', async () => {
    const [late, early] = [await begin(1, 9), await begin(2, 3)];
    await end(early, 'unknown');
    expect(await listRuns(root)).toEqual([
      { id: early.id, dir: early.dir, verdict: 'unknown' },
      { id: late.id, dir: late.dir },
    ]);
    await writeFile(late.path('verdict.json'), '{"verd');
    expect((await listRuns(root))[1]).not.toHaveProperty('verdict');
    expect(await listRuns(join(root, 'nowhere'))).toEqual([]);
  });

  test('by name, number, beginning of the id, or path', async () => {
    const runs = [await begin(1), await begin(2), await begin(3)] as const;
    await end(runs[0], 'fail');
    await end(runs[1], 'pass');
    await end(runs[2], 'pass');
    const cases: readonly (readonly [string, RunFolderHandle])[] = [
      ['latest', runs[2]],
      ['latest-failed', runs[0]],
      ['-1', runs[2]],
      ['-3', runs[0]],
      [runs[1].id, runs[1]],
      [runs[1].id.slice(0, 3), runs[1]],
      [runs[0].dir, runs[0]],
      [runs[0].historyPath, runs[0]],
    ];
    await writeFile(runs[0].historyPath, '');
    for (const [ref, run] of cases) expect([ref, await findRun(root, ref)]).toEqual([ref, run.dir]);
  });

  test('what is not there is said with what is', async () => {
    await expect(findRun(root, 'latest')).rejects.toThrow(
      /no run 'latest' below .*; there are none/,
    );
    const run = await begin(1);
    for (const ref of ['zzz', '-2', '/', 'latest!'])
      await expect(findRun(root, ref)).rejects.toMatchObject({
        code: 'bad-input',
        message: `no run '${ref}' below ${root}; the newest are ${run.id}`,
      });
    await expect(findRun(root, 's41e0')).rejects.toThrow(/suites have such ids; schism runs ls/);
  });

  test('a beginning that several have is said with all of them', async () => {
    for (const id of ['ab12', 'ab34', 'ab3456'])
      mkdirSync(join(root, 'runs', `20261121T014712Z-${id}`), { recursive: true });
    mkdirSync(join(root, 'runs', 'ab-not-a-run'));
    await expect(findRun(root, 'ab')).rejects.toThrow(
      "'ab' is the beginning of 3 runs: ab12, ab34, ab3456",
    );
    // A whole id is itself, though another begins with it.
    expect(basename(await findRun(root, 'ab34'))).toBe('20261121T014712Z-ab34');
  });

  test('links are a convenience: runs are found without them', async () => {
    const run = await begin(1);
    await symlink('runs/gone', join(root, 'latest'));
    expect(await findRun(root, 'latest')).toBe(run.dir);
  });
});

test('manifest and history of a stored run', async () => {
  const run = await begin(1);
  await expect(readManifest(run.dir)).rejects.toThrow(/cannot read .*run.json/);
  await run.writeJson('run.json', { schism: 2 });
  await expect(readManifest(run.dir)).rejects.toThrow(/another version/);
  for (const name of ['../../evil', 'a\nb', '', 7]) {
    await run.writeJson('run.json', { schism: 1, run: name, config: { workloadOptions: {} } });
    await expect(readManifest(run.dir)).rejects.toThrow("its 'run' is no id of a run");
  }
  const manifest = { schism: 1, run: run.id, config: { workloadOptions: { clients: 3 } } };
  await run.writeJson('run.json', manifest);
  // A run of a time when this was not stored: all that could be asked for then were registers.
  expect(await readManifest(run.dir)).toEqual({
    ...manifest,
    config: { workloadOptions: { clients: 3, capabilities: ['register'] } },
  });
  expect(() => storedHistory(run.dir, 'register')).toThrow(/holds no history/);
  await writeFile(`${run.historyPath}.gz`, '');
  expect(storedHistory(run.dir, 'register')).toBe(`${run.historyPath}.gz`);
});

test('the outcome of a stored run, if it came to its end', async () => {
  const run = await begin(1);
  const manifest = { schism: 1, run: run.id, config: { workloadOptions: {} } };
  await run.writeJson('run.json', manifest);
  const ended = {
    manifest,
    verdict: 'pass',
    counts: {},
    checks: [],
    problems: [],
    phases: [],
    reasons: [],
  };
  const broken = [{}, { ...ended, checks: 'none' }, { ...ended, verdict: 'fine' }, [ended]];
  for (const record of broken) {
    await run.writeJson('results.json', record);
    await expect(readResult(run.dir)).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining(`\`schism check ${run.id}\``) as string,
    });
  }
  await run.writeJson('results.json', ended);
  const { config } = (await readResult(run.dir)).manifest;
  expect(config.workloadOptions).toEqual({ capabilities: ['register'] });
});
