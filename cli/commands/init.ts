import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Readable } from 'node:stream';
import { Command } from 'commander';
import { EXIT, HarnessError, messageOf } from '../../harness/core/errors.ts';
import { type InitPlan, planInit } from '../init/plan.ts';
import type { Shell } from '../program.ts';
import { PACKAGE_ROOT, VERSION } from '../version.ts';

interface Flags {
  readonly yes?: boolean;
  readonly input: boolean;
  readonly dryRun?: boolean;
}

/** `schism init`: a config, tests that run at once, and a workflow for every night. */
export function initCommand(shell: Shell, finish: (code: number) => void): Command {
  return new Command('init')
    .description('write a config, an example that works at once, and a nightly workflow')
    .argument('[dir]', 'the folder (default: this one)')
    .option('-y, --yes', 'write without asking')
    .option('--dry-run', 'say what would be written, and end')
    .option('--no-input', 'never ask')
    .action(async (dir: string | undefined, flags: Flags) => {
      finish(await init(shell, resolve(dir ?? '.'), flags));
    });
}

async function init(shell: Shell, dir: string, flags: Flags): Promise<number> {
  const plan = await planInit(dir);
  const shown = relative('', dir) === '' ? 'this folder' : relative('', dir);
  if (plan.taken.length > 0)
    throw new HarnessError(
      'bad-input',
      `init overwrites nothing, and ${shown} has: ${plan.taken.join(', ')}`,
    );
  if (flags.dryRun === true) {
    shell.out(`Would write in ${shown}:\n${filesText(plan)}`);
    return EXIT.pass;
  }
  if (flags.yes !== true) {
    if (!shell.isTty || !flags.input)
      throw new HarnessError(
        'bad-option',
        `init would write ${plan.files.map(({ path }) => path).join(', ')}; ` +
          'say --yes to let it, or --dry-run to see more',
      );
    shell.out(`In ${shown}:\n${filesText(plan)}`);
    if (!(await agreed(shell))) {
      shell.out('Nothing was written.\n');
      return EXIT.pass;
    }
  }
  await write(dir, plan);
  shell.out(`Wrote in ${shown}:\n${filesText(plan)}\n${nextText(dir)}`);
  return EXIT.pass;
}

function filesText({ files, notes }: InitPlan): string {
  const width = Math.max(...files.map(({ path }) => path.length));
  const lines = files.map(
    ({ path, about, grows }) => `  ${grows ? '+' : ' '} ${path.padEnd(width)}  ${about}\n`,
  );
  return [...lines, ...notes.map((note) => `    ${note}\n`)].join('');
}

/** Enter is a yes; the end of the input is a no. */
async function agreed(shell: Shell): Promise<boolean> {
  shell.out('Write them? [Y/n] ');
  for await (const line of createInterface({ input: Readable.from(shell.stdin()) }))
    return /^(y|yes)?$/i.test(line.trim());
  shell.out('\n');
  return false;
}

async function write(dir: string, { files }: InitPlan): Promise<void> {
  try {
    for (const { path, text, grows } of files) {
      const whole = join(dir, path);
      await mkdir(dirname(whole), { recursive: true });
      // Whatever came there since we looked stays.
      await writeFile(whole, text, { flag: grows ? 'w' : 'wx' });
    }
  } catch (error) {
    throw new HarnessError('store-failed', `init: ${messageOf(error)}`, { cause: error });
  }
}

function nextText(dir: string): string {
  const folder = relative('', dir);
  const steps = [
    ...(folder === '' ? [] : [`cd ${folder}`]),
    ...(isInstalled(dir) ? [] : [`npm install --save-dev ${ownSource()}`]),
    'npx schism run --project simulated     the tests, in a few seconds',
    'npx schism run                         the same on real processes, too',
    'npx schism list                        what else tests can be made of',
  ];
  return `Next\n${steps.map((step) => `  ${step}\n`).join('')}`;
}

/** Whether what a test file there imports can be found. */
function isInstalled(dir: string): boolean {
  try {
    createRequire(join(dir, 'any.js')).resolve('schism');
    return true;
  } catch {
    return false;
  }
}

/** What npm can install this very program from: its version, or where it lies. */
function ownSource(): string {
  const isPublished = PACKAGE_ROOT.split(/[/\\]/).includes('node_modules');
  if (isPublished) return `schism@${VERSION}`;
  return /^[\w./-]+$/.test(PACKAGE_ROOT) ? PACKAGE_ROOT : `'${PACKAGE_ROOT}'`;
}
