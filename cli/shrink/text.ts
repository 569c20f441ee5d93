/** What `schism shrink` says of a history that it made small. */
import type { History } from '../../harness/history/history.ts';
import { commandLines, hanging, paragraph } from '../../reports/layout.ts';
import type { Page } from '../../reports/text/page.ts';
import { clean, counted, countText, lengthText } from '../../reports/words.ts';
import type { Shrunk } from './offline.ts';

/** Counts are of operations of clients. */
export interface Counts {
  /** On the keys of what remains, before anything was left out. */
  readonly operations: number;
  readonly kept: number;
  readonly removed: { readonly reads: number; readonly others: number };
  /** On other keys, or on none. */
  readonly elsewhere: number;
}

export interface Small extends Counts {
  /** What was shrunk, as it is called. */
  readonly ref: string;
  readonly file: string;
  /** Judges the file. */
  readonly command: string;
  readonly wallMs: number;
}

export function countsOf(history: History, { small }: Pick<Shrunk, 'small'>): Counts {
  const kept = new Set(small.kept);
  const remaining = [...small.history.operations()];
  const keys = new Set(remaining.map(({ invoke }) => invoke.key));
  let [operations, elsewhere, reads, others] = [0, 0, 0, 0];
  for (const { invoke } of history.operations()) {
    if (!keys.has(invoke.key)) elsewhere++;
    else {
      operations++;
      const isRead = invoke.f === 'read' || invoke.f === 'get';
      if (kept.has(invoke.index)) continue;
      if (isRead) reads++;
      else others++;
    }
  }
  return { operations, kept: remaining.length, removed: { reads, others }, elsewhere };
}

/** `picture` shows the violation in what remains. */
export function historyLines(
  small: Small,
  { checker, target, small: { isMinimal } }: Shrunk,
  picture: readonly string[],
  { columns, style }: Pick<Page, 'columns' | 'style'>,
): readonly string[] {
  const { ref, operations, kept, elsewhere, file, command, wallMs } = small;
  const of = target.key === undefined || target.key === '' ? '' : ` on ${clean(target.key)}`;
  const head = `shrink ${clean(ref)}: ${counted(operations, 'operation')}${of} → ${countText(kept)}`;
  const more = elsewhere === 0 ? '' : ` ${counted(elsewhere, 'operation')} elsewhere, too.`;
  const minimal = isMinimal
    ? 'Nothing more can be left out honestly and still show it.'
    : 'The time was up: perhaps more could be left out (--budget).';
  return [
    ` ${style.strong(head)}   ${style.dim(lengthText(wallMs))}`,
    ...paragraph(`Exact: ${removedText(small)}${more} ${minimal}`, columns, 3),
    ...picture,
    '',
    ...hanging('Written', clean(file), columns, { label: 1, text: 15 }),
    ...commandLines(clean(command), columns - 15).map(
      (line, at) => style.dim(` ${at === 0 ? 'Judge it' : ''}`.padEnd(15)) + line,
    ),
    style.dim(`${' '.repeat(15)}finds the same ${clean(target.kind)} (${clean(checker)}); tried`),
  ];
}

function removedText({ removed: { reads, others } }: Small): string {
  if (reads + others === 0) return 'nothing could be left out.';
  const parts = [
    ...(reads === 0 ? [] : [counted(reads, 'read')]),
    ...(others === 0 ? [] : [`${countText(others)} others whose effect nothing here depends on`]),
  ];
  return `left out ${parts.join(' and ')}.`;
}
