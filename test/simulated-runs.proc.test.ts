/** `schism run --backend sim` as a user has it: the same seed, the same history, to the byte. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { sandbox } from './cli-testing.ts';

const SIM = ['run', '--backend', 'sim', '-q'];
/** Every kind of fault that the simulator has. */
const ALL = 'partition,kill,pause,power,latency,hold,blackhole,reset';

interface Recorded {
  readonly code: number | undefined;
  readonly out: string;
  /** Of `history.jsonl`, and of the compressed file. */
  readonly plain: string;
  readonly packed: string;
  readonly text: string;
}

/** One run in a process of its own. */
async function record(...args: readonly string[]): Promise<Recorded> {
  await using box = await sandbox();
  const { code, out, err } = await box.schism([...SIM, ...args]);
  const tests = join(await box.runDir(), 'tests');
  const [name = ''] = await readdir(tests);
  const packed = await readFile(join(tests, name, 'history.jsonl.gz'));
  const plain = gunzipSync(packed);
  return {
    code,
    out: out + err,
    plain: sha256(plain),
    packed: sha256(packed),
    text: plain.toString('utf8'),
  };
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('two processes with one seed', () => {
  test.each([
    ['register,reads', '7'],
    ['register', '0x5eed1234'],
    ['reads', '42'],
  ])('record the same bytes: %s, seed %s, under every kind of fault', async (workload, seed) => {
    // So many lanes leave each other little room: one that found none makes the run unknown.
    const faults = ['--fault', ALL, '--no-require-faults', '--unknown', 'warn'];
    const args = ['--workload', workload, '--seed', seed, '--duration', '20s', ...faults];
    const first = await record(...args);
    const second = await record(...args);
    expect({ code: first.code, out: first.code === 0 ? '' : first.out }).toEqual({
      code: 0,
      out: '',
    });
    expect(second.text.split('\n').length).toBeGreaterThan(5_000);
    expect(second.plain).toBe(first.plain);
    expect(second.packed).toBe(first.packed);
    const effective = ALL.split(',').filter((fault) =>
      new RegExp(`"fault":"${fault}".*"result":"installed"`).test(first.text),
    );
    expect(effective.length).toBeGreaterThanOrEqual(6);
  });

  test('and another seed records something else', async () => {
    const args = ['--workload', 'register', '--duration', '2s', '--seed'];
    const [first, second] = [await record(...args, '1'), await record(...args, '2')];
    expect(first.plain).not.toBe(second.plain);
  });

  test('what the machine shows of itself changes nothing', async () => {
    await using box = await sandbox();
    const args = ['--workload', 'register', '--duration', '2s', '--seed', '3'];
    const quiet = await record(...args);
    const result = await box.schism(['run', '--backend', 'sim', ...args], {
      TZ: 'Asia/Tokyo',
      LANG: 'tr_TR.UTF-8',
      FORCE_COLOR: '1',
    });
    const dir = join(await box.runDir(), 'tests', 'register');
    expect({ code: result.code, out: result.code === 0 ? '' : result.out }).toEqual({
      code: 0,
      out: '',
    });
    expect(sha256(await readFile(join(dir, 'history.jsonl.gz')))).toBe(quiet.packed);
    expect(result.out).toMatch(/Simulated: \d+\.\d s of virtual time took \d+\.\d s/);
  });
});

describe('a simulated run', () => {
  test('keeps what a run of processes keeps, logs of the nodes too', async () => {
    await using box = await sandbox();
    const { code } = await box.schism([
      ...SIM,
      '--duration',
      '2s',
      '--workload',
      'register',
      '--seed',
      '7',
    ]);
    expect(code).toBe(0);
    const dir = join(await box.runDir(), 'tests', 'register', 'nodes');
    expect((await readdir(dir)).toSorted()).toEqual(['n1', 'n2', 'n3', 'n4', 'n5']);
    const log = await readFile(join(dir, 'n1', 'raftkv.log'), 'utf8');
    expect(log).toContain('leader changed');
    expect(log).toContain('1970-01-01T00:00:');
  });

  test('ends early when it is interrupted, heals, and is judged as it stands', async () => {
    await using box = await sandbox();
    const running = box.start([...SIM, '--duration', '2h', '--workload', 'register']);
    await box.recorded('"ph":"main"');
    running.kill('SIGINT');
    const { exitCode, stdout } = await running;
    expect(exitCode).toBe(130);
    expect(stdout).toContain('interrupted by SIGINT');
    const dir = join(await box.runDir(), 'tests', 'register');
    const text = gunzipSync(await readFile(join(dir, 'history.jsonl.gz'))).toString('utf8');
    expect(text).toContain('"ph":"main"');
  });
});
