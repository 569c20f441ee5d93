/** The backups of a history: what was asked, and what was found when it was restored. */
import type { JsonValue } from '../../harness/core/json.ts';
import type { History } from '../../harness/history/history.ts';
import type { Op } from '../../harness/history/op.ts';
import type { Backup } from '../../harness/protocols/admin.ts';
import type { StateHash } from '../../harness/protocols/maintenance.ts';

/** One that was restored. */
export interface Taken extends Backup {
  readonly invoke: Op;
  readonly completion: Op;
}

export interface Asked {
  readonly taken: readonly Taken[];
  /** Completions of the others; undefined: there is none. */
  readonly others: readonly (Op | undefined)[];
}

export function backupsOf(history: History): Asked {
  const taken: Taken[] = [];
  const others: (Op | undefined)[] = [];
  for (const { invoke, completion } of history.operations()) {
    if (invoke.f !== 'backup') continue;
    const backup = completion?.type === 'ok' ? backupOf(completion.value) : undefined;
    if (backup === undefined || completion === undefined) others.push(completion);
    else taken.push({ ...backup, invoke, completion });
  }
  return { taken, others };
}

/** Histories come from files, so the shape is looked at before it is believed. */
function backupOf(value: JsonValue): Backup | undefined {
  const { revision, cluster, member, hash, source, keys } = fieldsOf(value);
  if (typeof revision !== 'number' || typeof cluster !== 'string') return undefined;
  if (typeof member !== 'string' || !Array.isArray(keys) || !keys.every(isEntry)) return undefined;
  const own = stateHashOf(hash);
  if (own === undefined) return undefined;
  const other = stateHashOf(source);
  return {
    revision,
    cluster,
    member,
    hash: own,
    ...(other !== undefined && { source: other }),
    keys,
  };
}

function isEntry(value: unknown): value is Backup['keys'][number] {
  if (!Array.isArray(value) || value.length !== 3) return false;
  const [key, , modRevision] = value as readonly unknown[];
  return typeof key === 'string' && typeof modRevision === 'number';
}

function stateHashOf(value: JsonValue | undefined): StateHash | undefined {
  const { hash, revision, compactRevision } = fieldsOf(value ?? null);
  if (typeof hash !== 'number' || typeof revision !== 'number') return undefined;
  return typeof compactRevision === 'number' ? { hash, revision, compactRevision } : undefined;
}

function fieldsOf(value: JsonValue): Readonly<Record<string, JsonValue>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
  return value as Readonly<Record<string, JsonValue>>;
}
