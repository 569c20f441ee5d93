/** `raftkv restore`: `etcdctl snapshot restore`, for backups of raftkv and with the same flags. */
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Command } from 'commander';
import { HarnessError, messageOf, systemCodeOf } from '../../../harness/core/errors.ts';
import { type Bugs, NO_BUGS, parseBugs } from '../bugs.ts';
import {
  dataDirOf,
  type Help,
  initialMembers,
  type MemberValues,
  memberFlags,
  parseWith,
} from '../flags-members.ts';
import { openFileDisk, readWhole } from '../storage/file-disk.ts';
import { readBackup } from './backup-file.ts';
import { type Restored, type RestorePlan, writeRestored } from './restore.ts';

const EXIT_FAILED = 1;
const EXIT_BAD_FLAGS = 2;

interface Values extends MemberValues {
  readonly skipHashCheck: boolean;
  readonly bug?: Bugs;
}

/** All that the command is told. */
export interface RestoreSettings {
  /** The backup. */
  readonly file: string;
  readonly dataDir: string;
  readonly plan: RestorePlan;
}

/** Reads the arguments after `restore`. Throws `bad-option`, in one line. */
export function parseRestore(
  args: readonly string[],
): Help | { readonly type: 'restore'; readonly settings: RestoreSettings } {
  const command = memberFlags(new Command('raftkv restore'))
    .description('Makes the data folder of a member of a new cluster out of a backup.')
    .argument('<file>', 'what `etcdctl snapshot save` has written; the same for all members')
    .option(
      '--skip-hash-check',
      'takes a copy of the file db of a member, which has no hash',
      false,
    )
    .option('--bug <name,...>', 'to be wrong in a known way: restore-same-id', parseBugs);
  const help = parseWith(command, args);
  if (help !== undefined) return help;
  const values = command.opts<Values>();
  const { name, initialClusterToken: token, skipHashCheck, bug: bugs = NO_BUGS } = values;
  const plan = { name, initialCluster: initialMembers(values), token, skipHashCheck, bugs };
  const [file = ''] = command.args;
  return { type: 'restore', settings: { file, dataDir: dataDirOf(values), plan } };
}

/** Sets `process.exitCode`; never throws for what is not a bug. */
export async function runRestore(args: readonly string[]): Promise<void> {
  try {
    const parsed = parseRestore(args);
    if (parsed.type === 'help') {
      process.stdout.write(parsed.text);
      return;
    }
    const { settings } = parsed;
    process.stdout.write(`${said(settings, await restoreFile(settings))}\n`);
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    process.stderr.write(`raftkv: ${error.message}\n`);
    process.exitCode = error.code === 'bad-option' ? EXIT_BAD_FLAGS : EXIT_FAILED;
  }
}

function said({ file, dataDir, plan }: RestoreSettings, restored: Restored): string {
  const { identity, from, revision } = restored;
  const of = from === undefined ? '' : ` of member ${from.member} of cluster ${from.cluster}`;
  return (
    `restored ${file}${of}, revision ${revision}, to ${dataDir}: ` +
    `${plan.name} is member ${identity.member} of the new cluster ${identity.cluster}`
  );
}

/** Throws `bad-input` or `store-failed`, and leaves nothing behind then. */
export async function restoreFile({ file, dataDir, plan }: RestoreSettings): Promise<Restored> {
  if (existsSync(dataDir)) throw existing(dataDir);
  const read = readBackup(await contentOf(file), plan.skipHashCheck ?? false);
  await makeFolder(dataDir);
  try {
    await using disk = await openFileDisk(dataDir);
    return await writeRestored(disk, read, plan);
  } catch (error) {
    await rm(dataDir, { recursive: true, force: true });
    throw unwritable(dataDir, error);
  }
}

/** What somebody else made meanwhile is not ours to write to, nor to remove. */
async function makeFolder(dataDir: string): Promise<void> {
  try {
    await mkdir(dirname(dataDir), { recursive: true });
  } catch (error) {
    throw unwritable(dataDir, error);
  }
  try {
    await mkdir(dataDir);
  } catch (error) {
    throw systemCodeOf(error) === 'EEXIST' ? existing(dataDir) : unwritable(dataDir, error);
  }
}

function existing(dataDir: string): HarnessError {
  return new HarnessError(
    'store-failed',
    `the data folder ${dataDir} exists; restore to another one, or remove it first`,
  );
}

/** What is no error of the system stays as it is. */
function unwritable(dataDir: string, error: unknown): unknown {
  if (error instanceof HarnessError || systemCodeOf(error) === undefined) return error;
  return new HarnessError('store-failed', `cannot write to ${dataDir}: ${messageOf(error)}`);
}

async function contentOf(file: string): Promise<Uint8Array> {
  try {
    return await readWhole(file);
  } catch (error) {
    throw new HarnessError('bad-input', `cannot read ${file}: ${messageOf(error)}`);
  }
}
