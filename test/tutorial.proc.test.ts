/** The examples of the tutorial do what its chapters say. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sandbox } from './cli-testing.ts';

const TUTORIAL = join(import.meta.dirname, '..', 'docs', 'tutorial');
const EXAMPLE = join(TUTORIAL, 'example');
const NIGHTLY = join(TUTORIAL, 'nightly');
/** Both kills of the schedule, and time to read what was lost. */
const BRIEF = [
  'run',
  `--config=${join(EXAMPLE, 'schism.config.ts')}`,
  '--duration=5s',
  '--quiet-start=500ms',
  '-q',
];

test('the store of chapter 3 loses what it acknowledged, and keeps it once each change is written', async () => {
  await using wrong = await sandbox();
  await using right = await sandbox();
  const [lost, kept] = await Promise.all([
    // Chapter 3's 20 may all be written when a kill comes.
    wrong.schism([...BRIEF, '-O', 'batch=200']),
    right.schism([...BRIEF, '-O', 'batch=1']),
  ]);
  expect(lost.out).toContain('FAIL  mykv/register');
  expect(lost.out).toMatch(/exit 1: \d+ violations?/);
  expect(kept.out).toContain('PASS  mykv/register');
  expect([lost.code, kept.code]).toEqual([1, 0]);

  const manifest = await readFile(join(await wrong.runDir(), 'run.json'), 'utf8');
  expect(JSON.parse(manifest)).toMatchObject({ config: { system: 'mykv' } });
});

test('a store that is no register is asked by its own workload, and judged by another model', async () => {
  await using box = await sandbox();
  const config = join(TUTORIAL, 'own-workload', 'schism.config.ts');
  const { code, out } = await box.schism(['run', '--config', config, '--duration', '2s', '-q']);
  expect(out).toContain('✗ linearizable   key sum   not-linearizable');
  expect(out).toMatch(/looked at\n.*: \d+ (add-and-get|read), \d+ (add-and-get|read)\n/);
  expect(code).toBe(1);
});

test('the suite of chapter 6 has three tests, each in two projects', async () => {
  await using box = await sandbox();
  const { code, out } = await box.schism([
    'run',
    '--config',
    join(NIGHTLY, 'schism.config.ts'),
    '--list',
  ]);
  expect(code).toBe(0);
  expect(out).toMatch(/known bug.*\[three\] +must show a violation within 3 runs/);
  expect(out).toContain('6 tests');
});

test.each([
  ['3-your-own-store.md', EXAMPLE, ['mykv.ts', 'mykv-system.ts', 'schism.config.ts']],
  ['6-nightly-ci.md', NIGHTLY, ['mykv.chaos.ts', 'schism.config.ts']],
])('the code that %s shows stands in its files', async (page, folder, names) => {
  const chapter = await readFile(join(TUTORIAL, page), 'utf8');
  const files = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  const shown = [...chapter.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, text = '']) => text);
  expect(shown.length).toBeGreaterThan(1);
  const strange = shown
    .flatMap((text) => text.split('\n').map((line) => line.trim()))
    .filter((line) => line !== '' && !files.some((file) => file.includes(line)));
  expect(strange).toEqual([]);
});
