/**
 * The planted bugs: each breaks one rule that the store otherwise keeps, at the one place where that
 * rule lives. A harness is only believed if it finds bugs that are known to be there; nothing that
 * looks for them may know about this file.
 */
import { HarnessError } from '../../harness/core/errors.ts';
import { suggest } from '../../harness/core/suggest.ts';

export type Bug =
  | 'stale-leader-read'
  | 'stale-lease-read'
  | 'read-index-retry'
  | 'dirty-read'
  | 'ack-before-commit'
  | 'ack-before-write'
  | 'ack-before-fsync'
  | 'vote-not-persisted'
  | 'stale-log-vote'
  | 'figure-8'
  | 'even-quorum'
  | 'no-truncate'
  | 'two-changes'
  | 'early-change'
  | 'learner-votes'
  | 'removed-member-votes'
  | 'snapshot-tail'
  | 'compaction-restart'
  | 'consistent-index'
  | 'txn-race'
  | 'retry-twice'
  | 'compact-live'
  | 'restore-same-id'
  | 'watch-gap'
  | 'watch-back-in-time'
  | 'lease-early'
  | 'lock-no-recheck';

/** Those that one member has; usually none, at most a few. */
export type Bugs = ReadonlySet<Bug>;

export const NO_BUGS: Bugs = new Set();

/** What is to be known of a bug: for people, and for the list of what must be found how. */
export interface BugInfo {
  /** What the store does wrongly. */
  readonly what: string;
  /** What somebody who looks from outside sees of it. */
  readonly seenAs: string;
  /** The workload that can show it; after the semicolon, the faults. */
  readonly needs: string;
  /** Where it must be found: in the simulator, or there and on real processes too. */
  readonly host: 'sim' | 'both';
  /** Where the world knows it from. */
  readonly knownFrom: string;
}

export const BUGS: Readonly<Record<Bug, BugInfo>> = {
  'stale-leader-read': {
    what: 'a leader answers linearizable reads without asking whether it still leads',
    seenAs: 'stale read after a failover',
    needs: 'reads; partition, pause',
    host: 'both',
    knownFrom: 'etcd 0.4.1 (Jepsen 2014)',
  },
  'stale-lease-read': {
    what: 'a lease is counted in the leader`s own ticks, which stop while it is paused',
    seenAs: 'stale read',
    needs: 'reads; pause',
    host: 'both',
    knownFrom: 'lease reads in general',
  },
  'read-index-retry': {
    what:
      'a retried ReadIndex keeps its id, and late answers to the first round ' +
      'release all that was queued before it',
    seenAs: 'stale read',
    needs: 'reads; one-way delay that grows, then a one-way cut',
    host: 'both',
    knownFrom: 'etcd #20418',
  },
  'dirty-read': {
    what: 'serializable reads see entries that are not committed',
    seenAs: 'two values at one revision; a read of what never was',
    needs: 'reads; partition',
    host: 'both',
    knownFrom: 'read uncommitted',
  },
  'ack-before-commit': {
    what: 'a leader acknowledges a put when it alone has it',
    seenAs: 'lost acknowledged write',
    needs: 'register; partition',
    host: 'both',
    knownFrom: 'asynchronous replication',
  },
  'ack-before-write': {
    what: 'entries are acknowledged before they are written, which is done once a second',
    seenAs: 'lost write after kill -9 of all nodes',
    needs: 'register; kill of all',
    host: 'both',
    knownFrom: 'stores that write in the background',
  },
  'ack-before-fsync': {
    what: 'entries are acknowledged before they are synced, which is done once a second',
    seenAs: 'lost write after a power failure',
    needs: 'register; power failure',
    host: 'sim',
    knownFrom: 'etcd #14370 and its family',
  },
  'vote-not-persisted': {
    what: 'neither votes nor terms are saved: a restart forgets them',
    seenAs: 'two leaders in a term, lost writes',
    needs: 'register; kill',
    host: 'sim',
    knownFrom: 'a classic mistake of first implementations',
  },
  'stale-log-vote': {
    what: 'votes are granted to candidates whose log is behind',
    seenAs: 'committed entries vanish',
    needs: 'register; partition, kill',
    host: 'both',
    knownFrom: 'a classic mistake of first implementations',
  },
  'figure-8': {
    what: 'entries of earlier terms are committed by counting replicas',
    seenAs: 'a committed entry is overwritten',
    needs: 'register with max-append-entries 1; partition, kill',
    host: 'sim',
    knownFrom: 'the Raft paper, §5.4.2',
  },
  'even-quorum': {
    what: 'half of an even number of voters counts as a quorum',
    seenAs: 'split brain on 4 or 6 nodes',
    needs: 'register; partition in halves',
    host: 'both',
    knownFrom: 'misconfigured stores',
  },
  'no-truncate': {
    what: 'a follower keeps entries that conflict with its leader`s, and acknowledges the leader`s',
    seenAs: 'replicas diverge',
    needs: 'register, hash; partition',
    host: 'both',
    knownFrom: 'a classic mistake of first implementations',
  },
  'two-changes': {
    what: 'a change of the members may begin before the last one is committed',
    seenAs: 'two disjoint majorities',
    needs: 'register; membership',
    host: 'sim',
    knownFrom: 'Ongaro`s dissertation, §4.1',
  },
  'early-change': {
    what: 'a new leader changes the members before it has committed an entry of its own term',
    seenAs: 'two disjoint majorities',
    needs: 'register; membership',
    host: 'sim',
    knownFrom: 'the single-server bug of 2015',
  },
  'learner-votes': {
    what: 'learners are counted towards the quorum of the voters',
    seenAs: 'lost write, split brain',
    needs: 'register; membership, partition',
    host: 'both',
    knownFrom: 'a classic mistake of first implementations',
  },
  'removed-member-votes': {
    what: 'a removed member stays, and is counted towards the quorum of those that are left',
    seenAs: 'split brain',
    needs: 'register; membership, partition',
    host: 'both',
    knownFrom: 'a classic mistake of first implementations',
  },
  'snapshot-tail': {
    what: 'a member that installs a snapshot loses its last ten revisions',
    seenAs: 'the revision goes backwards, stale reads, replicas diverge',
    needs: 'register; long partition',
    host: 'both',
    knownFrom: 'a classic mistake of first implementations',
  },
  'compaction-restart': {
    what: 'a restart takes the revision from the keys; a compaction may have dropped the newest',
    seenAs: 'the revision goes backwards after a crash',
    needs: 'kv; compact, kill',
    host: 'both',
    knownFrom: 'etcd #17780',
  },
  'consistent-index': {
    what: 'the applied index is written before what was applied: a crash skips entries',
    seenAs: 'hashes differ, lost write',
    needs: 'register, hash; kill',
    host: 'both',
    knownFrom: 'etcd 3.5 (#13766)',
  },
  'txn-race': {
    what: 'a transaction compares when it is proposed and writes when it is applied',
    seenAs: 'two winners of one cas',
    needs: 'register',
    host: 'both',
    knownFrom: 'check-then-act',
  },
  'retry-twice': {
    what: 'after a change of the leader a server proposes again what may be in the log already',
    seenAs: 'a cas that failed is read; an old put reappears',
    needs: 'register; pause, partition',
    host: 'both',
    knownFrom: 'jetcd 0.8.2, in a server',
  },
  'compact-live': {
    what: 'a compaction removes the newest version of a key when it is older than its revision',
    seenAs: 'a key disappears',
    needs: 'kv; compact',
    host: 'both',
    knownFrom: 'a classic mistake of first implementations',
  },
  'restore-same-id': {
    what: 'a restored member keeps the ids that it and its cluster had',
    seenAs: 'old and new cluster mix: replicas diverge, what was restored is gone',
    needs: 'backup; restore',
    host: 'both',
    knownFrom: 'etcd`s documentation of restores',
  },
  'watch-gap': {
    what: 'a watch that a compaction overtakes goes on after it, and does not say so',
    seenAs: 'missing event',
    needs: 'watch; compact',
    host: 'both',
    knownFrom: 'etcd #17529',
  },
  'watch-back-in-time': {
    what: 'a watch begins anew when its member installs a snapshot',
    seenAs: 'events twice and out of order',
    needs: 'watch; partition, snapshot',
    host: 'both',
    knownFrom: 'etcd #15271',
  },
  'lease-early': {
    what: 'a deposed leader goes on revoking leases, of whose renewals it is not told',
    seenAs: 'a key expires too early',
    needs: 'lease; pause',
    host: 'both',
    knownFrom: 'etcd #15247',
  },
  'lock-no-recheck': {
    what: 'who waited for a lock, or to lead, is told that it has it though its key is gone',
    seenAs: 'two hold a lock at once',
    needs: 'lock; pause',
    host: 'both',
    knownFrom: 'etcd #11456 (Jepsen 2020)',
  },
};

export const BUG_NAMES: readonly Bug[] = Object.keys(BUGS) as Bug[];

export function isBug(name: string): name is Bug {
  return Object.hasOwn(BUGS, name);
}

/** From `a` or `a,b`. Throws `bad-option`, with all there are, for a name that is none of them. */
export function parseBugs(text: string): Bugs {
  const names = text.split(',').map((name) => name.trim());
  const wrong = names.find((name) => !isBug(name));
  if (wrong !== undefined)
    throw new HarnessError(
      'bad-option',
      `raftkv has no bug '${wrong}'${suggest(wrong, BUG_NAMES)}; it has: ${BUG_NAMES.join(', ')}`,
    );
  return new Set(names.filter(isBug));
}
