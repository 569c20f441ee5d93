/** What a user does with runs that were stored, each command in a process of its own. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { realClock, sleep } from '../harness/core/clock.ts';
import { MAIN, type Said, type Sandbox, sandbox } from './cli-testing.ts';

const QUICK = 'run --system memory --duration 1s --quiet-start 200ms -q --no-faults';

let box: Sandbox;
/** Ids, by verdict. */
let passed = '';
let failed = '';
const schism = (args: string): Promise<Said> => box.schism(args.split(' '));
const runs = (): string => join(box.dir, '.schism', 'runs');

async function newest(): Promise<string> {
  const { out } = await schism('runs ls --json -n 1');
  return (JSON.parse(out) as { runs: { run: string }[] }).runs[0]?.run ?? '';
}

beforeAll(async () => {
  box = await sandbox();
  expect((await schism(`${QUICK} --workload register --seed 1`)).code).toBe(0);
  passed = await newest();
  expect((await schism(`${QUICK} --bug dirty-read --seed 3 --rate 2000 --duration 4s`)).code).toBe(
    1,
  );
  failed = await newest();
  expect((await schism('runs export latest -o saved.zip')).code).toBe(0);
});
afterAll(async () => {
  await box[Symbol.asyncDispose]();
});

describe('a run is called', () => {
  test.each(['latest', 'saved.zip'])('%s by every command', async (ref) => {
    const shown = await schism(`runs show ${ref} --json`);
    expect(JSON.parse(shown.out)).toMatchObject({ run: failed, state: 'fail' });
    const checked = await schism(`check ${ref} --json`);
    expect(JSON.parse(checked.out)).toMatchObject({ verdict: 'fail' });
    const explained = await schism(`explain ${ref} --format json`);
    expect(JSON.parse(explained.out)).toMatchObject({ verdict: 'fail' });
    const page = await schism(`report ${ref} -o -`);
    expect(page.out.slice(0, 15)).toBe('<!doctype html>');
    expect([shown, checked, explained, page].map(({ code }) => code)).toEqual([0, 1, 0, 0]);
  });

  test('by its number from the end, the beginning of its id, or a file in its folder', async () => {
    const [folder = ''] = (await readdir(runs())).filter((name) => name.endsWith(`-${passed}`));
    for (const ref of ['-2', passed.slice(0, 3), join('.schism/runs', folder, 'junit.xml')])
      expect([ref, (await schism(`runs show ${ref} --json`)).out]).toEqual([
        ref,
        expect.stringContaining(`"run":"${passed}"`) as string,
      ]);
  });

  test('through standard input too, as an archive', async () => {
    const options = { cwd: box.dir, reject: false, inputFile: join(box.dir, 'saved.zip') } as const;
    const { exitCode } = await execa(process.execPath, [MAIN, 'check', '-'], options);
    expect(exitCode).toBe(1);
  });
});

test('the explanation has no escape sequence even where colours are forced', async () => {
  const formats = ['text', 'md', 'github-issue', 'json'];
  for (const format of formats) {
    const args = ['explain', failed, '--format', format];
    const { out, code } = await box.schism(args, { NO_COLOR: '', FORCE_COLOR: '1' });
    expect([format, code, out.includes('\u001b')]).toEqual([format, 0, false]);
    expect(out).toContain('read-of-failed-write');
  }
});

test('a claim that the stored history does not bear out is said, and exits 255', async () => {
  const from = join(box.dir, 'forged');
  await mkdir(from);
  await execa(process.execPath, [MAIN, 'runs', 'export', failed, '-o', 'f.zip'], { cwd: box.dir });
  const [folder = ''] = (await readdir(runs())).filter((name) => name.endsWith(`-${failed}`));
  const results = join(runs(), folder, 'results.json');
  const whole = await readFile(results, 'utf8');
  const forged = JSON.parse(whole) as {
    checks: { anomalies: { kind: string }[] }[];
  };
  for (const { anomalies } of forged.checks)
    for (const anomaly of anomalies) anomaly.kind = 'phantom-read';
  await writeFile(results, JSON.stringify(forged));
  try {
    const { code, out, err } = await schism(`explain ${failed}`);
    expect(code).toBe(255);
    expect(out).toMatch(/0 of \d+ claims? holds?\n +✗ .*phantom-read.*does not bear it out/);
    expect(err).toMatch(/claims are not borne out by the stored history/);
  } finally {
    await writeFile(results, whole);
  }
});

test('a report is made again where it was, or where it is asked for', async () => {
  const [folder = ''] = (await readdir(runs())).filter((name) => name.endsWith(`-${passed}`));
  const path = join(runs(), folder, 'report.html');
  await rm(path);
  const again = await schism(`report ${passed}`);
  expect(again).toEqual({ code: 0, out: `.schism/runs/${folder}/report.html`, err: '' });
  expect(await readFile(path, 'utf8')).toContain('</html>');
  expect((await schism('report saved.zip')).out).toMatch(/^\d{8}T\d{6}Z-[0-9a-f]+\.html$/);
  expect((await schism('report latest -o deep/page.html')).code).toBe(0);
  expect(await readFile(join(box.dir, 'deep/page.html'), 'utf8')).toContain('</html>');
});

test('two runs are compared', async () => {
  const { out, code } = await schism(`runs diff ${passed} saved.zip`);
  expect(code).toBe(0);
  expect(out).toMatch(/≠ +verdict +✓ PASS +✗ FAIL/);
  expect(out).toMatch(/≠ +workload +register +register\+reads/);
  const { rows } = JSON.parse((await schism(`runs diff latest latest --json`)).out) as {
    rows: { a: string; b: string }[];
  };
  expect(rows.length).toBeGreaterThan(10);
  expect(rows.filter(({ a, b }) => a !== b)).toEqual([]);
});

describe('a run is replayed', () => {
  test('often, with the share of violations and how sure that is', async () => {
    await using own = await sandbox();
    const say = (args: string): Promise<Said> => own.schism(args.split(' '));
    await say(`${QUICK.replace(' --no-faults', '')} --fault pause --bug stale-read --seed 3`);
    const { out, code } = await say('replay latest --repeat-each 2');
    expect(out).toMatch(
      /replay [0-9a-f]+: memory\/register\+reads, seed 0x00000003, \d+ faults? as recorded/,
    );
    expect(out).toMatch(/ 2 of 2 +. \w+ +run [0-9a-f]{4}/);
    expect(out).toMatch(/A violation in \d of 2 \(95.% interval \d+.% to \d+.%\)/);
    expect(code).toBe(out.includes('✗ fail') ? 1 : 0);
    const { out: all } = await say('runs ls --json');
    expect(all.match(/"folder":/g)).toHaveLength(3);
  });

  test('in the simulator to the same history, byte for byte', async () => {
    await using own = await sandbox();
    const say = (args: string): Promise<Said> => own.schism(args.split(' '));
    await say('run --backend sim --duration 3s -q --seed 7');
    const { out } = await say('replay latest --repeat-each 5');
    expect(out).toMatch(/ 1 of 1 +. \w+ +run [0-9a-f]{4}/);
    expect(out).toContain('The history is the same, byte for byte.');
    const { identical, runs: made } = JSON.parse((await say('replay latest --json')).out) as {
      identical: boolean;
      runs: object[];
    };
    expect([identical, made.length]).toEqual([true, 1]);
  });
});

test.each(['serve', 'report --serve'])('%s shows the list and ends by Ctrl-C', async (command) => {
  const args = [...command.split(' '), '--port', '0'];
  const running = execa(process.execPath, [MAIN, ...args], { cwd: box.dir, reject: false });
  const clock = realClock();
  let url = '';
  running.stdout.on('data', (text: Buffer) => {
    url += text.toString();
  });
  try {
    for (let tries = 0; tries < 400 && !url.includes('\n'); tries++) await sleep(clock, 50);
    const page = await (await fetch(url.trim())).text();
    expect(page).toContain(passed);
    const [, link = ''] = /href="(\/runs\/[^"]*)"/.exec(page) ?? [];
    expect((await fetch(new URL(link, url.trim()))).status).toBe(200);
  } finally {
    running.kill('SIGINT');
  }
  expect((await running).exitCode).toBe(0);
});

test('secrets of the command line and the environment are nowhere in what is stored', async () => {
  await using own = await sandbox();
  const jewel = 'hunter2-jewel';
  const args = `${QUICK} --workload register --output ./password-${jewel}`.split(' ');
  const env = { GITHUB_TOKEN: jewel, GITHUB_SHA: 'abc', DB_PASSWORD: jewel };
  expect((await own.schism(args, env)).code).toBe(0);
  const names = await readdir(own.dir, { recursive: true, withFileTypes: true });
  const files = names
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const holding = [];
  for (const file of files)
    if ((await readFile(file, 'latin1')).includes(jewel)) holding.push(file);
  expect(files.length).toBeGreaterThan(8);
  expect(holding).toEqual([]);
  const run = files.find((file) => file.endsWith('run.json')) ?? '';
  const { env: kept, argv } = JSON.parse(await readFile(run, 'utf8')) as {
    env: Record<string, string>;
    argv: string[];
  };
  expect(kept['GITHUB_SHA']).toBe('abc');
  expect(argv.at(-1)).toBe('(not stored)');
});

test('deleting never takes the run that is being written', async () => {
  await using own = await sandbox();
  const running = own.start(['run', '--system', 'memory', '--duration', '60s', '--no-faults']);
  await own.recorded('"ph":"main"');
  expect((await own.schism(['runs', 'ls'])).out).toContain('▶ running');
  const { out } = await own.schism(['runs', 'prune', '--max-runs', '0', '--max-size', '0MB']);
  expect(out).toBe(' nothing to delete, 1 run left');
  running.kill('SIGINT');
  expect((await running).exitCode).toBe(130);
});
