import { createWriteStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { Command } from 'commander';
import { EXIT, HarnessError, messageOf } from '../../harness/core/errors.ts';
import { unreachable } from '../../harness/core/invariant.ts';
import { suggest } from '../../harness/core/suggest.ts';
import { printJsonl } from '../../harness/history/formats/jsonl.ts';
import { printOps } from '../../harness/history/formats/ops.ts';
import type { History } from '../../harness/history/history.ts';
import type { Anomaly } from '../../harness/protocols/checker.ts';
import { readResult } from '../../harness/store/store.ts';
import { exportCsv } from '../../reports/export/csv.ts';
import { exportEdn } from '../../reports/export/edn.ts';
import type { Exported } from '../../reports/export/exported.ts';
import { exportPerfetto } from '../../reports/export/perfetto.ts';
import { exportPorcupine } from '../../reports/export/porcupine.ts';
import { judgeable } from '../../reports/export/select.ts';
import { clean } from '../../reports/words.ts';
import { loadHistory, spooled } from '../load-history.ts';
import type { Shell } from '../program.ts';
import { DEFAULT_ROOT, RUN_HELP } from '../stored.ts';
import { findSubject, type Subject, type SubjectFlags } from '../subject.ts';

const TARGETS = ['edn', 'porcupine', 'perfetto', 'csv', 'jsonl', 'ops'] as const;
type Target = (typeof TARGETS)[number];

interface Flags extends SubjectFlags {
  readonly to: string;
  readonly out: string;
  readonly all?: boolean;
}

/** `schism export`: a history in the form of another tool. */
export function exportCommand(shell: Shell, finish: (code: number) => void): Command {
  return new Command('export')
    .description("a run's history for other tools: Jepsen's, Porcupine's, Perfetto, spreadsheets")
    .argument('[run]', `${RUN_HELP}; also a history file, or - for standard input`, 'latest')
    .requiredOption('--to <form>', TARGETS.join(', '))
    .option('-o, --out <file>', 'where to; compressed if it ends in .gz; -: standard output', '-')
    .option('--all', 'edn, ops: also what their readers would misjudge, such as serializable reads')
    .option('--format <name>', 'of a history file (default: by its content)')
    .option('--output <dir>', 'where runs are kept', DEFAULT_ROOT)
    .action(async (ref: string, flags: Flags) => {
      const target = targetOf(flags.to);
      await using input = ref === '-' ? await spooled(shell.stdin()) : undefined;
      await using found = await findSubject(input ? 'stdin' : ref, input?.path ?? ref, flags);
      await exported(shell, found, target, flags);
      finish(EXIT.pass);
    });
}

function targetOf(text: string): Target {
  const target = TARGETS.find((name) => name === text);
  if (target !== undefined) return target;
  throw new HarnessError(
    'bad-option',
    `--to: '${text}'${suggest(text, TARGETS)}; it is one of ${TARGETS.join(', ')}`,
  );
}

async function exported(
  shell: Shell,
  found: Subject,
  target: Target,
  { out, all = false }: Flags,
): Promise<void> {
  const { history, torn } = await loadHistory(found.historyPath, found.format);
  const loses = !all && (target === 'edn' || target === 'ops');
  const chosen = loses ? judgeable(history) : { history, notes: [] };
  const formed = inForm(chosen.history, target, await anomaliesOf(found.runPath));
  if (torn) shell.err('schism: the last line was cut off in mid-write, and left out\n');
  for (const note of [...chosen.notes, ...formed.notes]) shell.err(`schism: ${note}\n`);
  if (out === '-') {
    for (const piece of formed.text) shell.out(piece);
    return;
  }
  await written(out, formed.text);
  shell.err(`schism: wrote ${clean(out)}, with values and errors as the store said them\n`);
}

/** Of a run that was judged; none where it crashed, or for a history that comes alone. */
async function anomaliesOf(runPath: string | undefined): Promise<readonly Anomaly[]> {
  if (runPath === undefined || !existsSync(join(runPath, 'results.json'))) return [];
  const { checks } = await readResult(runPath);
  return checks.flatMap(({ anomalies }) => anomalies);
}

function inForm(history: History, target: Target, anomalies: readonly Anomaly[]): Exported {
  switch (target) {
    case 'edn':
      return exportEdn(history);
    case 'porcupine':
      return exportPorcupine(history, anomalies);
    case 'perfetto':
      return exportPerfetto(history);
    case 'csv':
      return exportCsv(history);
    case 'jsonl':
      return { text: ended(printJsonl(history)), notes: [] };
    case 'ops':
      return { text: ended(printOps(history)), notes: [] };
    default:
      return unreachable(target);
  }
}

function* ended(lines: Iterable<string>): Generator<string> {
  for (const line of lines) yield `${line}\n`;
}

async function written(path: string, text: Iterable<string>): Promise<void> {
  const target = createWriteStream(path);
  const source = Readable.from(text, { objectMode: true, highWaterMark: 256 });
  try {
    await (path.endsWith('.gz')
      ? pipeline(source, createGzip({ level: 6 }), target)
      : pipeline(source, target));
  } catch (error) {
    throw new HarnessError('store-failed', `cannot write ${path}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
