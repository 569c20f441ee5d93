/** How one member runs; what the flags of `main.ts` become. */
import type { Bugs } from '../bugs.ts';
import type { MemberId } from '../raft/types.ts';
import type { AutoCompactionConfig } from './auto-compaction.ts';

export interface InitialMember {
  readonly name: string;
  readonly peerUrls: readonly string[];
}

export interface NodeConfig {
  readonly name: string;
  readonly clientUrls: readonly string[];
  /** The members a new cluster starts with, or, for `existing`, all members there are by now. */
  readonly initialCluster: readonly InitialMember[];
  readonly initialState: 'new' | 'existing';
  readonly token: string;
  readonly heartbeatMs: number;
  readonly electionMs: number;
  readonly preVote: boolean;
  readonly leaseReads: boolean;
  readonly maxAppendEntries: number;
  /** Applied entries between two snapshots. */
  readonly snapshotCount: number;
  /** Entries kept behind a snapshot, for slow followers. */
  readonly catchUpEntries: number;
  /** Operations of one transaction. */
  readonly maxTxnOps: number;
  /** Bytes of one request. */
  readonly maxRequestBytes: number;
  /** Refuse changes of the membership that could cost the quorum. */
  readonly strictReconfigCheck: boolean;
  /** Bytes of the backend file from which on nothing may be added; absent: there is no limit. */
  readonly quotaBytes?: number;
  /** Absent: nobody compacts but clients. */
  readonly autoCompaction?: AutoCompactionConfig;
  /** How often a leader compares what the members hold; absent: never. */
  readonly corruptCheckMs?: number;
  /** Compare with the others before taking part. */
  readonly checksCorruptionAtStart?: boolean;
  /** Planted; absent: none. */
  readonly bugs?: Bugs;
}

/** How to dial what a member advertises: `host:port` to `host:port`. Absent: as advertised. */
export type Routes = ReadonlyMap<string, string>;

/** What a joining member learns from those who are there, before it starts. */
export interface FoundCluster {
  readonly cluster: string;
  readonly members: readonly { readonly id: MemberId; readonly peerUrls: readonly string[] }[];
}
