import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadConfig } from './load.ts';

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
