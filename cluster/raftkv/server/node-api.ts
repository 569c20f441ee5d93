/** What clients ask of a node, put together from its parts. */
import { backupOf } from '../backup/backup-file.ts';
import type { Bugs } from '../bugs.ts';
import { FAILURES, failed, ok, type Result } from '../failures.ts';
import type { DeleteRangeResult, PutResult, Store, TxnRequest, TxnResult } from '../mvcc/types.ts';
import type { MemberId, Raft } from '../raft/types.ts';
import type { BackendCopy, Identity, Storage } from '../storage/types.ts';
import type { Alarm } from './alarms.ts';
import type { Member, NodeApi, NodeStatus } from './api.ts';
import type { CommandRequest } from './command.ts';
import type { NodeConfig } from './config.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import type { Machine } from './machine.ts';
import { arePeerUrls, type MemberChanges } from './member-changes.ts';
import type { Proposals } from './proposals.ts';
import type { Reads } from './reads.ts';
import type { Upkeep } from './upkeep.ts';
import type { Watches } from './watches.ts';

/** What clients are told: the API is that of etcd 3.4. */
export const VERSION = '3.4.0-raftkv';

export interface NodeParts {
  readonly config: NodeConfig;
  readonly bugs: Bugs;
  readonly identity: Identity;
  readonly storage: Storage;
  readonly raft: Raft;
  /** Another one after a leader's snapshot was installed. */
  readonly machine: Machine;
  readonly proposals: Proposals;
  readonly reads: Reads;
  readonly leases: LeaseKeeper;
  readonly changes: MemberChanges;
  readonly watches: Watches;
  readonly upkeep: Upkeep;
  /** While the backend is defragmented: until when. */
  readonly rewriting: Promise<void> | undefined;
  readonly isStopped: boolean;
  /** The backend with all that is applied; undefined: the member stopped. */
  backup(): Promise<BackendCopy | undefined>;
  /** Resolves once the leader is `to`, or false after the time. */
  awaitLeader(to: MemberId, timeoutMs: number): Promise<boolean>;
  defragment(): Promise<void>;
}

export function nodeApi(parts: NodeParts): NodeApi {
  const propose = async <T>(request: CommandRequest): Promise<Result<T>> =>
    (await parts.proposals.propose(request)) as Result<T>;
  const proposeWithin = async <T>(request: CommandRequest): Promise<Result<T>> => {
    const refusal = parts.upkeep.quota.refusal(request);
    return refusal === undefined ? await propose<T>(request) : failed(await refusal);
  };
  const ready = readyOf(parts);
  return {
    header: () => ({
      cluster: parts.identity.cluster,
      member: parts.identity.member,
      revision: parts.machine.store.revision,
      term: parts.raft.status().term,
    }),
    range: async (request) => {
      const barrier = await ready(request.serializable !== true);
      if (!barrier.ok) return barrier;
      const store = request.serializable === true ? localStore(parts) : parts.machine.store;
      return store.range(request);
    },
    put: (request) => proposeWithin<PutResult>({ type: 'put', request }),
    deleteRange: (request) => propose<DeleteRangeResult>({ type: 'delete-range', request }),
    txn: async (request) => {
      // Breaks: a transaction is one step, from its compares to its writes.
      if (!isReadOnly(request))
        return parts.bugs.has('txn-race')
          ? txnInTwoSteps(parts, request, proposeWithin)
          : proposeWithin<TxnResult>({ type: 'txn', request });
      const isLocal = isSerializable(request);
      const barrier = await ready(!isLocal);
      if (!barrier.ok) return barrier;
      return (isLocal ? localStore(parts) : parts.machine.store).txn(request);
    },
    compact: (revision) => propose<{ revision: number }>({ type: 'compact', revision }),
    leaseGrant: async (id, ttlSeconds) => {
      const refusal = parts.upkeep.quota.refusal({ type: 'lease-grant', id, ttlSeconds });
      if (refusal !== undefined) return failed(await refusal);
      return await parts.leases.grant(id, ttlSeconds);
    },
    leaseRevoke: (id) => propose<{ revision: number }>({ type: 'lease-revoke', id }),
    leaseKeepAlive: (id) => parts.leases.keepAlive(id),
    leaseTimeToLive: (id, withKeys) => parts.leases.timeToLive(id, withKeys),
    leases: async () => {
      const barrier = await ready(false);
      return barrier.ok ? ok(parts.machine.store.leases.list()) : barrier;
    },
    watch: (request, wake) => parts.watches.open(parts.machine.store, request, wake),
    ...memberApi(parts, propose),
    status: () => statusOf(parts),
    snapshot: async () => {
      const backend = parts.isStopped ? undefined : await parts.backup();
      if (backend === undefined) return failed(FAILURES.stopped);
      return ok(backupOf(backend, parts.identity));
    },
    hashKv: async (revision) => {
      const barrier = await ready(false);
      return barrier.ok ? parts.machine.store.hash(revision) : barrier;
    },
    moveLeader: (to) => moveLeader(parts, to),
    ...upkeepApi(parts, propose),
  };
}

/** When the state machine may be read: at once, or with all that was committed when it was asked. */
function readyOf(parts: NodeParts): (isLinearizable: boolean) => Promise<Result<null>> {
  return async (isLinearizable) => {
    if (parts.isStopped) return failed(FAILURES.stopped);
    const barrier = isLinearizable ? await parts.reads.barrier() : ok(null);
    if (parts.rewriting !== undefined) await parts.rewriting;
    return barrier;
  };
}

function upkeepApi(
  parts: NodeParts,
  propose: <T>(request: CommandRequest) => Promise<Result<T>>,
): Pick<NodeApi, 'alarms' | 'setAlarm' | 'defragment'> {
  return {
    alarms: async () => {
      const barrier = await readyOf(parts)(true);
      return barrier.ok ? ok(parts.machine.alarms.list()) : barrier;
    },
    setAlarm: (alarm, isOn) => propose<readonly Alarm[]>({ type: 'alarm', isOn, alarm }),
    defragment: async () => {
      if (parts.isStopped) return failed(FAILURES.stopped);
      await parts.defragment();
      return parts.isStopped ? failed(FAILURES.stopped) : ok(null);
    },
  };
}

/** What serializable reads see: the state of this member, which may be behind. */
function localStore({ machine, bugs }: NodeParts): Store {
  // Breaks: only what is committed is ever read.
  if (bugs.has('dirty-read') && machine.early !== undefined) return machine.early.store;
  return machine.store;
}

async function txnInTwoSteps(
  { reads, machine }: NodeParts,
  { compare, success, failure }: TxnRequest,
  propose: <T>(request: CommandRequest) => Promise<Result<T>>,
): Promise<Result<TxnResult>> {
  const ready = await reads.barrier();
  if (!ready.ok) return ready;
  const compared = machine.store.txn({ compare, success: [], failure: [] });
  if (!compared.ok) return compared;
  const { succeeded } = compared.value;
  const request = { compare: [], success: succeeded ? success : failure, failure: [] };
  const result = await propose<TxnResult>({ type: 'txn', request });
  return result.ok ? ok({ ...result.value, succeeded }) : result;
}

function memberApi(
  parts: NodeParts,
  propose: <T>(request: CommandRequest) => Promise<Result<T>>,
): Pick<NodeApi, 'memberAdd' | 'memberRemove' | 'memberPromote' | 'memberUpdate' | 'memberList'> {
  const change = async (type: 'remove' | 'promote', member: MemberId) => {
    const result = await parts.changes.change({ type, member });
    return result.ok ? ok(result.value.members) : result;
  };
  return {
    memberAdd: async (peerUrls, isLearner) => {
      const result = await parts.changes.change({ type: 'add', peerUrls, isLearner });
      if (!result.ok) return result;
      const { members, member: id } = result.value;
      const member: Member = members.find((each) => each.id === id) ?? {
        id,
        name: '',
        peerUrls,
        clientUrls: [],
        isLearner,
      };
      return ok({ member, members });
    },
    memberRemove: (id) => change('remove', id),
    memberPromote: (id) => change('promote', id),
    memberUpdate: (member, peerUrls) =>
      arePeerUrls(peerUrls)
        ? propose<readonly Member[]>({ type: 'member-update', member, peerUrls })
        : Promise.resolve(failed(FAILURES.badUrls)),
    memberList: async (linearizable) => {
      const barrier = await readyOf(parts)(linearizable);
      return barrier.ok ? ok(parts.machine.members.list()) : barrier;
    },
  };
}

function statusOf({ raft, storage, machine }: NodeParts): NodeStatus {
  const { leader, commit, term, isLearner } = raft.status();
  return {
    version: VERSION,
    dbSize: storage.backend.size,
    dbSizeInUse: Math.min(machine.store.sizeInUse, storage.backend.size),
    leader,
    raftIndex: commit,
    raftTerm: term,
    raftApplied: machine.applied,
    errors: [
      ...(leader === undefined ? [FAILURES.noLeader.message] : []),
      ...machine.alarms.list().map(alarmText),
    ],
    isLearner,
  };
}

/** As Go prints etcd's message, with the space at its end. */
function alarmText({ type, member }: Alarm): string {
  return `memberID:${BigInt(`0x${member}`)} alarm:${type} `;
}

/** Resolves once this member knows the new leader. */
async function moveLeader(parts: NodeParts, to: MemberId): Promise<Result<null>> {
  const { raft, config } = parts;
  if (parts.isStopped) return failed(FAILURES.stopped);
  const { role, leader } = raft.status();
  if (role !== 'leader') return failed(FAILURES.notLeader);
  const member = parts.machine.members.get(to);
  if (member === undefined || member.isLearner) return failed(FAILURES.badTransferee);
  if (leader === to) return ok(null);
  if (!raft.transfer(to)) return failed(FAILURES.badTransferee);
  const moved = await parts.awaitLeader(to, config.electionMs);
  if (moved) return ok(null);
  return failed(parts.isStopped ? FAILURES.stopped : FAILURES.transferTimedOut);
}

/** As in etcd, one that holds another takes its way through the log, whatever that one does. */
function isReadOnly({ success, failure }: TxnRequest): boolean {
  return [...success, ...failure].every((op) => op.type === 'range');
}

function isSerializable({ success, failure }: TxnRequest): boolean {
  return [...success, ...failure].every(
    (op) => op.type === 'range' && op.request.serializable === true,
  );
}
