/** What a user meets at the command line: one clear line for each mistake, and the right exit code. */
import { appendFile, mkdir, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { realClock, sleep } from '../harness/core/clock.ts';
import { type Running, type Sandbox, sandbox } from './cli-testing.ts';

const MEMORY = ['run', '--system', 'memory', '--workload', 'register'];
const QUICK = [...MEMORY, '--duration', '1500ms', '--quiet-start', '200ms', '-q'];

const MISTAKES: readonly (readonly [args: string, code: number, said: RegExp])[] = [
  ['run --nodez 3', 254, /unknown option '--nodez'\s+\(Did you mean --nodes\?\)/],
  ['rum', 254, /unknown command 'rum'\s+\(Did you mean run\?\)/],
  ['run --fault partitoin', 254, /unknown fault 'partitoin' \(did you mean 'partition'\?\)/],
  ['run --system etc', 254, /unknown system 'etc' \(did you mean 'etcd'\?\)/],
  ['run --workload regster', 254, /unknown workload 'regster' \(did you mean 'register'\?\)/],
  ['run --backend smi', 254, /raftkv has no 'smi' \(did you mean 'sim'\?\); it has: process, sim/],
  ['run --system etcd --backend sim', 254, /--backend: etcd has no 'sim'/],
  ['run --duration 60', 254, /--duration: '60' is not a duration/],
  ['run --nodes 8', 254, /--nodes: 8 nodes; there can be 1 to 7/],
  ['run --nodes n1,n1', 254, /a name stands twice/],
  ['run --clients none', 254, /--clients: 'none' is not a number/],
  ['run --seed zz', 254, /--seed: 'zz' is not a seed/],
  ['run --system memory --bug stale', 254, /memory has no bug 'stale'/],
  ['run --system memory -O bogus=1', 254, /memory has no option 'bogus'/],
  ['run -W keyz=1', 254, /register\+reads has no option 'keyz' \(did you mean 'keys'\?\)/],
  ['run --workload register,reeds', 254, /unknown workload 'reeds' \(did you mean 'reads'\?\)/],
  ['run --clients 1', 254, /--clients: 2 workloads need at least one client each/],
  ['run --system memory -W keys=abc', 254, /keys: 'abc' is not a whole number from 1 to 10000/],
  ['run --promise serializable', 254, /'serializable' is not mode=model/],
  [
    'run --workload register --promise serializable=linearizable',
    254,
    /register does not ask serializable reads/,
  ],
  ['run --system memory --fault latency', 254, /memory has no latency on its links/],
  ['run --system etcd --bug x', 254, /etcd has no planted bugs/],
  ['run --no-faults --fault kill', 254, /--no-faults/],
  [
    'run --workload register --read-mode serializable',
    254,
    /register does not ask serializable reads/,
  ],
  ['run -O heartbeat=1s', 254, /raftkv option election: 500 ms is less than five heartbeats/],
  ['run --system raftkv --bug x', 254, /raftkv has no bug 'x'; it has: stale-leader-read, /],
  [
    'run --bug split-brian',
    254,
    /no system has 'split-brian' \(did you mean 'split-brain'\?\); raftkv has: .*; memory has: /,
  ],
  ['run --schedule nowhere.json', 254, /cannot read nowhere.json/],
  ['run --system etcd -O binary=no-such-etcd', 3, /no-such-etcd/],
  ['check nope', 254, /no run 'nope' below .schism; there are none/],
  ['check nowhere.jsonl', 254, /no file nowhere.jsonl/],
];

describe('mistakes', () => {
  test.each(MISTAKES)('schism %s', async (args, code, said) => {
    await using box = await sandbox();
    const result = await box.schism(args.split(' '));
    expect({ code: result.code, out: result.out }).toEqual({ code, out: '' });
    expect(result.err).toMatch(said);
    // One clear line; commander puts its suggestion on a second.
    expect(result.err.split('\n').length).toBeLessThanOrEqual(2);
    expect(result.err).not.toContain('    at ');
  });

  test('a schedule that names an unknown shape says which entry and what there is', async () => {
    await using box = await sandbox();
    const entry = { at: '1s', for: '1s', fault: 'partition', shape: 'isolate-leeder' };
    await writeFile(join(box.dir, 's.json'), JSON.stringify([entry]));
    const result = await box.schism(['run', '--system', 'memory', '--schedule', 's.json']);
    expect(result.code).toBe(254);
    expect(result.err).toMatch(/s\.json: entry 1.*isolate-leeder.*did you mean 'isolate-leader'/);
  });
});

describe('a run', () => {
  test('ends in a verdict, and keeps everything that led to it', async () => {
    await using box = await sandbox();
    const result = await box.schism([...QUICK, '--no-faults']);
    expect(result.code).toBe(0);
    expect(result.out).toContain('PASS');
    expect(result.out.trimEnd()).toMatch(/exit 0: no violation found$/);
    const dir = await box.runDir();
    expect((await readdir(dir)).toSorted()).toEqual([
      'harness.log',
      'junit.xml',
      'report.html',
      'results.json',
      'run.json',
      'summary.md',
      'tests',
      'verdict.json',
    ]);
    const verdict = JSON.parse(await readFile(join(dir, 'verdict.json'), 'utf8')) as object;
    expect(verdict).toMatchObject({ verdict: 'pass', exitCode: 0 });
    const again = await box.schism(['check', 'latest']);
    expect(again.code).toBe(0);
    expect(again.out).toContain('PASS');
  });

  test('of a wrong store exits 1 with its sentence, and so does checking it again', async () => {
    await using box = await sandbox();
    const wrong = ['--bug', 'stale-read', '--seed', '3', '--rate', '2000'];
    const result = await box.schism([...QUICK, '--no-faults', ...wrong]);
    expect(result.code).toBe(1);
    expect(result.out).toMatch(/That value was out of date/);
    const again = await box.schism(['check', 'latest-failed']);
    expect(again.code).toBe(1);
    expect(await readFile(join(await box.runDir(), 'junit.xml'), 'utf8')).toContain('<failure');
    expect(result.out).toMatch(/Judge again +npx schism check [0-9a-f]{4}\n/);
  });

  test('asks and judges both workloads unless told otherwise, and finds the bug by itself', async () => {
    await using box = await sandbox();
    const args = ['run', '--bug', 'stale-read', '--rate', '2000', '--duration', '1s'];
    const { code, out } = await box.schism([...args, '--no-faults', '-q']);
    expect(code).toBe(1);
    expect(out).toMatch(/FAIL +memory\/register\+reads/);
    const again = await box.schism(['check', 'latest', '--promise', 'serializable=linearizable']);
    expect(again.code).toBe(1);
    expect(again.out).toMatch(/✗ linearizable[^]*✗ read-modes/);
    // Without the promise it would be judged as before.
    expect(again.out).toMatch(/check [0-9a-f]{4} --promise serializable=linearizable\n/);
    expect(again.out).not.toContain('Make it small');
  });

  test('with --json writes exactly one document to stdout', async () => {
    await using box = await sandbox();
    const { out, err } = await box.schism([...QUICK, '--no-faults', '--json']);
    expect(JSON.parse(out)).toMatchObject({ verdict: 'pass' });
    expect(err).toContain('PASS');
  });

  test('in CI has no escape sequence and no line over 160 columns', async () => {
    await using box = await sandbox();
    const args = QUICK.filter((word) => word !== '-q');
    const { out } = await box.schism([...args, '--fault', 'kill'], { CI: 'true' });
    expect(out).toContain('phase');
    expect(out.includes('\u001b')).toBe(false);
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(160);
  });

  test('a fault that cannot be had is refused with its reason: unknown, or an error in CI', async () => {
    await using box = await sandbox();
    const alone = [...QUICK, '--nodes', '1', '--fault', 'partition'];
    const relaxed = await box.schism(alone);
    expect(relaxed.code).toBe(2);
    expect(relaxed.out).toMatch(/partition was asked for/);
    const strict = await box.schism([...alone, '--require-faults']);
    expect(strict.code).toBe(3);
    expect(strict.out).toMatch(/fault partition cannot be had here/);
  });

  test('a report that cannot be written does not cost the verdict', async () => {
    await using box = await sandbox();
    const running = box.start([...QUICK, '--no-faults', '--duration', '2s']);
    const clock = realClock();
    for (let tries = 0; tries < 1_000; tries++) {
      await sleep(clock, 20);
      // The folder of all runs is there a moment before that of the first.
      const made = await box
        .runDir()
        .then((dir) => mkdir(join(dir, 'report.html')))
        .then(
          () => true,
          () => false,
        );
      if (made) break;
    }
    const { exitCode, stdout } = await running;
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/HTML report could not be written/);
    const verdict = await readFile(join(await box.runDir(), 'verdict.json'), 'utf8');
    expect(JSON.parse(verdict)).toMatchObject({ verdict: 'pass' });
  });

  test('an index that cannot be written does not cost the verdict', async () => {
    await using box = await sandbox();
    await mkdir(join(box.dir, '.schism', 'runs', 'index.jsonl'), { recursive: true });
    const { code, out, err } = await box.schism([...QUICK, '--no-faults']);
    expect(code).toBe(0);
    expect(out.trimEnd()).toMatch(/exit 0: no violation found$/);
    expect(err).toMatch(/^schism: the run could not be entered into the index: EISDIR.*$/);
  });

  test('that breaks on an error nobody expected exits 255, never 1', async () => {
    await using box = await sandbox();
    const breaks =
      "process.on('newListener',(name)=>{if(name==='SIGINT')Promise.reject(new%20TypeError('boom'))})";
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${breaks}` };
    const { code, err } = await box.schism([...QUICK, '--no-faults'], env);
    expect(code).toBe(255);
    expect(err).toMatch(/a bug in schism, not in the store under test:\nTypeError: boom/);
  });
});

/** A run that would go on for a minute, half a second into its main phase. */
async function startedRun(box: Sandbox): Promise<{ readonly running: Running }> {
  const args = ['run', '--system', 'memory', '--duration', '60s', '--fault', 'pause'];
  const running = box.start(args);
  await box.recorded('"ph":"main"');
  await sleep(realClock(), 500);
  // Wrapped, since a running process is a promise of its end.
  return { running };
}

describe('an interrupted run', () => {
  test('takes the signal of the terminal and of a launcher for one', async () => {
    await using box = await sandbox();
    const running = box.start(['run', '--system', 'memory', '--duration', '60s', '--no-faults']);
    await box.recorded('"ph":"main"');
    running.kill('SIGINT');
    await sleep(realClock(), 30);
    running.kill('SIGINT');
    expect((await running).exitCode).toBe(130);
    const verdict = await readFile(join(await box.runDir(), 'verdict.json'), 'utf8');
    expect(JSON.parse(verdict)).toMatchObject({ exitCode: 130 });
  });

  test('heals, judges what was recorded, and exits 130', async () => {
    await using box = await sandbox();
    const { running } = await startedRun(box);
    running.kill('SIGINT');
    const { exitCode } = await running;
    expect(exitCode).toBe(130);
    const verdict = await readFile(join(await box.runDir(), 'verdict.json'), 'utf8');
    expect(JSON.parse(verdict)).toMatchObject({ exitCode: 130 });
    expect((await box.schism(['check', 'latest'])).out).toContain('linearizable');
  });

  test('killed with -9, leaves a history that can be judged', async () => {
    await using box = await sandbox();
    const { running } = await startedRun(box);
    running.kill('SIGKILL');
    await running;
    const dir = await box.runDir();
    expect(await readdir(dir)).not.toContain('verdict.json');
    const { code, out } = await box.schism(['check', 'latest']);
    expect(out).toMatch(/✓ linearizable/);
    // No pause had begun: nothing was violated, and nothing vacuous passes.
    expect(code).toBe(2);
  });
});

describe('a damaged history', () => {
  const record = async (): Promise<{ dir: string; text: string } & AsyncDisposable> => {
    const box = await sandbox();
    await box.schism([...QUICK, '--no-faults']);
    const stored = join(await box.runDir(), 'tests/register/history.jsonl.gz');
    const text = gunzipSync(await readFile(stored)).toString();
    const dispose = (): PromiseLike<void> => box[Symbol.asyncDispose]();
    return { dir: box.dir, text, [Symbol.asyncDispose]: dispose };
  };

  test('cut in mid-line is judged up to there; corrupt in the middle is refused', async () => {
    await using recorded = await record();
    await using box = await sandbox();
    const path = join(box.dir, 'h.jsonl');
    await writeFile(path, recorded.text);
    expect((await box.schism(['check', path])).code).toBe(0);

    await truncate(path, recorded.text.length - 20);
    const torn = await box.schism(['check', path]);
    expect(torn.code).toBe(0);
    expect(torn.err).toContain('cut off in mid-write');

    await appendFile(path, '\n{"i":"x"}\n{}\n');
    const corrupt = await box.schism(['check', path]);
    expect(corrupt.code).toBe(254);
    expect(corrupt.err).toMatch(/h\.jsonl:\d+: /);
    expect(corrupt.err.trimEnd().split('\n')).toHaveLength(1);

    await writeFile(path, 'not a history\n');
    expect((await box.schism(['check', path])).code).toBe(254);
    await writeFile(path, '{"schism":99,"unit":"ns","clock":"monotonic"}\n');
    expect((await box.schism(['check', path])).err).toMatch(/version|99/);
  });
});
