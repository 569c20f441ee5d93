/** The exit code says what came out, of one run and of many together; see `EXIT` and `worstExit`. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { called } from '../cli/testing.ts';
import { realClock, sleep } from '../harness/core/clock.ts';
import { type Said, type Sandbox, sandbox } from './cli-testing.ts';

/** On virtual time: what comes out is the same on every machine. */
const SIM = '--backend sim --nodes 3 --workload register --quiet-start 500ms --rate 500 --seed 5';
const PASS = `${SIM} --duration 300ms --no-faults`;
const FAIL = `${SIM} --duration 3s --no-faults --bug txn-race`;
/** No pause is ever begun: the first comes after the end. */
const IDLE = `${SIM} --duration 300ms --fault pause --fault-interval 1h`;
const GONE = '--system etcd -O binary=./no-such-etcd --duration 1s';

const SUITE = join(import.meta.dirname, 'exit-codes');
const CONFIG = ['--config', join(SUITE, 'schism.config.ts')];

let box: Sandbox;
beforeAll(async () => {
  box = await sandbox();
});
afterAll(async () => {
  await box[Symbol.asyncDispose]();
});

function lastLine({ out }: Said): string {
  return (out.trimEnd().split('\n').at(-1) ?? '').trim();
}

const store = (): string => join(box.dir, '.schism');

describe('one run ends with', () => {
  test.each([
    [0, 'nothing wrong', `run ${PASS}`],
    [1, 'a violation', `run ${FAIL}`],
    [
      1,
      'a violation, whatever else is required',
      `run ${FAIL.replace(' --no-faults', '')} --fault pause --fault-interval 1h --require-faults`,
    ],
    [2, 'a fault that never came', `run ${IDLE}`],
    [0, 'the same, accepted', `run ${IDLE} --unknown warn`],
    [3, 'the same, required', `run ${IDLE} --require-faults`],
    [3, 'no program', `run ${GONE}`],
    [254, 'no such flag', 'run --nope'],
    [254, 'no such value', 'run --duration soon'],
    [254, 'no such command', 'ruin'],
  ] as const)('%i: %s', async (code, _, args) => {
    const flags = code === 254 ? [] : ['-q', '--output', store()];
    const said = await called([...args.split(' '), ...flags]);
    expect({ code: said.code, said: said.code === code ? '' : said.out + said.err }).toEqual({
      code,
      said: '',
    });
    // Where there was a run, its last line names the code.
    if (said.out !== '') expect(lastLine(said)).toMatch(new RegExp(`^exit ${code}: `));
    else expect(said.err).not.toBe('');
  });
});

describe('a suite ends with', () => {
  const suite = (grep: string): Promise<Said> => box.schism(['run', ...CONFIG, '--grep', grep]);

  test.each([
    [0, '^(passes|found|accepted)$'],
    [1, '^(passes|fails)$'],
    [1, '^(fails|unknown|infrastructure|mistake)$'],
    [1, '^(missed|mistake)$'],
    [255, '^(passes|unknown|infrastructure|mistake)$'],
    [3, '^(passes|unknown|infrastructure|found)$'],
    [2, '^(passes|unknown|found)$'],
    [4, '^nothing-has-this-name$'],
  ] as const)('%i of %s', async (code, grep) => {
    const said = await suite(grep);
    expect({ code: said.code, said: said.code === code ? '' : said.out + said.err }).toEqual({
      code,
      said: '',
    });
    if (code !== 4) expect(lastLine(said)).toMatch(new RegExp(`^exit ${code}`));
  });

  test('4 for nothing selected, unless that is allowed', async () => {
    await using empty = await sandbox();
    const { code: none, err } = await empty.schism(['run', 'no-such-test']);
    expect([none, err]).toEqual([4, expect.stringMatching(/^schism: there are no test/)]);
    const flags = ['--grep', 'nothing-has-this-name', '--pass-with-no-tests'];
    const { code } = await box.schism(['run', ...CONFIG, ...flags]);
    expect(code).toBe(0);
  });

  test('254 for a test that cannot be, before any of the others runs', async () => {
    await using own = await sandbox();
    const options = "{ system: 'memory', duration: '1s'";
    await writeFile(
      join(own.dir, 'two.chaos.mjs'),
      `import { test } from '${join(SUITE, '..', '..', 'schism.ts')}';
       test('first', ${options} });
       test('second', ${options}, faultInterval: 'soon' });`,
    );
    await writeFile(join(own.dir, 'schism.config.json'), '{}');
    const { code, out, err } = await own.schism(['run']);
    expect([code, out]).toEqual([254, '']);
    expect(err).toMatch(/two\.chaos\.mjs:3.*second.*--fault-interval/);
  });
});

/** Resolves when the second run of a sandbox is under way. */
async function bothStarted({ dir }: Sandbox): Promise<void> {
  const runs = join(dir, '.schism', 'runs');
  for (let tries = 0; tries < 1200; tries++) {
    const folders = (await readdir(runs).catch(() => [])).filter((name) => /^\d{8}T/.test(name));
    for (const folder of folders) {
      const path = join(runs, folder, 'tests', 'register', 'history.jsonl');
      const text = await readFile(path, 'utf8').catch(() => '');
      if (folders.length === 2 && text.includes('"ph":"main"')) return;
    }
    await sleep(realClock(), 50);
  }
  throw new Error('the second run did not start');
}

describe('what is interrupted ends with', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s: one run with %i, and it is judged', async (signal, code) => {
    await using own = await sandbox();
    const running = own.start(`run ${SIM} --duration 10h --no-faults -q`.split(' '));
    await own.recorded('"ph":"main"');
    running.kill(signal);
    const { exitCode, stdout } = await running;
    expect(exitCode).toBe(code);
    expect(stdout.trimEnd().split('\n').at(-1)).toContain(`exit ${code}`);
    expect(stdout).toContain(`interrupted by ${signal}`);
  });

  test.each([
    ['^(passes|endless)$', 130],
    ['^(fails|endless)$', 1],
  ] as const)('a suite of %s with %i', async (grep, code) => {
    await using own = await sandbox();
    const running = own.start(['run', ...CONFIG, '--grep', grep]);
    await bothStarted(own);
    running.kill('SIGINT');
    const { exitCode, stdout } = await running;
    expect(exitCode).toBe(code);
    expect(stdout.trimEnd().split('\n').at(-1)).toContain(`exit ${code}`);
  });
});

describe('a stored run that is judged again ends with', () => {
  test.each([
    [0, PASS],
    [1, FAIL],
    [2, IDLE],
  ] as const)('%i, as when it was made', async (code, flags) => {
    const at = ['--output', join(box.dir, `again-${code}`)];
    expect((await called([...`run ${flags} -q`.split(' '), ...at])).code).toBe(code);
    expect((await called(['check', 'latest', ...at])).code).toBe(code);
  });

  test('the worst code of several, where one that is no history costs only itself', async () => {
    const made = async (flags: string, name: string): Promise<string> => {
      const output = join(box.dir, name);
      await called([...`run ${flags} -q`.split(' '), '--output', output]);
      return join(output, 'latest');
    };
    const [good, bad] = [await made(PASS, 'several-good'), await made(FAIL, 'several-bad')];
    const said = await called(['check', good, 'nowhere.jsonl', bad, '--json']);
    expect(said.code).toBe(1);
    expect(said.err).toContain('nowhere.jsonl');
    expect(JSON.parse(said.out)).toMatchObject({
      exitCode: 1,
      histories: [{ verdict: 'pass' }, { exitCode: 254 }, { verdict: 'fail' }],
    });
    const without = await called(['check', good, 'nowhere.jsonl']);
    expect(lastLine(without)).toBe('exit 254: 1 could not be judged');
  });
});
