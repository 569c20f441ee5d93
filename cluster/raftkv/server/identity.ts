/** Who is who: ids of members and clusters, as etcd derives them, and the log a cluster starts with. */
import { createHash } from 'node:crypto';
import { HarnessError } from '../../../harness/core/errors.ts';
import type { Entry, HardState, MemberId } from '../raft/types.ts';
import type { Identity } from '../storage/types.ts';
import { memberAt } from './agreement.ts';
import { encodeConfigData, NOBODY } from './command.ts';
import type { FoundCluster, InitialMember, NodeConfig } from './config.ts';

/** All initial members write the same first entries, as if a leader of this term had. */
const BOOT_TERM = 1;

/** `salt` tells apart a member that comes again on the same addresses. */
export function memberIdOf(peerUrls: readonly string[], token: string, salt = ''): MemberId {
  return hashId([...peerUrls].toSorted(), token, salt);
}

export interface Bootstrap {
  readonly identity: Identity;
  readonly hardState: HardState;
  readonly entries: readonly Entry[];
}

/** What a cluster is told at its beginning. */
export type Founding = Pick<NodeConfig, 'name' | 'initialCluster' | 'token'>;

/**
 * The ids come of the peer URLs and the token; `salt` makes others of the same.
 * Throws `bad-option` when this member is not among the initial ones.
 */
export function newCluster(config: Founding, salt = ''): Bootstrap {
  const { initialCluster, token } = config;
  const members = initialCluster.map((member) => ({
    ...member,
    id: memberIdOf(member.peerUrls, token, salt),
  }));
  const ids = members.map(({ id }) => id).toSorted();
  return foundedBy(config, members, hashId(ids, token, 'cluster'));
}

/**
 * A new cluster starts with one configuration entry for each member, already committed, so that a
 * member that joins later learns of all of them from the log, or from a snapshot. Throws
 * `bad-option` as `newCluster` does.
 */
export function foundedBy(
  config: Founding,
  initial: readonly (InitialMember & { readonly id: MemberId })[],
  cluster: string,
): Bootstrap {
  const members = initial.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const self = members.find(({ name }) => name === config.name);
  if (self === undefined) throw notListed(config);
  const ids = members.map(({ id }) => id);
  const entries = members.map(
    ({ id, name, peerUrls }, at): Entry => ({
      index: at + 1,
      term: BOOT_TERM,
      payload: {
        kind: 'config',
        config: { voters: ids.slice(0, at + 1), learners: [] },
        data: encodeConfigData({
          ...NOBODY,
          type: 'add',
          member: id,
          name,
          peerUrls,
          isLearner: false,
        }),
      },
    }),
  );
  return {
    identity: { member: self.id, cluster },
    hardState: { term: BOOT_TERM, vote: null, commit: entries.length },
    entries,
  };
}

/**
 * A member that joins starts with nothing: the leader sends it the log, or a snapshot. Who it is was
 * decided when it was added. Throws `bad-option` when it was not.
 */
export function existingCluster(config: NodeConfig, found: FoundCluster): Bootstrap {
  const own = config.initialCluster.find(({ name }) => name === config.name);
  if (own === undefined) throw notListed(config);
  const self = memberAt(found, own.peerUrls);
  if (self === undefined)
    throw new HarnessError(
      'bad-option',
      `no member with the peer URLs ${own.peerUrls.join(', ')} was added to the cluster; ` +
        'add it first (etcdctl member add)',
    );
  return {
    identity: { member: self.id, cluster: found.cluster },
    hardState: { term: 0, vote: null, commit: 0 },
    entries: [],
  };
}

function notListed({ name }: Founding): HarnessError {
  return new HarnessError('bad-option', `--initial-cluster does not list '${name}'`);
}

/** The first 64 bits of a SHA-1; never zero, which is etcd's word for nobody. */
function hashId(parts: readonly string[], token: string, salt: string): string {
  const hash = createHash('sha1')
    .update(JSON.stringify([parts, token, salt]))
    .digest('hex');
  return hash.slice(0, 16).replace(/^0+/, '') || '1';
}
