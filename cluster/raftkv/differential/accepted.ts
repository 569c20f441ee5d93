/** Where raftkv is not as etcd 3.4, on purpose; an entry that no difference needs fails the test. */

export interface Accepted extends Pattern {
  /** The sequence it belongs to, by name. */
  readonly sequence: string;
}

export interface Pattern {
  /** Matches what was asked in the step. */
  readonly step: RegExp;
  /** Matches every line that only etcd had; absent: it had none. */
  readonly etcd?: RegExp;
  /** Matches every line that only raftkv had; absent: it had none. */
  readonly raftkv?: RegExp;
  readonly reason: string;
}

const LOST_DELETION =
  'etcd 3.4.23 loses the deletion at the compacted revision itself (etcd #19179, fixed in 3.4.36)';
const HASH_AT_COMPACTION =
  'only old versions of etcd refuse to hash at exactly the compacted revision';

const NEVER_COMPACTED =
  'etcd counts -1 where nothing was ever compacted, and so can be compacted at 0; raftkv counts 0';

const PLACE_IS_LOST =
  'etcd 3.4.23 grants a lock, and every etcd an election, to one whose lease ended while it waited';

export const ACCEPTED: readonly Accepted[] = [
  {
    sequence: 'watch: what is compacted',
    step: /^etcdctl watch w --rev=7 --prev-kv/,
    raftkv: /^stdout: (DELETE|w|)$/,
    reason: LOST_DELETION,
  },
  {
    sequence: 'watch: where it begins',
    step: /^receive on w$/,
    raftkv:
      /^watch 1: \{"type":"DELETE","kv":\{"key":"w\/a","createRevision":"0","modRevision":"8"/,
    reason: LOST_DELETION,
  },
  {
    sequence: 'watch: progress by itself',
    step: /^receive on future$/,
    etcd: /^watch 0: \{"events":\[\],.*"created":false,"canceled":false/,
    reason:
      'etcd 3.4 tells progress to a watch that is yet to begin, at revisions before its first',
  },
  {
    sequence: 'compaction',
    step: /^etcdctl compaction 0$/,
    etcd: /^exit: 0$|^stdout: compacted revision 0$/,
    raftkv: /^exit: 1$|required revision has been compacted$/,
    reason: NEVER_COMPACTED,
  },
  {
    sequence: 'compaction',
    step: /^etcdctl endpoint hashkv --rev=14 -w json$/,
    etcd: /^exit: 1$|^stdout: \[\]$|required revision has been compacted/,
    raftkv: /^exit: 0$|^stdout: .*"hash":"<hash \d+>","compact_revision":14/,
    reason: HASH_AT_COMPACTION,
  },
  {
    sequence: 'endpoint',
    step: /^etcdctl endpoint hashkv (--rev=2 )?-w json \(at all\)$/,
    etcd: /^stdout: .*"hash":"<hash \d>","compact_revision":-1\}\}\]$/,
    raftkv: /^stdout: .*"hash":"<hash \d>"\}\}\]$/,
    reason: NEVER_COMPACTED,
  },
  {
    sequence: 'endpoint',
    step: /^etcdctl endpoint hashkv --rev=3 \(at all\)$/,
    etcd: /^exit: 1$|required revision has been compacted/,
    raftkv: /^exit: 0$|^stdout: <client of n\d>, <hash \d+>$/,
    reason: HASH_AT_COMPACTION,
  },
  {
    sequence: 'member: of one',
    step: /^etcdctl member list/,
    etcd: /<peer of n4>(, , false$|"\]\}\]\}$)/,
    raftkv: /<peer of n4>(, , true$|"\],"isLearner":true\}\]\}$)/,
    reason: 'etcd 3.4 forgets that a member is a learner when its peer URLs are updated',
  },
  {
    sequence: 'requests that are too large, compaction, hashes',
    step: /^KV.Txn .*1048576 bytes/,
    etcd: /^RESOURCE_EXHAUSTED: grpc: received message larger than max/,
    raftkv: /^RESOURCE_EXHAUSTED: Received message larger than max/,
    reason:
      'the bytes of a message are counted by the gRPC library, which says so in its own words',
  },
  {
    sequence: 'requests that are too large, compaction, hashes',
    step: /^Maintenance.HashKV \{("revision":[23])?\}$/,
    etcd: /^compactRevision: "-1"$/,
    raftkv: /^compactRevision: "0"$/,
    reason: NEVER_COMPACTED,
  },
  {
    sequence: 'requests that are too large, compaction, hashes',
    step: /^KV.Compact \{"revision":0\}$/,
    etcd: /^header: /,
    raftkv: /^OUT_OF_RANGE: etcdserver: mvcc: required revision has been compacted$/,
    reason: NEVER_COMPACTED,
  },
  {
    sequence: 'locks: a place that is lost',
    step: /^end of lost$/,
    etcd: /"key":"l\/8"|^ended$/,
    raftkv: /^UNKNOWN: mutex: session is expired$/,
    reason: PLACE_IS_LOST,
  },
  {
    sequence: 'elections: a place that is lost',
    step: /^end of lost$/,
    etcd: /"key":"e\/8"|^ended$/,
    raftkv: /^UNKNOWN: election: not leader$/,
    reason: PLACE_IS_LOST,
  },
  {
    sequence: 'alarms: both',
    step: /^KV.Put /,
    etcd: /^RESOURCE_EXHAUSTED: |^header: |^prevKv: null$/,
    raftkv: /^DATA_LOSS: etcdserver: corrupt cluster$/,
    reason:
      'in etcd the alarm that was raised last decides, and to take back one lets the other pass, ' +
      'until a restart finds it again',
  },
];

/** Of what is asked by chance. */
export const ACCEPTED_IN_LOCKSTEP: readonly Pattern[] = [
  {
    step: /^Cluster.MemberAdd /,
    etcd: /etcdserver: member ID already exist$/,
    raftkv: /etcdserver: Peer URLs already exists$/,
    reason: 'etcd makes an id of the URLs and the second, and looks first whether that is taken',
  },
  {
    step: /^Lease.LeaseTimeToLive /,
    etcd: /^TTL: "([4-8]\d\d|<remaining>)"$/,
    raftkv: /^TTL: "([4-8]\d\d|<remaining>)"$/,
    reason: 'how much has passed since both were started again is a matter of time',
  },
];
