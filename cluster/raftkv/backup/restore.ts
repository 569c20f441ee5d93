/**
 * Makes a member of a new cluster out of a backup, as `etcdctl snapshot restore` does for etcd:
 * what was stored stays, with its revisions, leases and alarms; members, ids and log are new.
 */
import { HarnessError } from '../../../harness/core/errors.ts';
import { type Bugs, NO_BUGS } from '../bugs.ts';
import type { Bytes } from '../bytes.ts';
import type { InitialMember } from '../server/config.ts';
import { type Bootstrap, foundedBy, memberIdOf, newCluster } from '../server/identity.ts';
import { Members, withoutMembers } from '../server/members.ts';
import type { Buckets, BucketWriter, Disk, Identity } from '../storage/types.ts';
import { type BackupRead, readBackup } from './backup-file.ts';
import { writeMember } from './write-member.ts';

export interface RestorePlan {
  /** This member's. */
  readonly name: string;
  /** All members of the new cluster: each is restored by itself, from the same backup. */
  readonly initialCluster: readonly InitialMember[];
  /** One backup that is restored twice needs two tokens, or the two clusters are one. */
  readonly token: string;
  /** Takes a copy of a member's `db` too, which has no hash. */
  readonly skipHashCheck?: boolean;
  /** Planted; absent: none. */
  readonly bugs?: Bugs;
}

export interface Restored {
  /** The new one. */
  readonly identity: Identity;
  /** Whose backup it was; undefined: a copy of a member's `db` does not say. */
  readonly from: Identity | undefined;
  readonly revision: number;
}

const NOWHERE: BucketWriter = { put: () => undefined, delete: () => undefined };

/**
 * On an empty disk. Nothing is written before the whole backup was found to be good, and a crash
 * leaves what no member starts on. Throws `bad-input` for a backup that was changed or cut off,
 * `store-failed` for a disk that is not empty, `bad-option` for a plan without this member.
 */
export async function restoreBackup(
  disk: Disk,
  backup: Bytes | AsyncIterable<Bytes>,
  plan: RestorePlan,
): Promise<Restored> {
  const bytes = backup instanceof Uint8Array ? backup : await collected(backup);
  return writeRestored(disk, readBackup(bytes, plan.skipHashCheck ?? false), plan);
}

/** As `restoreBackup`, of a backup that was read already: the first half writes nothing. */
export async function writeRestored(
  disk: Disk,
  { buckets, owner, revision, sha256 }: BackupRead,
  plan: RestorePlan,
): Promise<Restored> {
  const files = await disk.list();
  if (files.length > 0)
    throw new HarnessError(
      'store-failed',
      `a backup is restored to an empty folder, and this one has ${files.join(', ')}`,
    );
  const { bugs = NO_BUGS } = plan;
  // Breaks: whoever is restored is somebody else, since what the others know of it never was.
  const founded = bugs.has('restore-same-id')
    ? foundedBySame(plan, buckets, owner)
    : newCluster(plan, sha256);
  await writeMember(disk, founded, withoutMembers(buckets));
  return { identity: founded.identity, from: owner, revision };
}

function foundedBySame(
  plan: RestorePlan,
  buckets: Buckets,
  owner: Identity | undefined,
): Bootstrap {
  const old = new Members(buckets, NOWHERE).list();
  const members = plan.initialCluster.map((member) => ({
    ...member,
    id: old.find(({ name }) => name === member.name)?.id ?? memberIdOf(member.peerUrls, plan.token),
  }));
  return foundedBy(plan, members, owner?.cluster ?? newCluster(plan).identity.cluster);
}

async function collected(pieces: AsyncIterable<Bytes>): Promise<Bytes> {
  const chunks: Bytes[] = [];
  for await (const piece of pieces) chunks.push(piece);
  return Buffer.concat(chunks);
}
