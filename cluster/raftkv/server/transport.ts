/** The port to the other members: TCP in a process, simulated in the simulator. */
import type { Bytes } from '../bytes.ts';
import type { MemberId, Message } from '../raft/types.ts';
import type { Identity } from '../storage/types.ts';
import type { FoundCluster } from './config.ts';

/** A question of one member's server to another's, beside raft: lease renewals, changes, members. */
export interface PeerCall {
  readonly method: string;
  readonly body: Bytes;
}

/** What a member does with what arrives. */
export interface PeerHandler {
  /** `cluster` and `to` were checked: it is for this member of this cluster. */
  message(message: Message): void;
  /** Never throws; the caller waits for the answer, and may have gone. */
  call(from: MemberId, call: PeerCall): Promise<Bytes>;
  /** For those who join and do not know who they are yet; anybody may ask. */
  members(): FoundCluster;
  /** Lost on its way out: the connection broke, or its queue was full. */
  unreachable(member: MemberId): void;
  /** A whole snapshot was written to the connection, or it could not be. */
  snapshotSent(member: MemberId, sent: boolean): void;
}

/**
 * Sends without promise: a message may be lost, never changed; those to one member arrive in order
 * while one connection lasts, but for long ones, which others than `append`s may overtake.
 */
export interface Transport extends AsyncDisposable {
  /** Who there is, and where: `host:port`. Connections to others are closed. */
  setPeers(peers: ReadonlyMap<MemberId, string>): void;
  send(message: Message): void;
  /** Undefined: no answer within the time. */
  call(to: MemberId, call: PeerCall, timeoutMs: number): Promise<Bytes | undefined>;
  /**
   * Milliseconds of the clock since when this member has been heard from without a break; undefined:
   * it is not being heard.
   */
  activeSinceMs(member: MemberId): number | undefined;
}

/** How a node gets its transport: it knows who it is only after it has looked at its disk. */
export type OpenTransport = (self: Identity, handler: PeerHandler) => Promise<Transport>;
