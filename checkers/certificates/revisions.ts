/** Claims that rest on what the store says about its own revisions, or on one session's order. */
import type { History } from '../../harness/history/history.ts';
import type { Deed } from './deeds.ts';
import { type Case, onlySource } from './sources.ts';

type Claim = readonly [holds: boolean, claim: string];

export function staleByRevision({ roles, certificate }: Case): readonly Claim[] {
  const [newer, read] = [roles.get('newer'), roles.get('read')];
  if (newer === undefined || read === undefined) return [[false, 'a write and a read are named']];
  const revision = newer.completion?.server?.revision ?? Number.NaN;
  const modRevision = read.completion?.server?.modRevision ?? Number.NaN;
  return [
    [newer.end === 'ok' && newer.puts !== undefined, 'the write was acknowledged'],
    [read.end === 'ok' && read.invoke.f === 'read', 'the read was answered'],
    [newer.endsAt < read.invoke.index, 'the write ended before the read began'],
    [certificate['revision'] === revision, 'the revision of the write is right'],
    [certificate['modRevision'] === modRevision, 'the revision that the read shows is right'],
    [modRevision < revision, 'the read shows an older revision'],
  ];
}

export function backwardsRead(found: Case): readonly Claim[] {
  const { roles, certificate } = found;
  const [first, second] = [roles.get('first'), roles.get('second')];
  if (first === undefined || second === undefined) return [[false, 'two reads are named']];
  const session: readonly Claim[] = [
    [first.end === 'ok' && second.end === 'ok', 'both reads were answered'],
    [first.invoke.f === 'read' && second.invoke.f === 'read', 'both are reads'],
    [first.endsAt < second.invoke.index, 'the first ended before the second began'],
    [first.invoke.process === second.invoke.process, 'one client sent both'],
    [first.invoke.node === second.invoke.node, 'one node answered both'],
    [first.invoke.mode === second.invoke.mode, 'both asked in the same mode'],
  ];
  const [before, after] = [first.completion?.server, second.completion?.server];
  const { by } = certificate;
  if (by === 'revision')
    return [...session, [below(after?.revision, before?.revision), 'the store went back']];
  const oneKey: Claim = [first.key === second.key, 'both are about one key'];
  const wentBack: readonly Claim[] =
    by === 'modRevision'
      ? [[below(after?.modRevision, before?.modRevision), 'the key went back']]
      : olderValue(found, first, second);
  return [...session, oneKey, ...wentBack];
}

function olderValue(found: Case, first: Deed, second: Deed): readonly Claim[] {
  const { roles } = found;
  const [newer, older] = [roles.get('firstWrite'), roles.get('secondWrite')];
  return [
    [newer !== undefined && onlySource(found, first.sees, newer), 'one write put the first value'],
    [onlySource(found, second.sees, older), 'the second value appeared only once'],
    [
      (older?.endsAt ?? -1) < (newer?.invoke.index ?? -1),
      'the older write ended before the newer was sent',
    ],
  ];
}

export function twoValues({ roles, certificate }: Case): readonly Claim[] {
  const [one, other] = [roles.get('one'), roles.get('other')];
  if (one === undefined || other === undefined) return [[false, 'two operations are named']];
  const revision = certificate['revision'];
  return [
    [one.end === 'ok' && other.end === 'ok', 'both were answered'],
    [revisionOf(one) === revision && revisionOf(other) === revision, 'both name this revision'],
    [valueOf(one) !== valueOf(other), 'they have different values'],
  ];
}

/** Both keys hold something that this revision put there, and no operation is of two keys. */
export function twoKeys({ roles, certificate }: Case, history: History): readonly Claim[] {
  const [one, other] = [roles.get('one'), roles.get('other')];
  if (one === undefined || other === undefined) return [[false, 'two operations are named']];
  const revision = certificate['revision'];
  const ofStore = ['hash', 'compact', 'defragment', 'move-leader', 'backup'];
  const single = new Set(['read', 'write', 'cas', ...ofStore]);
  const asked = [...history.operations()].map(({ invoke }) => invoke.f);
  return [
    [one.endsAt < Infinity && other.endsAt < Infinity, 'both were answered'],
    [one.key !== other.key, 'they are of two keys'],
    [typeof revision === 'number' && revision > 0, 'the revision is one'],
    [changedAt(one) === revision && changedAt(other) === revision, 'both name this revision'],
    [holds(one) && holds(other), 'both keys held something'],
    [asked.every((f) => single.has(f)), 'nothing was asked that changes more than one key'],
  ];
}

function changedAt({ end, puts, completion }: Deed): number | undefined {
  const { revision, modRevision } = completion?.server ?? {};
  return end === 'ok' && puts !== undefined ? revision : modRevision;
}

function holds({ end, puts, sees }: Deed): boolean {
  const value = end === 'ok' && puts !== undefined ? puts : sees;
  return value !== undefined && value !== 'null';
}

function revisionOf({ puts, completion }: Deed): number | undefined {
  return puts === undefined ? completion?.server?.modRevision : completion?.server?.revision;
}

function valueOf({ puts, sees }: Deed): string | undefined {
  return puts ?? sees;
}

function below(a: number | undefined, b: number | undefined): boolean {
  return a !== undefined && b !== undefined && a < b;
}
