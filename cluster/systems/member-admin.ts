/** What an operator asks of members that speak etcd's API; the same for processes and simulated ones. */
import type { Clock } from '../../harness/core/clock.ts';
import { HarnessError, messageOf } from '../../harness/core/errors.ts';
import { msFromNanos, type NodeName, nanosFromMs } from '../../harness/core/units.ts';
import type { AdminApi, Backup } from '../../harness/protocols/admin.ts';
import type { Outcome } from '../../harness/protocols/system.ts';
import { type ContentCalls, contentsOf } from '../etcd-api/contents.ts';
import { etcdHash } from '../etcd-api/hash.ts';
import { stampOf } from '../etcd-api/stamp.ts';
import {
  ANY_KEY,
  failed,
  maintenanceOf,
  NOBODY,
  type OperatedCluster,
  refused,
  settled,
} from './member-operator.ts';

/** Makes clusters of one new member out of backups, one at a time. */
export interface Restorer {
  /** Undefined: another one is under way. */
  begin(node: NodeName): Restoration | undefined;
}

/** Disposing of it ends whatever it started. */
export interface Restoration extends AsyncDisposable {
  /** The next bytes of the backup of `node`. Throws when they are too many. */
  take(piece: Uint8Array): void;
  /**
   * Resolves when the new member serves. Throws a `HarnessError`: `binary-missing`, `deadline`,
   * `bad-input` where the backup itself was refused or nobody could start on it.
   */
  restore(timeoutMs: number): Promise<ContentCalls>;
}

export interface AdministeredCluster extends Pick<OperatedCluster, 'nodes' | 'calls'> {
  readonly clock: Clock;
  /** Absent: there is no place for another cluster. */
  readonly restorer?: Restorer;
}

export function adminOf(cluster: AdministeredCluster, node: NodeName): AdminApi {
  const { calls } = cluster;
  const maintenance = maintenanceOf(cluster);
  return {
    compact: async (keep, { timeoutMs }) =>
      settledCompaction(await maintenance.compact(node, keep, timeoutMs)),
    defragment: async ({ timeoutMs }) => settled(await calls(node).defragment(timeoutMs)),
    moveLeader: ({ timeoutMs }) => moveLeader(cluster, node, timeoutMs),
    backup: ({ timeoutMs }) => backup(cluster, node, timeoutMs),
  };
}

/**
 * A transaction may have done the rest of what it was to do when it answers so; a compaction that came
 * too late had nothing else to do.
 */
function settledCompaction<T>(outcome: Outcome<T>): Outcome<T> {
  if (outcome.type !== 'info' || outcome.error.code !== 'compacted') return outcome;
  return { type: 'fail', error: { ...outcome.error, definite: true } };
}

/** Only the leader itself hands over, and only to a voter that it knows. */
async function moveLeader(
  { nodes, calls }: AdministeredCluster,
  node: NodeName,
  timeoutMs: number,
): ReturnType<AdminApi['moveLeader']> {
  const status = await calls(node).status(timeoutMs);
  if (!status.ok) return failed(status.error, 'read');
  const { header, leader } = status.value;
  if (header === null || leader === NOBODY) return refused('no-leader', `${node} knows no leader`);
  const list = await calls(node).memberList(timeoutMs);
  if (!list.ok) return failed(list.error, 'read');
  const members = list.value.members.filter(({ name }) => nodes.includes(name));
  const from = members.find(({ ID }) => ID === leader);
  if (from === undefined) return refused('no-leader', `${node} does not list its leader`);
  const to = members.find(({ ID, isLearner }) =>
    leader === header.memberId ? ID !== leader && !isLearner : ID === header.memberId,
  );
  if (to === undefined) return refused('nobody-else', `${node} lists nobody else who could lead`);
  const moved = await calls(from.name).moveLeader(to.ID, timeoutMs);
  if (!moved.ok) return failed(moved.error, 'write');
  return { type: 'ok', value: { from: from.name, to: to.name } };
}

/** Nothing of this changes the store, so whatever goes wrong is a `fail`. */
async function backup(
  cluster: AdministeredCluster,
  node: NodeName,
  timeoutMs: number,
): Promise<Outcome<Backup>> {
  const { restorer } = cluster;
  if (restorer === undefined) return refused('unsupported', 'no place to restore a backup here');
  try {
    await using restoration = restorer.begin(node);
    if (restoration === undefined) return refused('busy', 'another backup is being restored');
    return await backupTo(restoration, cluster, node, timeoutMs);
  } catch (error) {
    return notRestored(error);
  }
}

async function backupTo(
  restoration: Restoration,
  { calls, clock }: AdministeredCluster,
  node: NodeName,
  timeoutMs: number,
): Promise<Outcome<Backup>> {
  const until = clock.now() + nanosFromMs(timeoutMs);
  const leftMs = (): number => Math.max(1, Math.round(msFromNanos(until - clock.now())));
  // A member's backup is of what it has applied: with this, that is all that was answered by now.
  const before = await calls(node).range({ key: ANY_KEY }, leftMs());
  if (!before.ok) return failed(before.error, 'read');
  const streamed = await calls(node).snapshot(leftMs(), (piece) => restoration.take(piece));
  if (!streamed.ok) return failed(streamed.error, 'read');
  const contents = await contentsOf(await restoration.restore(leftMs()), leftMs());
  if (contents.type !== 'ok') return contents;
  const { revision } = contents.value;
  const source = await etcdHash(calls(node)).hash(revision, { timeoutMs: leftMs() });
  return {
    type: 'ok',
    value: { ...contents.value, ...(source.type === 'ok' && { source: source.value }) },
    server: stampOf(before.value.header),
  };
}

/** A backup that was refused is told apart from a machine that could not do it. */
function notRestored(error: unknown): Outcome<never> {
  if (!(error instanceof HarnessError)) throw error;
  const code = error.code === 'bad-input' ? 'not-restored' : `restore-${error.code}`;
  const message = messageOf(error).slice(0, 400);
  return { type: 'fail', error: { code, definite: true, message } };
}
