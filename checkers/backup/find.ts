/** What is wrong with a backup, given what the run's answers say. */
import type { KeyLedger, Ledger, Shown, Writer } from './ledger.ts';
import type { Taken } from './taken.ts';

/** Indices are of invocations. */
export type Fault =
  | {
      readonly kind: 'restored-same-id';
      readonly what: 'cluster' | 'member';
      readonly id: string;
      readonly live: number;
    }
  | { readonly kind: 'backup-stale'; readonly shown: number; readonly revision: number }
  | { readonly kind: 'backup-lost-write'; readonly key: string; readonly shown: Shown }
  | { readonly kind: 'backup-wrong-value'; readonly key: string; readonly shown: Shown }
  | {
      readonly kind: 'backup-phantom';
      readonly key: string;
      /** Who tried, and was refused or began too late. */
      readonly writer: Writer | undefined;
    }
  | {
      readonly kind: 'backup-wrong-revision';
      readonly key: string;
      /** Absent: the revision lies beyond that of the whole backup. */
      readonly writer?: Writer;
    }
  | { readonly kind: 'backup-differs' };

/** The first of each kind; takes time in proportion to the keys. */
export function faultsOf(taken: Taken, ledger: Ledger): Fault[] {
  const found = new Map<Fault['kind'], Fault>();
  for (const fault of all(taken, ledger)) if (!found.has(fault.kind)) found.set(fault.kind, fault);
  return [...found.values()];
}

function* all(taken: Taken, ledger: Ledger): Generator<Fault, void, undefined> {
  yield* sameIds(taken, ledger);
  yield* stale(taken, ledger);
  const held = new Map(taken.keys.map(([key, value, revision]) => [key, { value, revision }]));
  for (const [key, known] of ledger.keys) yield* missing(key, known, held.get(key), taken);
  for (const [key, value, revision] of taken.keys) {
    const known = ledger.keys.get(key);
    if (known === undefined && !ledger.isWhole) continue;
    yield* unexplained(key, JSON.stringify(value), revision, { known, taken });
  }
  const { hash, source } = taken;
  const isComparable =
    hash.revision === source?.revision && hash.compactRevision === source.compactRevision;
  if (isComparable && hash.hash !== source.hash) yield { kind: 'backup-differs' };
}

function* sameIds({ cluster, member }: Taken, ledger: Ledger): Generator<Fault, void, undefined> {
  const old = ledger.clusters.get(cluster);
  if (old !== undefined)
    yield { kind: 'restored-same-id', what: 'cluster', id: cluster, live: old };
  const twin = ledger.members.get(member);
  if (twin !== undefined)
    yield { kind: 'restored-same-id', what: 'member', id: member, live: twin };
}

/** The operator read through the node first, so it had caught up with all that was answered by then. */
function* stale({ invoke, revision }: Taken, ledger: Ledger): Generator<Fault, void, undefined> {
  const newest = lastWhere(ledger.reached, ({ completion }) => completion < invoke.index);
  if (newest !== undefined && newest.revision > revision)
    yield { kind: 'backup-stale', shown: newest.invoke, revision: newest.revision };
}

/** The newest that is known of a key at the backup's revision is in the backup, or was replaced. */
function* missing(
  key: string,
  { shown, deletions }: KeyLedger,
  held: { readonly value: unknown; readonly revision: number } | undefined,
  taken: Taken,
): Generator<Fault, void, undefined> {
  const newest = lastWhere(shown, ({ revision }) => revision <= taken.revision);
  if (newest === undefined) return;
  if (newest.value === null) {
    if (held !== undefined && held.revision <= newest.revision)
      yield { kind: 'backup-lost-write', key, shown: newest };
    return;
  }
  if (held === undefined) {
    const mayBeDeleted = deletions.some((index) => index < taken.completion.index);
    if (!mayBeDeleted) yield { kind: 'backup-lost-write', key, shown: newest };
  } else if (held.revision < newest.revision)
    yield { kind: 'backup-lost-write', key, shown: newest };
  else if (held.revision === newest.revision && JSON.stringify(held.value) !== newest.value)
    yield { kind: 'backup-wrong-value', key, shown: newest };
}

/** Somebody put this value there, in time, and may have done so at this revision. */
function* unexplained(
  key: string,
  value: string,
  revision: number,
  { known, taken }: { readonly known: KeyLedger | undefined; readonly taken: Taken },
): Generator<Fault, void, undefined> {
  const writers = known?.writers.get(value) ?? [];
  const able = writers.filter(
    ({ end, invoke }) => end !== 'failed' && invoke < taken.completion.index,
  );
  const [first] = able;
  if (first === undefined) {
    yield { kind: 'backup-phantom', key, writer: writers[0] };
    return;
  }
  if (revision > taken.revision) yield { kind: 'backup-wrong-revision', key };
  const mayBe = able.some((writer) => (writer.revision ?? revision) === revision);
  if (!mayBe) yield { kind: 'backup-wrong-revision', key, writer: first };
}

/** The last of a list that begins with all for which `holds` is true. */
function lastWhere<T>(list: readonly T[], holds: (item: T) => boolean): T | undefined {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(list[middle] as T)) low = middle + 1;
    else high = middle;
  }
  return list[low - 1];
}
