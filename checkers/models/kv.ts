import { unreachable } from '../../harness/core/invariant.ts';
import type { JsonValue } from '../../harness/core/json.ts';
import { shown } from '../text.ts';
import { appended } from './append-register.ts';
import { type Call, type Model, onlyReadsRemovable, type Stepped, sameValue } from './model.ts';

/** What a key holds; `version` counts its changes since it was created. */
interface Item {
  readonly value: JsonValue;
  readonly modRevision: number;
  readonly version: number;
}
type Items = ReadonlyMap<string, Item>;

interface Store {
  /** One more after each change, however many keys it touched; 1 at the start, as in etcd. */
  readonly revision: number;
  readonly items: Items;
}

/** One act of a transaction, or an operation by itself. */
type Act =
  | readonly ['get', key: string]
  | readonly ['put', key: string, value: JsonValue]
  | readonly ['append', key: string, suffix: JsonValue]
  | readonly ['delete', key: string]
  | readonly ['range', from: string, to: string | null];

/** What must hold for the first list of acts; else the second happens. */
type Guard = readonly [field: 'value' | 'modRevision' | 'version', key: string, value: JsonValue];

interface Txn {
  readonly compare?: readonly Guard[];
  readonly success?: readonly Act[];
  readonly failure?: readonly Act[];
}

/**
 * A store of keys, as etcd is: the whole of it is one object.
 * - `get` and `put` of the operation's key; `append` to it (see `append-register`); `delete`,
 *   whose answer is how many keys were there (1 or 0), if it says.
 * - `range` [from, to]: the keys from `from` to before `to` (null: to the end), in order, as
 *   [key, value] pairs.
 * - `txn` {"compare": guards, "success": acts, "failure": acts}, as in etcd. A guard is a list of
 *   "value", "modRevision" or "version", the key, and what that must be; an act is such as
 *   ["put", "x", 1]. Its answer is {"succeeded", "results"}, with a result for each act, null for
 *   those that only change.
 *
 * Answers may carry revisions; what they do not say is not judged.
 */
export const kv: Model = {
  name: 'kv',
  functions: ['get', 'put', 'append', 'delete', 'range', 'txn'],
  init: stateOf({ revision: 1, items: new Map() }),
  per: 'store',
  stamps: true,
  step,
  readOnly,
  removable: onlyReadsRemovable(readOnly),
};

function readOnly(call: Call): boolean {
  if (call.outcome === 'refused') return true;
  const { success = [], failure = [] } = txnOf(call);
  if (call.outcome === 'ok' && call.f === 'delete' && call.output === 0) return true;
  return [...success, ...failure].every(([f]) => f === 'get' || f === 'range');
}

function step(state: JsonValue, call: Call): Stepped {
  if (call.outcome === 'refused') return { state };
  const before = storeIn(state);
  const txn = txnOf(call);
  const succeeded = (txn.compare ?? []).every((guard) => holds(guard, before.items));
  const items = new Map(before.items);
  const results: JsonValue[] = [];
  let isChanged = false;
  for (const act of (succeeded ? txn.success : txn.failure) ?? []) {
    const [result, changes] = perform(act, items, before.revision + 1);
    results.push(result);
    isChanged ||= changes;
  }
  const after = isChanged ? { revision: before.revision + 1, items } : before;
  if (call.outcome === 'ok') {
    const wrong = wrongAnswer(call, succeeded, results) ?? wrongStamp(call, after);
    if (wrong !== undefined) return { inconsistent: wrong };
  }
  return { state: isChanged ? stateOf(after) : state };
}

/** An operation by itself is a transaction of one act. */
function txnOf({ f, key = '', input }: Call): Txn {
  if (f === 'txn') return input as unknown as Txn;
  if (f === 'range') {
    const [from, to] = input as readonly [string, string | null];
    return { success: [['range', from, to]] };
  }
  if (f === 'get' || f === 'delete') return { success: [[f, key]] };
  return { success: [[f as 'put' | 'append', key, input]] };
}

function holds([field, key, value]: Guard, items: Items): boolean {
  const item = items.get(key);
  if (field === 'value') return sameValue(item?.value ?? null, value);
  return (item?.[field] ?? 0) === value;
}

/** Changes `items`; a key that is changed twice by one transaction has one revision. */
function perform(
  act: Act,
  items: Map<string, Item>,
  revision: number,
): readonly [result: JsonValue, changes: boolean] {
  const [f, key] = act;
  const item = items.get(key);
  switch (f) {
    case 'get':
      return [item?.value ?? null, false];
    case 'range': {
      const within = ([name]: [string, Item]): boolean =>
        name >= key && (act[2] === null || name < act[2]);
      return [
        [...items]
          .filter(within)
          .toSorted(byKey)
          .map(([name, { value }]) => [name, value]),
        false,
      ];
    }
    case 'delete':
      items.delete(key);
      return [item === undefined ? 0 : 1, item !== undefined];
    case 'put':
    case 'append': {
      const value = f === 'put' ? act[2] : appended(item?.value ?? null, act[2]);
      items.set(key, { value, modRevision: revision, version: (item?.version ?? 0) + 1 });
      return [null, true];
    }
    default:
      return unreachable(f);
  }
}

function wrongAnswer(
  { f, output }: Call,
  succeeded: boolean,
  results: readonly JsonValue[],
): string | undefined {
  if (f === 'put' || f === 'append') return undefined;
  // Many stores do not say whether the key was there: the answer then repeats the invocation.
  if (f === 'delete' && typeof output !== 'number') return undefined;
  const isTxn = f === 'txn';
  const said = isTxn ? txnAnswer(output) : output;
  const right: JsonValue = isTxn ? [succeeded, results] : (results[0] ?? null);
  if (sameValue(said, right)) return undefined;
  if (!isTxn) return `it would answer ${shown(right)}, not ${shown(said)}`;
  return `it would answer ${shown({ succeeded, results })}, not ${shown(output)}`;
}

/** As a list, in which the order of fields does not matter. */
function txnAnswer(output: JsonValue): JsonValue {
  const { succeeded = null, results = [] } = output as Readonly<Record<string, JsonValue>>;
  return [succeeded, results];
}

function wrongStamp({ f, key = '', stamp }: Call, after: Store): string | undefined {
  const { revision, modRevision, version } = stamp ?? {};
  if (revision !== undefined && revision !== after.revision)
    return `the store stood at revision ${after.revision}, not ${revision}`;
  if (f !== 'get') return undefined;
  const item = after.items.get(key) ?? { modRevision: 0, version: 0 };
  if (modRevision !== undefined && modRevision !== item.modRevision)
    return `the last change of ${key} had revision ${item.modRevision}, not ${modRevision}`;
  if (version !== undefined && version !== item.version)
    return `the version of ${key} was ${item.version}, not ${version}`;
  return undefined;
}

function stateOf({ revision, items }: Store): JsonValue {
  const list = [...items].toSorted(byKey);
  return [revision, list.map(([key, item]) => [key, item.value, item.modRevision, item.version])];
}

function storeIn(state: JsonValue): Store {
  const [revision, list] = state as readonly [
    number,
    readonly (readonly [string, JsonValue, number, number])[],
  ];
  const items = list.map(
    ([key, value, modRevision, version]) => [key, { value, modRevision, version }] as const,
  );
  return { revision, items: new Map(items) };
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
