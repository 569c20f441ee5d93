/** Claims about backups, read straight from the entries of the history. */
import type { JsonValue } from '../../harness/core/json.ts';
import type { History } from '../../harness/history/history.ts';
import type { Anomaly } from '../../harness/protocols/checker.ts';
import { type Deed, deedAt, deedsOfKey } from './deeds.ts';

interface Case {
  readonly history: History;
  readonly anomaly: Anomaly;
  readonly backup: Deed;
  /** Where the backup's value says so. */
  readonly at: (name: string) => JsonValue | undefined;
  readonly revision: number;
  /** The key of the anomaly as the backup has it: its value as JSON, and its revision. */
  readonly held: { readonly value: string; readonly revision: number } | undefined;
  /** What the backup is compared with, if anything. */
  readonly other: Deed | undefined;
}

/** By kind: true, or what does not hold. */
const CLAIMS: Readonly<Record<string, (found: Case) => true | string>> = {
  'restored-same-id': ({ at, other, anomaly }) => {
    const { what } = anomaly.certificate;
    if (what !== 'cluster' && what !== 'member') return 'it does not say whose id';
    const told = other?.completion?.server?.[what];
    return told !== undefined && told === at(what) ? true : 'the ids differ';
  },
  'backup-stale': ({ backup, other, revision }) => {
    const ended = other?.completion?.index ?? Infinity;
    if (ended >= backup.invoke.index) return 'the other one was not answered before';
    return shownRevision(other) > revision ? true : 'the backup is not older';
  },
  'backup-lost-write': lost,
  'backup-wrong-value': ({ other, held }) => {
    if (held === undefined || other === undefined) return 'the backup lacks the key';
    if (shownRevision(other) !== held.revision) return 'the revisions differ';
    return (other.puts ?? other.sees) === held.value ? 'the values are the same' : true;
  },
  'backup-phantom': ({ history, anomaly, backup, held }) => {
    if (held === undefined) return 'the backup lacks the key';
    const makers = deedsOfKey(history, anomaly.key ?? '').filter(({ puts }) => puts === held.value);
    const able = makers.filter(
      ({ end, invoke }) =>
        (end === 'ok' || end === 'open') && invoke.index < (backup.completion?.index ?? 0),
    );
    return able.length === 0 ? true : 'somebody may have written the value';
  },
  'backup-wrong-revision': ({ history, anomaly, held, revision, other }) => {
    if (held === undefined) return 'the backup lacks the key';
    if (other === undefined) return held.revision > revision || 'the revision is not beyond it';
    const makers = deedsOfKey(history, anomaly.key ?? '').filter(
      ({ puts, end }) => puts === held.value && end !== 'failed' && end !== 'refused',
    );
    const mayBe = makers.some(
      (deed) => deed.end === 'open' || [0, held.revision].includes(shownRevision(deed)),
    );
    return mayBe ? 'it may have been written at that revision' : true;
  },
  'backup-differs': ({ at }) => {
    const [own, source] = [at('hash'), at('source')].map(
      (each) => each as Readonly<Record<string, JsonValue>> | undefined,
    );
    if (own?.['revision'] !== source?.['revision']) return 'the revisions differ';
    if (own?.['compactRevision'] !== source?.['compactRevision']) return 'the compactions differ';
    return own?.['hash'] !== source?.['hash'] ? true : 'the hashes are the same';
  },
};

/** Undefined: the anomaly is not about a backup. */
export function recheckBackup(anomaly: Anomaly, history: History): true | string | undefined {
  const claim = CLAIMS[anomaly.kind];
  if (claim === undefined) return undefined;
  const backup = deedAt(history, anomaly.certificate['backup']);
  if (typeof backup === 'string') return backup;
  if (backup.invoke.f !== 'backup' || backup.end !== 'ok') return 'it names no backup';
  const { other: index } = anomaly.certificate;
  const other = index === undefined ? undefined : deedAt(history, index);
  if (typeof other === 'string') return other;
  if (other !== undefined && anomaly.key !== undefined && other.key !== anomaly.key)
    return 'the other one is about another key';
  const value = backup.completion?.value as Readonly<Record<string, JsonValue>>;
  const keys = value['keys'] as readonly (readonly [string, JsonValue, number])[];
  const entry = keys.find(([key]) => key === anomaly.key);
  return claim({
    history,
    anomaly,
    backup,
    at: (name) => value[name],
    revision: Number(value['revision']),
    held: entry === undefined ? undefined : { value: JSON.stringify(entry[1]), revision: entry[2] },
    other,
  });
}

function lost({ other, held, revision, history, anomaly, backup }: Case): true | string {
  const shown = shownRevision(other);
  if (other === undefined || shown === 0 || shown > revision)
    return 'it is not of an older revision';
  const isDeletion = other.puts === 'null';
  if (held !== undefined)
    return held.revision < shown || (isDeletion && held.revision === shown)
      ? true
      : 'the backup has something newer';
  if (isDeletion) return 'the key is gone, as it should be';
  const deletions = deedsOfKey(history, anomaly.key ?? '').filter(
    ({ puts, end, invoke }) =>
      puts === 'null' && end !== 'failed' && invoke.index < (backup.completion?.index ?? 0),
  );
  const mayBe = deletions.some((deed) => {
    const at = shownRevision(deed);
    return at === 0 || (at > shown && at <= revision);
  });
  return mayBe ? 'it may have been deleted since' : true;
}

/** The revision at which the key came to hold what the answer shows; 0: it does not say. */
function shownRevision(deed: Deed | undefined): number {
  const { revision, modRevision } = deed?.completion?.server ?? {};
  if (deed === undefined || deed.end === 'open') return 0;
  return (deed.end === 'ok' && deed.puts !== undefined ? revision : modRevision) ?? 0;
}
