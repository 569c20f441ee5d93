/** A second opinion on every anomaly: does the history really say what the certificate claims? */
import type { History } from '../../harness/history/history.ts';
import type { Anomaly } from '../../harness/protocols/checker.ts';
import type { Model } from '../models/model.ts';
import { register } from '../models/register.ts';
import { recheckBackup } from './backups.ts';
import { recheckByModel } from './by-model.ts';
import { type Deed, deedAt, deedsOfKey } from './deeds.ts';
import { honestlyLeftOut, someOrderWorks, wrongRefusal } from './exhaust.ts';
import { pastChanged, replicasDiverge } from './hashes.ts';
import { recheckOrder } from './orders.ts';
import { recheckRaft } from './raft.ts';
import { backwardsRead, staleByRevision, twoKeys, twoValues } from './revisions.ts';
import { type Case, onlySource } from './sources.ts';
import { recheckThreshold } from './thresholds.ts';

/**
 * True, or the first claim that does not hold. Shares no code with the checkers. `model`: of what
 * was judged; default: a register. Where it takes too many orders to try again, the answer says so:
 * then nothing is known, and the claim stands on the checker alone.
 */
export function recheckCertificate(
  anomaly: Anomaly,
  history: History,
  model: Model = register,
): true | string {
  for (const index of anomaly.ops)
    if (!Number.isInteger(index) || index < 0 || index >= history.length)
      return `the history has no entry ${index}`;
  if (anomaly.kind === 'crash-in-log') return crashInLog(anomaly);
  if (anomaly.kind === 'replicas-diverge') return replicasDiverge(anomaly, history);
  if (anomaly.kind === 'past-changed') return pastChanged(anomaly, history);
  if (anomaly.kind === 'threshold') return recheckThreshold(anomaly, history);
  if (anomaly.kind === 'not-linearizable') return notLinearizable(anomaly, history, model);
  const other =
    recheckRaft(anomaly, history) ??
    recheckBackup(anomaly, history) ??
    recheckOrder(anomaly, history, model);
  if (other !== undefined) return other;
  const found = rolesOf(anomaly, history, model);
  if (typeof found === 'string') return found;
  const claims =
    anomaly.kind === 'two-keys-at-one-revision'
      ? twoKeys(found, history)
      : claimsOf(anomaly.kind, found);
  const wrong = claims.find(([holds]) => !holds);
  return wrong === undefined ? true : wrong[1];
}

type Claim = readonly [holds: boolean, claim: string];

const NOT_ROLES: ReadonlySet<string> = new Set(['by', 'mode', 'revision', 'modRevision']);

function rolesOf(anomaly: Anomaly, history: History, model: Model): Case | string {
  const roles = new Map<string, Deed>();
  for (const [role, index] of Object.entries(anomaly.certificate)) {
    if (NOT_ROLES.has(role) || index === null) continue;
    const deed = deedAt(history, index);
    if (typeof deed === 'string') return `${role}: ${deed}`;
    if (anomaly.key !== undefined && deed.key !== anomaly.key)
      return `${role} is about another key`;
    if (!anomaly.ops.includes(deed.invoke.index)) return `${role} is not among the operations`;
    roles.set(role, deed);
  }
  const all = anomaly.key === undefined ? [] : deedsOfKey(history, anomaly.key);
  const begin = JSON.stringify(model.init);
  return { roles, all, certificate: anomaly.certificate, begin };
}

function claimsOf(kind: string, found: Case): readonly Claim[] {
  const { roles, certificate } = found;
  switch (kind) {
    case 'phantom-read':
    case 'read-of-failed-write':
    case 'future-read':
      return strangeRead(kind, found);
    case 'refused-matching-cas': {
      const cas = roles.get('cas');
      return [[cas !== undefined && wrongRefusal(cas), 'the cas was refused and had matched']];
    }
    case 'split-brain-cas':
      return doubleWin(found);
    case 'stale-read':
      if (certificate['by'] === 'writers') return overwrittenForGood(found);
      return certificate['by'] === 'revision' ? staleByRevision(found) : outOfDate(found);
    case 'lost-write':
      return [...outOfDate(found), ...gone(found)];
    case 'non-monotonic-read':
      return certificate['by'] === 'writers' ? overwrittenForGood(found) : wentBack(found);
    case 'split-brain-read':
      return bothThere(found);
    case 'backwards-read':
      return backwardsRead(found);
    case 'two-values-at-one-revision':
      return twoValues(found);
    default:
      return [[false, `there is no second opinion on anomalies of kind '${kind}'`]];
  }
}

function strangeRead(kind: string, { roles, all, begin }: Case): readonly Claim[] {
  const read = roles.get('read');
  const makers = all.filter(({ puts }) => puts !== undefined && puts === read?.sees);
  const living = makers.filter(({ end }) => end !== 'failed');
  const claims: Claim[] = [
    [read?.sees !== undefined && read.endsAt < Infinity, 'the read observed a value'],
    [read?.sees !== begin, 'the value is not the one the register begins with'],
  ];
  if (kind === 'phantom-read')
    claims.push([makers.length === 0, 'nobody tried to write the value']);
  if (kind === 'read-of-failed-write')
    claims.push(
      [
        makers.some((maker) => maker === roles.get('failed') || same(maker, roles.get('failed'))),
        'the failed write was of this value',
      ],
      [living.length === 0, 'all who tried to write the value failed'],
    );
  if (kind === 'future-read')
    claims.push(
      [living.some((maker) => same(maker, roles.get('write'))), 'the write was of this value'],
      [
        living.every(({ invoke }) => invoke.index > (read?.endsAt ?? Infinity)),
        'nobody sent the value before the read ended',
      ],
    );
  return claims;
}

function doubleWin(found: Case): readonly Claim[] {
  const { roles } = found;
  const [first, second] = [roles.get('first'), roles.get('second')];
  const won = (deed: Deed | undefined): boolean => deed?.invoke.f === 'cas' && deed.end === 'ok';
  return [
    [won(first) && won(second) && !same(first, second), 'two cas succeeded'],
    [first?.sees !== undefined && first.sees === second?.sees, 'both expected the same value'],
    [onlySource(found, first?.sees, roles.get('write')), 'the value appeared only once'],
  ];
}

/** The older value was there before the newer one was sent, which ended before the read began. */
function outOfDate(found: Case): readonly Claim[] {
  const { roles } = found;
  const [older, newer, read] = [roles.get('older'), roles.get('newer'), roles.get('read')];
  if (newer === undefined || read?.sees === undefined)
    return [[false, 'a newer write and a read are named']];
  return [
    [newer.end === 'ok' && newer.puts !== undefined, 'the newer write was acknowledged'],
    [read.endsAt < Infinity, 'the value read was observed'],
    [newer.puts !== read.sees, 'the newer write was of another value'],
    [newer.endsAt < read.invoke.index, 'the newer write ended before the read began'],
    [shows(found, older, read.sees), 'the older operation shows the value read'],
    [(older?.endsAt ?? -1) < newer.invoke.index, 'the older one ended before the newer was sent'],
    [onlySource(found, read.sees), 'the value read appeared only once'],
  ];
}

/**
 * Whoever put the value read and was not sent after the read ended, had ended when the newer
 * operation began; that one shows or leaves something else, and ended before the read began.
 */
function overwrittenForGood({ roles, all, begin }: Case): readonly Claim[] {
  const [newer, read] = [roles.get('newer'), roles.get('read')];
  if (newer === undefined || read?.sees === undefined)
    return [[false, 'a newer operation and a read are named']];
  const { sees } = read;
  // What puts back what it found is no source of it.
  const sources = all.filter(
    (deed) => deed.puts === sees && deed.sees !== sees && deed.end !== 'failed',
  );
  const left = newer.puts ?? newer.sees;
  return [
    [newer.end === 'ok' || newer.end === 'refused', 'the newer operation was answered'],
    [read.endsAt < Infinity, 'the value read was observed'],
    [
      (left !== undefined && left !== sees) || newer.misses === sees,
      'the newer one is of another value',
    ],
    [newer.endsAt < read.invoke.index, 'the newer one ended before the read began'],
    [
      sources.every(
        ({ invoke, endsAt }) => endsAt < newer.invoke.index || invoke.index > read.endsAt,
      ),
      'who put the value read had ended before the newer one began',
    ],
    [sees === begin || sources.length > 0, 'somebody put the value read'],
  ];
}

function gone({ roles, all }: Case): readonly Claim[] {
  const [newer, read] = [roles.get('newer'), roles.get('read')];
  if (read?.invoke.f === 'cas' && read.end === 'ok') return [];
  const finals = all.filter(
    ({ invoke, sees, endsAt }) =>
      invoke.phase === 'final' &&
      (invoke.mode ?? 'linearizable') === (read?.invoke.mode ?? 'linearizable') &&
      sees !== undefined &&
      endsAt < Infinity &&
      invoke.index > (newer?.endsAt ?? Infinity),
  );
  return [
    [finals.some((final) => same(final, read)), 'the read is a final one'],
    [finals.every(({ sees }) => sees !== newer?.puts), 'no final read shows the newer value'],
  ];
}

function wentBack(found: Case): readonly Claim[] {
  const { roles } = found;
  const [older, newer, read] = [roles.get('older'), roles.get('newer'), roles.get('read')];
  const write = roles.get('newerWrite');
  if (newer?.sees === undefined || read?.sees === undefined)
    return [[false, 'two observations are named']];
  const since = write ?? newer;
  return [
    [newer.endsAt < read.invoke.index, 'the first observation ended before the second began'],
    [read.endsAt < Infinity, 'the value read was observed'],
    [newer.sees !== read.sees, 'the two observed different values'],
    [
      write === undefined || onlySource(found, newer.sees, write),
      'one write alone put the newer value',
    ],
    [shows(found, older, read.sees), 'the older operation shows the value read'],
    [(older?.endsAt ?? -1) < since.invoke.index, 'the older value was there before the newer one'],
    [onlySource(found, read.sees), 'the value read appeared only once'],
  ];
}

function bothThere(found: Case): readonly Claim[] {
  const { roles } = found;
  const [proof, last] = [roles.get('proof'), roles.get('last')];
  const [otherProof, otherLast] = [roles.get('otherProof'), roles.get('otherLast')];
  if (last?.sees === undefined || otherLast?.sees === undefined)
    return [[false, 'two observations are named']];
  const from = Math.max(proof?.endsAt ?? -1, otherProof?.endsAt ?? -1);
  return [
    [last.sees !== otherLast.sees, 'the two values differ'],
    [last.endsAt < Infinity && otherLast.endsAt < Infinity, 'both were observed'],
    [
      shows(found, proof, last.sees) && shows(found, otherProof, otherLast.sees),
      'both values were there before',
    ],
    [from < Math.min(last.invoke.index, otherLast.invoke.index), 'the two spans overlap'],
    [onlySource(found, last.sees), 'the one value appeared only once'],
    [onlySource(found, otherLast.sees), 'the other value appeared only once'],
  ];
}

/** By its end the value was in the register; no operation: the register began with it. */
function shows({ begin }: Case, deed: Deed | undefined, value: string): boolean {
  if (deed === undefined) return value === begin;
  if (deed.endsAt === Infinity) return false;
  return deed.puts === value || deed.sees === value;
}

function same(a: Deed | undefined, b: Deed | undefined): boolean {
  return a !== undefined && a.invoke.index === b?.invoke.index;
}

function notLinearizable(anomaly: Anomaly, history: History, model: Model): true | string {
  const { key = '', certificate } = anomaly;
  const { operations, from, upTo } = certificate;
  const name = JSON.stringify(certificate['model'] ?? register.name);
  const init = JSON.stringify(certificate['init'] ?? null);
  if (name !== JSON.stringify(model.name) || init !== JSON.stringify(model.init))
    return `it takes the model ${name} that begins with ${init} to check this again`;
  if (model !== register) return recheckByModel(anomaly, history, model);
  if (typeof from !== 'number' || typeof upTo !== 'number') return 'it names no moments';
  if (!Array.isArray(operations)) return 'it names no operations';
  const whole = ({ invoke, endsAt }: Deed): boolean => invoke.index >= from && endsAt <= upTo;
  const all = deedsOfKey(history, key).filter((deed) => {
    const { invoke, end, endsAt, puts } = deed;
    if (end === 'failed' || invoke.index > upTo || endsAt < from) return false;
    return whole(deed) || (puts !== undefined && end !== 'refused');
  });
  const kept = new Set<number>(operations as readonly number[]);
  const listed = all.filter(({ invoke }) => kept.has(invoke.index));
  if (listed.length !== kept.size) return 'it names operations that are not of this key and time';
  if (!honestlyLeftOut(all, kept)) return 'it leaves out operations that matter';
  const works = someOrderWorks(listed, whole, from < 0);
  if (works === 'too-many') return 'there are too many orders to try again';
  return works ? 'some order of these operations works' : true;
}

function crashInLog({ certificate }: Anomaly): true | string {
  const { text, pattern, flags } = certificate;
  if (typeof text !== 'string' || typeof pattern !== 'string' || typeof flags !== 'string')
    return 'it quotes no line';
  return new RegExp(pattern, flags).test(text) ? true : 'the line does not match the pattern';
}
