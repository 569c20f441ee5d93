/**
 * What single operations of a history prove, read straight from its entries. The certificates are
 * checked with this and nothing else: no code is shared with the checkers that wrote them.
 */
import type { JsonValue } from '../../harness/core/json.ts';
import type { History } from '../../harness/history/history.ts';
import type { Op } from '../../harness/history/op.ts';

export interface Deed {
  readonly invoke: Op;
  readonly completion: Op | undefined;
  readonly key: string;
  /** `refused`: a cas that saw another value than it expected. `open`: nobody knows. */
  readonly end: 'ok' | 'refused' | 'failed' | 'open';
  /** Index of the completion of an `ok` or `refused` one; otherwise Infinity. */
  readonly endsAt: number;
  /** As JSON text: the value that was there for it; the value that it put there. */
  readonly sees: string | undefined;
  /** As JSON text: a value that was not there for it, where that is all it says. */
  readonly misses?: string;
  readonly puts: string | undefined;
}

/** The operation whose invocation is at `index`; a text that says what is wrong otherwise. */
export function deedAt(history: History, index: JsonValue | undefined): Deed | string {
  if (typeof index !== 'number' || !Number.isInteger(index))
    return `${JSON.stringify(index)} is not an index`;
  if (index < 0 || index >= history.length) return `the history has no entry ${index}`;
  const invoke = history.op(index);
  if (invoke.type !== 'invoke' || typeof invoke.process !== 'number')
    return `entry ${index} is not the invocation of a client`;
  const pair = history.pairOf(index);
  return deedOf(invoke, pair < 0 ? undefined : history.op(pair));
}

export function deedsOfKey(history: History, key: string): Deed[] {
  const deeds: Deed[] = [];
  for (let index = 0; index < history.length; index++) {
    const deed = history.isClient(index) ? deedAt(history, index) : '';
    if (typeof deed !== 'string' && deed.key === key) deeds.push(deed);
  }
  return deeds;
}

function deedOf(invoke: Op, completion: Op | undefined): Deed {
  const end = endOf(invoke, completion);
  const pair = Array.isArray(invoke.value) ? (invoke.value as readonly JsonValue[]) : [];
  const text = (value: JsonValue | undefined): string => JSON.stringify(value ?? null);
  const base = {
    invoke,
    completion,
    key: invoke.key ?? '',
    end,
    endsAt: end === 'ok' || end === 'refused' ? (completion?.index ?? Infinity) : Infinity,
  };
  if (end === 'refused') {
    const seen = completion?.seen;
    return seen === undefined
      ? { ...base, sees: undefined, misses: text(pair[0]), puts: undefined }
      : { ...base, sees: text(seen), puts: undefined };
  }
  switch (invoke.f) {
    case 'read':
      return { ...base, sees: end === 'ok' ? text(completion?.value) : undefined, puts: undefined };
    case 'write':
      return { ...base, sees: undefined, puts: text(invoke.value) };
    case 'cas':
      return { ...base, sees: text(pair[0]), puts: text(pair[1]) };
    default:
      return { ...base, sees: undefined, puts: undefined };
  }
}

function endOf(invoke: Op, completion: Op | undefined): Deed['end'] {
  if (completion === undefined || completion.type === 'info') return 'open';
  if (completion.type === 'ok') return 'ok';
  const isRefusal = invoke.f === 'cas' && completion.error?.code === 'cas-mismatch';
  return isRefusal ? 'refused' : 'failed';
}
