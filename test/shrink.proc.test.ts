/** `schism shrink` on simulated runs with planted bugs: small, verified, and found again by its command. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { called } from '../cli/testing.ts';
import type { RunConfig, RunResult } from '../harness/protocols/run.ts';

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'schism-shrink-'));
});
afterAll(async () => {
  await rm(root, { recursive: true });
});

/** As `schism` with these words, in this process. */
const schism = (words: readonly string[], input = ''): ReturnType<typeof called> =>
  called(words, { input });

/** A simulated run that finds its bug; with the store it is kept in. */
async function failing(name: string, words: string): Promise<string> {
  const store = join(root, name);
  const all = `run --backend sim --quiet-start 500ms -q -o ${store} ${words}`;
  expect((await schism(all.split(' '))).code).toBe(1);
  return store;
}

async function idsIn(store: string): Promise<string[]> {
  const names = await readdir(join(store, 'runs'));
  return names.filter((name) => /^\d{8}T/.test(name)).toSorted();
}

const STALE =
  '--bug stale-leader-read --workload reads --nodes 3 --rate 100 --duration 5s --seed 1 ' +
  '--schedule regressions/schedules/isolate-leader.json';

describe('a stale read', () => {
  test('is a few operations of its history, and the printed command finds it there', async () => {
    const store = await failing('history', STALE);
    const said = await schism(['shrink', '-o', store]);
    expect({ code: said.code, err: said.err }).toEqual({ code: 0, err: '' });
    // A write and another, a read of the first; more if the first was a chain of cas.
    const kept = / shrink [0-9a-f]{4,}: \d+ operations on k\d+ → (\d+) /.exec(said.out)?.[1];
    expect(Number(kept)).toBeLessThanOrEqual(5);
    expect(said.out).toContain('Nothing more can be left out honestly');
    for (const line of said.out.split('\n')) expect(line.length).toBeLessThanOrEqual(160);
    const [file = ''] = await readdir(join(store, 'repro'));
    const text = await readFile(join(store, 'repro', file), 'utf8');
    expect(text.trimEnd().split('\n').length).toBe(1 + 2 * Number(kept));
    const again = await schism(['check', join(store, 'repro', file), '--workload', 'reads']);
    expect(again.code).toBe(1);
    expect(again.out).toContain('stale-read');
  });

  test('is not written in a form that cannot say it', async () => {
    const store = await failing('forms', STALE);
    const { code, out, err } = await schism(['shrink', '--to', 'edn', '-o', store]);
    expect({ code, out }).toEqual({ code: 254, out: '' });
    expect(err).toContain('--to edn: edn knows neither read modes nor revisions');
    expect(await readdir(join(store, 'repro'))).toEqual([]);
  });

  test('shrinks to one fault, and replays exactly', async () => {
    const store = await failing('run', STALE);
    const words = ['shrink', '--run', '--repeats', '1', '-o', store, '--json'];
    const { code, out } = await schism(words);
    expect(code).toBe(0);
    const found = JSON.parse(out) as {
      readonly smallest: RunConfig;
      readonly run: string;
      readonly file: string;
      readonly scheduleFile: string;
      readonly command: string;
    };
    expect(found.smallest.schedule?.map(({ fault }) => fault)).toEqual(['partition']);
    expect(found.smallest.durationMs).toBeLessThan(5000);
    // The run that was shrunk, and its smallest form: the store does not fill up.
    expect((await idsIn(store)).map((name) => name.slice(-4))).toContain(found.run);
    expect((await idsIn(store)).length).toBe(2);
    expect((await readdir(store)).filter((name) => name.startsWith('shrinking-'))).toEqual([]);
    const replayed = await schism(['replay', found.run, '-o', store]);
    expect(replayed.out).toContain('The history is the same, byte for byte.');
    const file = await readFile(found.file, 'utf8');
    expect(file).toContain("anomaly: 'stale-read'");
    expect(JSON.parse(await readFile(found.scheduleFile, 'utf8'))).toHaveLength(1);
    const typed = found.command.replace('npx schism ', '').split(' ');
    const run = await schism([...typed, '-q', '-o', join(root, 'typed')]);
    expect(run.code).toBe(1);
    expect(run.out).toContain('stale-read');
  });
});

test('a bug that needs no fault loses all of them, though they came by chance', async () => {
  const store = await failing(
    'race',
    '--bug txn-race --workload register,reads --nodes 3 --rate 500 --duration 2s --seed 5 --fault pause',
  );
  const { code, out } = await schism(['shrink', '--run', '--repeats', '1', '-o', store, '--json']);
  expect(code).toBe(0);
  const { smallest } = JSON.parse(out) as { readonly smallest: RunConfig };
  expect(smallest.faults).toEqual([]);
  expect(smallest.workload).toBe('register');
});

describe('a history from elsewhere', () => {
  /** A queue that forgets its order, among operations that are right. */
  const QUEUE = [
    '{"client":1,"op":"enqueue","key":"q","arg":1,"call":0,"ret":1}',
    '{"client":1,"op":"enqueue","key":"q","arg":2,"call":2,"ret":3}',
    '{"client":1,"op":"enqueue","key":"other","arg":9,"call":4,"ret":5}',
    '{"client":2,"op":"dequeue","key":"q","out":2,"call":6,"ret":7}',
    '{"client":2,"op":"dequeue","key":"q","out":1,"call":8,"ret":9}',
    '{"client":2,"op":"dequeue","key":"other","out":9,"call":10,"ret":11}',
  ];
  const text = QUEUE.map((line) => `${line}\n`).join('');

  test.each(['jsonl', 'ops', 'edn'])(
    'keeps its model, and is found again in the form %s',
    async (form) => {
      const store = join(root, `queue-${form}`);
      const said = await schism(
        ['shrink', '-', '--model', 'fifo-queue', '--to', form, '-o', store],
        text,
      );
      expect({ code: said.code, err: said.err }).toEqual({ code: 0, err: '' });
      // What was taken out of order is enough; what was taken later proves nothing.
      expect(said.out).toMatch(/ shrink stdin: 4 operations on q → 3 /);
      expect(said.out).toContain(`stdin.history.${form} \\\n                 --model fifo-queue`);
      const again = join(store, 'repro', `stdin.history.${form}`);
      const checked = await schism(['check', again, '--model', 'fifo-queue', '--json']);
      expect(checked.code).toBe(1);
      const { checks } = JSON.parse(checked.out) as RunResult;
      expect(checks[0]?.anomalies.length).toBe(1);
    },
  );

  test('is written where it is told, and told as data', async () => {
    const file = join(root, 'small.jsonl');
    const words = ['shrink', '-', '--model', 'fifo-queue', '--out', file, '--json'];
    const { code, out } = await schism(words, text);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      schism: 1,
      shrunk: 'stdin',
      check: 'linearizable',
      key: 'q',
      operations: 4,
      kept: 3,
      minimal: true,
      file,
    });
  });

  test('by another criterion: of all keys together', async () => {
    const words = ['shrink', '-', '--model', 'fifo-queue', '--criterion', 'sequential'];
    const said = await schism([...words, '-o', join(root, 'sequential')], text);
    expect({ code: said.code, err: said.err }).toEqual({ code: 0, err: '' });
    expect(said.out).toMatch(/ shrink stdin: \d operations.* → \d /);
    expect(said.out).toContain('--criterion sequential');
  });
});

test('a check that judges everything together says that nothing can be left out', async () => {
  const store = join(root, 'thresholds');
  // In a folder of its own: a config makes the test files below it a suite.
  const config = join(await mkdtemp(join(root, 'strict-')), 'config.json');
  await writeFile(config, JSON.stringify({ thresholds: { ops_unknown: ['rate>1'] } }));
  const run =
    `run --backend sim -q -o ${store} --config ${config} --workload register ` +
    '--duration 500ms --no-faults --seed 1 --nodes 3';
  expect((await schism(run.split(' '))).code).toBe(1);
  const said = await schism(['shrink', '-o', store]);
  expect(said).toMatchObject({ code: 4, out: '' });
  expect(said.err).toContain('thresholds found the violation, and there is no sound removal');
});

describe('what cannot be shrunk', () => {
  test('a run that passed', async () => {
    const store = join(root, 'passed');
    const run = `run --backend sim -q -o ${store} --workload register --duration 500ms --no-faults --seed 1 --nodes 3`;
    expect((await schism(run.split(' '))).code).toBe(0);
    for (const how of [[], ['--run']]) {
      const said = await schism(['shrink', 'latest', ...how, '-o', store]);
      expect(said).toMatchObject({ code: 254, out: '' });
      expect(said.err).toMatch(/no(thing is shrunk| check finds a violation)/);
    }
  });

  test.each([
    [['shrink', 'nope'], /no run 'nope'/],
    [['shrink', '--run', '--history'], /--run and --history are two things/],
    [['shrink', '--run', '--to', 'edn'], /--to: says how to read a history/],
    [['shrink', '--to', 'pdf'], /--to: 'pdf'; it is one of jsonl, edn, ops/],
    [['shrink', '--run', '--repeats', '0'], /--repeats: 0 runs show nothing/],
    [['shrink', '--run', '--budget', 'long'], /--budget: 'long' is not a duration/],
  ])('%j: one clear line', async (words, said) => {
    const store = join(root, 'history');
    const { code, out, err } = await schism([...words, '-o', store]);
    expect({ code, out }).toEqual({ code: 254, out: '' });
    expect(err).toMatch(said);
  });
});
