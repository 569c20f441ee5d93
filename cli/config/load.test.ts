import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findConfig, loadConfig } from './load.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'schism-config-'));
});
afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

async function file(name: string, text: string): Promise<string> {
  await writeFile(join(dir, name), text);
  return join(dir, name);
}

test('JSON and modules are read alike, and paths are relative to the file', async () => {
  const json = await file('a.json', '{ "duration": "5s", "schedule": "s.json", "output": "out" }');
  const read = { duration: '5s', schedule: join(dir, 's.json'), output: join(dir, 'out') };
  expect(await loadConfig(json)).toEqual(read);
  const words = "duration: '5s', schedule: 's.json', output: './out'";
  expect(await loadConfig(await file('b.mjs', `export default { ${words} };`))).toEqual(read);
});

test('a file that is none is refused, with what to do', async () => {
  const refused = async (path: string): Promise<string> =>
    await loadConfig(path).then(
      () => 'it was read',
      (error: Error) => error.message,
    );
  expect(await refused(join(dir, 'none.ts'))).toMatch(
    /cannot read .*none\.ts: there is no such file$/,
  );
  expect(await refused(await file('c.json', '{'))).toMatch(/cannot read .*c\.json: /);
  expect(await refused(await file('c.yml', ''))).toMatch(/c\.yml must end in \.json or \.ts, /);
  expect(await refused(await file('d.mjs', 'export const config = {};'))).toMatch(
    /d\.mjs exports no config; write: export default defineConfig\(\{ \.\.\. \}\)$/,
  );
  expect(await refused(await file('e.mjs', "throw new Error('dear me');"))).toMatch(
    /e\.mjs does not load: dear me$/,
  );
  expect(await refused(await file('f.mjs', 'export default { rates: 1 };'))).toMatch(
    /f\.mjs: has no 'rates' \(did you mean 'rate'\?\)/,
  );
});

test('a project finds its schedule beside the config, and the tests are where it says', async () => {
  const text = '{ "testDir": "chaos", "projects": [{ "name": "a", "schedule": "s.json" }] }';
  expect(await loadConfig(await file('g.json', text))).toEqual({
    testDir: join(dir, 'chaos'),
    projects: [{ name: 'a', schedule: join(dir, 's.json') }],
  });
});

test('without a word the config of the folder counts, and two of them are one too many', async () => {
  const home = await mkdtemp(join(dir, 'home-'));
  expect(await findConfig(undefined, home)).toEqual({ config: {} });
  await writeFile(join(home, 'schism.config.json'), '{ "rate": 1 }');
  const path = join(home, 'schism.config.json');
  expect(await findConfig(undefined, home)).toEqual({ config: { rate: 1 }, path });
  const named = await file('h.json', '{ "rate": 2 }');
  expect(await findConfig(named, home)).toEqual({ config: { rate: 2 }, path: named });
  await writeFile(join(home, 'schism.config.mjs'), 'export default {};');
  await expect(findConfig(undefined, home)).rejects.toThrow(
    'there is a schism.config.mjs and a schism.config.json; say with --config which one counts',
  );
  await expect(findConfig(join(home, 'none.ts'))).rejects.toThrow('there is no such file');
});
