/** What a run's answers say of the store, by key: what a backup is compared with. */
import type { JsonValue } from '../../harness/core/json.ts';
import type { History, Operation } from '../../harness/history/history.ts';
import { OF_STORE } from '../../harness/history/of-store.ts';
import type { Op } from '../../harness/history/op.ts';

/** At this revision the key came to hold something, or was absent. Indices are of invocations. */
export interface Shown {
  readonly revision: number;
  readonly invoke: number;
  /** As JSON; null: it was deleted. */
  readonly value: string | null;
  /** Whether the operation itself put it there. */
  readonly isWrite: boolean;
}

/** Who tried to put a value into a key. */
export interface Writer {
  readonly invoke: number;
  readonly end: 'ok' | 'open' | 'failed';
  /** Only of one that was acknowledged. */
  readonly revision: number | undefined;
}

export interface KeyLedger {
  /** By ascending revision; of one revision, what wrote it is the last. */
  readonly shown: readonly Shown[];
  /** By the value as JSON. */
  readonly writers: ReadonlyMap<string, readonly Writer[]>;
  /** Invocations of deletions that may have happened at any revision. */
  readonly deletions: readonly number[];
}

/** The newest revision that had been shown when this completion was recorded. */
interface Reached {
  readonly completion: number;
  readonly revision: number;
  readonly invoke: number;
}

export interface Ledger {
  readonly keys: ReadonlyMap<string, KeyLedger>;
  /** Identities that answers of the run carry, each with the invocation of one that does. */
  readonly clusters: ReadonlyMap<string, number>;
  readonly members: ReadonlyMap<string, number>;
  /** Each is newer than the one before. */
  readonly reached: readonly Reached[];
  /** False: something else was asked too, which may have written other keys. */
  readonly isWhole: boolean;
}

const REGISTERS: ReadonlySet<string> = new Set(['read', 'write', 'cas']);

export function ledgerOf(history: History): Ledger {
  const entries = new Entries();
  const clusters = new Map<string, number>();
  const members = new Map<string, number>();
  let isWhole = true;
  for (const operation of history.operations()) {
    const { invoke, completion } = operation;
    const { cluster, member } = completion?.server ?? {};
    if (cluster !== undefined && !clusters.has(cluster)) clusters.set(cluster, invoke.index);
    if (member !== undefined && !members.has(member)) members.set(member, invoke.index);
    if (REGISTERS.has(invoke.f) && invoke.key !== undefined) entries.add(operation, invoke.key);
    else if (!OF_STORE.has(invoke.f)) isWhole = false;
  }
  return { ...entries.all(), clusters, members, isWhole };
}

interface OpenLedger {
  readonly shown: Shown[];
  readonly writers: Map<string, Writer[]>;
  readonly deletions: number[];
}

class Entries {
  readonly #keys = new Map<string, OpenLedger>();
  readonly #ended: Reached[] = [];

  add({ invoke, completion }: Operation, key: string): void {
    const ledger = this.#of(key);
    const put = invoke.f === 'read' ? undefined : putOf(invoke);
    const end = endOf(completion);
    const shown = end === 'open' ? undefined : shownBy(invoke, completion);
    if (put !== undefined) {
      const revision = end === 'ok' ? shown?.revision : undefined;
      const writers = ledger.writers.get(put);
      const writer = { invoke: invoke.index, end, revision };
      if (writers === undefined) ledger.writers.set(put, [writer]);
      else writers.push(writer);
    } else if (invoke.f === 'write' && end !== 'failed' && shown === undefined)
      ledger.deletions.push(invoke.index);
    if (shown === undefined || completion === undefined) return;
    ledger.shown.push(shown);
    const { revision } = shown;
    this.#ended.push({ completion: completion.index, revision, invoke: invoke.index });
  }

  all(): Pick<Ledger, 'keys' | 'reached'> {
    for (const { shown } of this.#keys.values())
      shown.sort((a, b) => a.revision - b.revision || Number(a.isWrite) - Number(b.isWrite));
    this.#ended.sort((a, b) => a.completion - b.completion);
    const reached: Reached[] = [];
    for (const each of this.#ended)
      if (each.revision > (reached.at(-1)?.revision ?? 0)) reached.push(each);
    return { keys: this.#keys, reached };
  }

  #of(key: string): OpenLedger {
    const known = this.#keys.get(key);
    if (known !== undefined) return known;
    const fresh: OpenLedger = { shown: [], writers: new Map(), deletions: [] };
    this.#keys.set(key, fresh);
    return fresh;
  }
}

/** The value that it was to leave, as JSON; undefined for one that deletes. */
function putOf({ f, value }: Op): string | undefined {
  const put = f === 'cas' && Array.isArray(value) ? (value as readonly JsonValue[])[1] : value;
  return put === null || put === undefined ? undefined : JSON.stringify(put);
}

/** What was turned down, for whatever reason, put nothing. */
function endOf(completion: Op | undefined): Writer['end'] {
  if (completion === undefined || completion.type === 'info') return 'open';
  return completion.type === 'ok' ? 'ok' : 'failed';
}

/** What an answer proves, if it names a revision; stale reads prove nothing newer than they show. */
function shownBy(invoke: Op, completion: Op | undefined): Shown | undefined {
  if (completion?.server === undefined || invoke.mode === 'serializable') return undefined;
  const { revision, modRevision } = completion.server;
  if (invoke.f !== 'read' && completion.type === 'ok') {
    if (revision === undefined) return undefined;
    return { revision, invoke: invoke.index, value: putOf(invoke) ?? null, isWrite: true };
  }
  const seen = completion.type === 'ok' ? completion.value : completion.seen;
  if (seen === null || seen === undefined || !modRevision) return undefined;
  const value = JSON.stringify(seen);
  return { revision: modRevision, invoke: invoke.index, value, isWrite: false };
}
