import type { CheckResult } from '../../harness/protocols/checker.ts';
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
function searchLines(check: CheckResult, { columns, history, result }: Page): Lines {
  const details = linearizableOf(check);
  if (details === undefined || details.unknown.length === 0) return [];
  const shown = details.unknown.slice(0, KEYS_MAX);
  const left = details.unknown.length - shown.length;
  const far = shown.flatMap(({ key, decidedUpTo, operations, indefinite, reason }) => {
    const at = decidedUpTo >= 0 && decidedUpTo < history.length ? history.time(decidedUpTo) : 0;
    const text =
      `decided up to ${momentText(at)} s of its ${counted(operations, 'operation')}, ` +
      `${indefinite} of unknown outcome; out of ${reason}`;
    return hanging(`key ${clipped(clean(key), 12)}`, text, columns, INDENT);
  });
  const check2 = checkCommand(result.manifest);
  return [
    '',
    ...paragraph(
      `${details.valid} of ${counted(details.keys, 'key')} were decided and are linearizable.`,
      columns,
      3,
    ),
    ...far,
    ...(left > 0 ? [`   and ${counted(left, 'more key')}`] : []),
    ...hanging(
      'What helps',
      `more time for the same history: ${check2} --check-timeout 30m`,
      columns,
      INDENT,
    ),
    ...hanging(
      '',
      'next run: a longer client timeout, so that fewer outcomes stay unknown',
      columns,
      INDENT,
    ),
  ];
}
