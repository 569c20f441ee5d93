import type { CheckResult } from '../../harness/protocols/checker.ts';
import type { LinearizableDetails } from '../../harness/protocols/details.ts';
import type { RunResult } from '../../harness/protocols/run.ts';
import { checkCommand } from '../command.ts';
import { linearizableOf } from '../details.ts';
import { hanging, paragraph } from '../layout.ts';
import { clean, clipped, counted, momentText } from '../words.ts';
import type { Lines, Page } from './page.ts';

const KEYS_MAX = 3;
const INDENT = { label: 3, text: 20 };

/** A check that gave up: how far it got, why it stopped, and what would help. */
export function unknownLines(check: CheckResult, page: Page): Lines {
  const { columns, style } = page;
  const reason = clean(check.reason ?? 'it gave no reason');
  return [
    '',
    ` ${style.warn('?')} ${style.strong(clipped(clean(check.checker), columns - 4))}`,
    '',
    ...paragraph(`${sentence(reason)} This is not evidence of a bug, and not a pass.`, columns, 3),
    ...searchLines(check, page),
  ];
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** What the linearizability checker knows about where it stopped. */
function searchLines(check: CheckResult, page: Page): Lines {
  const { columns, history, result, verbose } = page;
  const details = linearizableOf(check);
  if (details === undefined || details.unknown.length === 0) return [];
  const shown = verbose === true ? details.unknown : details.unknown.slice(0, KEYS_MAX);
  const left = details.unknown.length - shown.length;
  const far = shown.flatMap(({ key, decidedUpTo, operations, indefinite, reason }) => {
    const at = decidedUpTo >= 0 && decidedUpTo < history.length ? history.time(decidedUpTo) : 0;
    const text =
      `decided up to ${momentText(at)} s of its ${counted(operations, 'operation')}, ` +
      `${indefinite} of unknown outcome; out of ${reason}`;
    return hanging(`key ${clipped(clean(key), 12)}`, text, columns, INDENT);
  });
  return [
    '',
    ...paragraph(
      `${details.valid} of ${counted(details.keys, 'key')} were decided and are linearizable.`,
      columns,
      3,
    ),
    ...far,
    ...(left > 0 ? [`   and ${counted(left, 'more key')}`] : []),
    ...hardLines(details, columns),
    ...helpLines(details, result, columns),
  ];
}

/** What makes a search long: operations that may have happened at any time since, or never. */
function hardLines({ unknown }: LinearizableDetails, columns: number): Lines {
  const worst = unknown.toSorted((a, b) => b.indefinite - a.indefinite)[0];
  if (worst === undefined || worst.indefinite === 0) return [];
  const text =
    `${counted(worst.indefinite, 'operation')} of key ${clipped(clean(worst.key), 12)} ended with ` +
    'an unknown outcome: each may have happened at any time since, or not at all';
  return hanging('Why it is hard', text, columns, INDENT);
}

function helpLines(
  { unknown }: LinearizableDetails,
  { manifest }: RunResult,
  columns: number,
): Lines {
  const check = checkCommand(manifest);
  const { checkLimits, workloadOptions } = manifest.config;
  const reasons = new Set(unknown.map(({ reason }) => reason));
  const minutes = Math.max(30, Math.ceil((checkLimits.timeoutMs * 4) / 60_000));
  const gigabytes = Math.max(8, Math.ceil((checkLimits.memoryBytes * 2) / 1e9));
  const isMemory = reasons.has('memory') && !reasons.has('time');
  const now = isMemory
    ? `more memory for the same history: ${check} --check-memory ${gigabytes}GB`
    : `more time for the same history: ${check} --check-timeout ${minutes}m`;
  const timeout = `${workloadOptions.clientTimeoutMs / 1000}s`;
  const next = [
    `next run: a client timeout (--client-timeout, now ${timeout}) longer than the faults, so that ` +
      'fewer outcomes stay unknown',
    'next run: fewer operations for each key (-W ops-per-key=N), where the workload has that option',
  ];
  const isStored = manifest.startedAt !== '';
  return [...(check === '' ? [] : [now]), ...(isStored ? next : [])].flatMap((text, at) =>
    hanging(at === 0 ? 'What helps' : '', text, columns, INDENT),
  );
}
