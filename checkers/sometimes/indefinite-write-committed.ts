import type { History } from '../../harness/history/history.ts';
import type { Op } from '../../harness/history/op.ts';
import { clientName, shown } from '../text.ts';
import { type Property, Tally } from './property.ts';

interface Written {
  /** How many asked for this value; of two, nobody knows whose it was that was read. */
  writers: number;
  readonly invoke: Op;
  /** Index of its end; undefined: it did not end as unknown. */
  readonly unknownAt: number | undefined;
  isSeen: boolean;
}

/** Nobody knew what came of a write, and later somebody read its value, which no one else wrote. */
export const indefiniteWriteCommitted: Property = {
  name: 'indefinite-write-committed',
  advice:
    'let more writes end with an unknown outcome: a shorter client timeout (--client-timeout), or ' +
    'faults that keep answers from coming back (--fault partition,kill)',
  find: ({ history }) => {
    const written = valuesWritten(history);
    const tally = new Tally();
    for (const { invoke, completion } of history.operations()) {
      if (invoke.f !== 'read' || completion?.type !== 'ok') continue;
      // A key without a value may have been deleted, or never written.
      if (completion.value === null) continue;
      const found = written.get(nameOf(invoke.key, completion.value));
      if (found?.unknownAt === undefined || found.writers > 1 || found.isSeen) continue;
      if (completion.index < found.unknownAt) continue;
      found.isSeen = true;
      const text = (): string =>
        `${shown(completion.value)} was read, which ${clientName(found.invoke)} had tried to write ` +
        `to ${invoke.key ?? 'it'} at entry ${found.invoke.index}`;
      tally.add(text, { index: completion.index, timeNanos: completion.time });
    }
    return tally.reached();
  },
};

function valuesWritten(history: History): ReadonlyMap<string, Written> {
  const written = new Map<string, Written>();
  for (const { invoke, completion } of history.operations()) {
    const { f, key, value } = invoke;
    if (f !== 'write' && f !== 'cas') continue;
    const name = nameOf(key, f === 'cas' && Array.isArray(value) ? (value[1] ?? null) : value);
    const before = written.get(name);
    if (before !== undefined) {
      before.writers++;
      continue;
    }
    const isUnknown = completion === undefined || completion.type === 'info';
    const unknownAt = isUnknown ? (completion?.index ?? invoke.index) : undefined;
    written.set(name, { writers: 1, invoke, unknownAt, isSeen: false });
  }
  return written;
}

function nameOf(key: string | undefined, value: Op['value']): string {
  return `${key ?? ''} ${JSON.stringify(value)}`;
}
