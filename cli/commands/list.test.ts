import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Shell } from '../program.ts';
import { listCommand } from './list.ts';

const TEST_API = join(import.meta.dirname, '..', 'suite', 'test-api.ts');

/** It asks this machine for programs and for a container engine. */
const PROBES = { timeout: 60_000 };

let root = '';
let config = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'schism-list-'));
  config = join(root, 'c.mjs');
  const store = "{ name: 'my-store', summary: 'mine', options: { size: 'how big' }, ";
  const more =
    "backends: ['process'], network: new Set(), available: async () => 'no binary', deploy() {} }";
  await writeFile(
    config,
    `export default { system: 'memory', projects: [{ name: 'p1' }, { name: 'p2' }],
       nemeses: { quake: () => ({}) }, systems: [${store}${more}] };`,
  );
  await writeFile(
    join(root, 'a.chaos.mjs'),
    `import { test } from ${JSON.stringify(TEST_API)};
test('sound', { tags: ['@quick'] });
test.expectViolation('known', { bug: 'stale-read', within: '2 runs' });`,
  );
});
afterAll(async () => {
  await rm(root, { recursive: true });
});

async function list(...words: readonly string[]): Promise<string> {
  let out = '';
  const shell = {
    env: { CI: '1' },
    out: (text: string) => {
      out += text;
    },
  } as unknown as Shell;
  const codes: number[] = [];
  const command = listCommand(shell, (code) => codes.push(code));
  await command.exitOverride().parseAsync(words, { from: 'user' });
  expect(codes).toEqual([0]);
  return out;
}

test(
  'a list says which tests, projects, systems, workloads and faults there are',
  PROBES,
  async () => {
    const text = await list('-c', config);
    const lines = text.split('\n');
    expect(lines[0]).toBe('tests');
    expect(lines[1]).toMatch(/a\.chaos\.mjs:2 {2}sound {2}\[p1\] {2}@quick$/);
    expect(lines[4]).toMatch(/:3 {2}known {2}\[p2\] {2}must show a violation within 2 runs$/);
    expect(lines.slice(5, 8)).toEqual(['projects', '  p1, p2', 'systems']);
    expect(text).toContain(
      '  my-store   mine\n             --backend process  not here: no binary\n',
    );
    expect(text).toContain('             -O size=…  how big\n');
    expect(text).toMatch(/\nworkloads\n {2}register .*\n/);
    expect(text).toMatch(/\nfaults\n {2}partition, .*, quake\n$/);
  },
);

test('who asks for some tests reads of those alone', async () => {
  expect(await list('-c', config, 'sound', '--project', 'p2')).toMatch(
    /^ {2}\S+a\.chaos\.mjs:2 {2}sound {2}\[p2\] {2}@quick\n1 test\n$/,
  );
  const known = JSON.parse(await list('-c', config, '--known-bugs', '--json')) as {
    readonly tests: readonly object[];
  };
  expect(Object.keys(known)).toEqual(['tests', 'projects']);
  expect(known.tests).toHaveLength(2);
  expect(known.tests[0]).toMatchObject({
    title: 'known',
    line: 3,
    project: 'p1',
    expects: { within: '2 runs' },
  });
});

test('an unknown name is refused as a run would refuse it', async () => {
  await expect(list('-c', config, 'soudn')).rejects.toThrow(
    "(did you mean 'sound'?); there are 4 tests",
  );
  await expect(list('-c', config, '--project', 'p3')).rejects.toThrow("unknown project 'p3'");
});
