import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VirtualClock } from '../harness/core/clock.ts';
import { liveProgress } from '../reports/live.ts';
import type { Progress } from '../reports/progress.ts';
import { fixtureManifest, passRun } from '../reports/testing/fixture-result.ts';
import { type KeyedRun, type LiveKeys, liveKeys } from './live-keys.ts';

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'schism-keys-'));
});
afterAll(async () => {
  await rm(root, { recursive: true });
});

/** Keys whose terminal is this test. */
function fakeKeys(): {
  keys: LiveKeys;
  said: string[];
  press: (key: string) => void;
  open: number;
} {
  const said: string[] = [];
  const state: { open: number; press: (key: string) => void } = {
    open: 0,
    press: () => undefined,
  };
  const keys = liveKeys(
    {
      columns: 60,
      keys: (handler) => {
        state.open++;
        state.press = handler;
        return {
          [Symbol.dispose]: () => {
            state.open--;
          },
        };
      },
    },
    (text) => {
      said.push(text);
    },
  );
  return {
    keys,
    said,
    press: (key) => {
      state.press(key);
    },
    get open() {
      return state.open;
    },
  };
}

/** A run in a folder of its own, in its first moment. */
function runIn(name: string): KeyedRun & { readonly dir: string } {
  const dir = join(root, name);
  const progress: Progress = liveProgress({
    clock: new VirtualClock(),
    manifest: fixtureManifest({ run: name }),
    columns: () => 100,
    write: () => undefined,
  });
  const folder = {
    testDir: join(dir, 'tests', 'register'),
    path: (file: string) => join(dir, file),
  };
  return { dir, progress, manifest: fixtureManifest({ run: name }), folder };
}

describe('keys ask for all runs that go on', () => {
  test('[s] and [f], until a run ends', () => {
    const { keys, said, press } = fakeKeys();
    using first = keys.follow(runIn('a001'));
    using second = keys.follow(runIn('a002'));
    first.onPhase('main');
    press('s');
    expect(said.at(-1)?.match(/^ state at 0\.000 s .*$/gm)).toEqual([
      expect.stringMatching(/ main 0\.0 s of 60\.0 s {3}run a001$/),
      expect.stringMatching(/ setup 0\.0 s {3}run a002$/),
    ]);
    press('f');
    expect(said.at(-1)?.match(/^ faults at .* none so far$/gm)).toHaveLength(2);
    first.end(passRun({ seconds: 5 }).result);
    press('s');
    expect(said.at(-1)?.match(/^ state at/gm)).toHaveLength(1);
    second[Symbol.dispose]();
    press('f');
    expect(said.at(-1)).toBe(' nothing runs now\n');
    keys[Symbol.dispose]();
  });

  test('[enter] marks the log of each, by the same number', async () => {
    const { keys, said, press } = fakeKeys();
    press('\r');
    expect(said).toEqual([' nothing runs now\n']);
    const [a, b] = [runIn('b001'), runIn('b002')];
    await mkdir(a.dir);
    using _a = keys.follow(a);
    using _b = keys.follow(b);
    press('\r');
    press('\n');
    const lines = (await readFile(join(a.dir, 'harness.log'), 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      expect.objectContaining({ msg: 'mark', mark: 1, seconds: 0, phase: 'setup' }),
      expect.objectContaining({ msg: 'mark', mark: 2 }),
    ]);
    // The folder of the other is not there.
    expect(said[1]).toMatch(
      /^ mark 1 at 0\.000 s {3}etcd\/register {3}setup\n mark 1 .*, not in the log: ENOENT.*\n$/,
    );
    keys[Symbol.dispose]();
  });

  test('[l] shows where the logs are, and the last line of each, safe to print', async () => {
    const { keys, said, press } = fakeKeys();
    const run = runIn('c001');
    const nodes = join(run.folder.testDir, 'nodes');
    await mkdir(join(nodes, 'n1'), { recursive: true });
    await mkdir(join(nodes, 'n2'));
    await writeFile(join(nodes, 'n1', 'node.log'), `${'x'.repeat(9000)}\nlast \u001b[2J line\n\n`);
    await writeFile(join(nodes, 'n2', 'node.log'), '');
    await writeFile(join(nodes, 'n2', 'data'), 'no log');
    using _ = keys.follow(run);
    press('l');
    await expect.poll(() => said.length).toBe(1);
    const lines = (said[0] ?? '').split('\n');
    expect(lines[0]).toMatch(/^ logs {3}etcd\/register {3}.*c001\/harness\.log$/);
    expect(lines.slice(1)).toEqual([
      expect.stringMatching(/^ {3}.*nodes\/n1\/node\.log$/),
      '     last  line',
      expect.stringMatching(/^ {3}.*nodes\/n2\/node\.log$/),
      '     (empty)',
      '',
    ]);
    keys[Symbol.dispose]();
  });

  test('other keys say nothing, and at the end the terminal is given back', () => {
    const fake = fakeKeys();
    using _ = fake.keys.follow(runIn('d001'));
    for (const key of ['x', 'S', ' ', '\u0004']) fake.press(key);
    expect(fake.said).toEqual([]);
    expect(fake.open).toBe(1);
    fake.keys[Symbol.dispose]();
    expect(fake.open).toBe(0);
  });
});
