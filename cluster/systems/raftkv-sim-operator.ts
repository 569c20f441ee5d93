/** An operator's calls to one simulated member, in the words of etcd's API. */
import type { NodeName } from '../../harness/core/units.ts';
import type { SimWorld } from '../backends/sim/world.ts';
import type { Int64, MemberListResponse, StatusResponse } from '../etcd-api/rpc.ts';
import { failed, ok, type Result } from '../raftkv/failures.ts';
import type { MemberId } from '../raftkv/raft/types.ts';
import type { Member, NodeApi } from '../raftkv/server/api.ts';
import { NOBODY, type OperatorCalls } from './member-operator.ts';
import { decimal, hashKv, headerOf, range, refusal, simCall } from './raftkv-sim-client.ts';

export function simOperator(world: SimWorld<NodeApi>, node: NodeName): OperatorCalls {
  const call = simCall(world, node, 'operator');
  const members = (
    ask: (api: NodeApi) => Promise<Result<readonly Member[]>>,
    timeoutMs: number,
  ): ReturnType<OperatorCalls['memberList']> => call((api) => membersOf(api, ask), timeoutMs);
  return {
    range: (request, timeoutMs) => call((api) => range(api, request), timeoutMs),
    compact: ({ revision }, timeoutMs) =>
      call(async (api) => {
        const wrong = refusal(api);
        if (wrong !== undefined) return failed(wrong);
        const result = await api.compact(Number(revision));
        return result.ok ? ok({ header: headerOf(api, result.value) }) : result;
      }, timeoutMs),
    memberList: (timeoutMs) => members((api) => api.memberList(false), timeoutMs),
    memberAdd: ({ peerURLs, isLearner = false }, timeoutMs) =>
      members(async (api) => {
        const result = await api.memberAdd(peerURLs, isLearner);
        return result.ok ? ok(result.value.members) : result;
      }, timeoutMs),
    memberRemove: ({ ID }, timeoutMs) =>
      members((api) => api.memberRemove(memberIdOf(ID)), timeoutMs),
    memberPromote: ({ ID }, timeoutMs) =>
      members((api) => api.memberPromote(memberIdOf(ID)), timeoutMs),
    status: (timeoutMs) => call((api) => Promise.resolve(ok(statusOf(api))), timeoutMs),
    hashKV: (timeoutMs, revision = '0') => call((api) => hashKv(api, revision), timeoutMs),
    moveLeader: (target, timeoutMs) =>
      call(async (api) => {
        const result = await api.moveLeader(memberIdOf(target));
        return result.ok ? ok({ header: null }) : result;
      }, timeoutMs),
    defragment: (timeoutMs) =>
      call(async (api) => {
        const result = await api.defragment();
        return result.ok ? ok({ header: null }) : result;
      }, timeoutMs),
    snapshot: async (timeoutMs, take) => {
      const reply = await call((api) => wholeBackup(api), timeoutMs);
      if (!reply.ok) return reply;
      for (const piece of reply.value) take(piece);
      return { ok: true, value: null };
    },
  };
}

/** There is no stream: all pieces arrive at once, or none. */
async function wholeBackup(api: NodeApi): Promise<Result<readonly Buffer[]>> {
  const result = await api.snapshot();
  if (!result.ok) return result;
  const pieces: Buffer[] = [];
  for await (const piece of result.value.pieces) pieces.push(Buffer.from(piece));
  return ok(pieces);
}

function statusOf(api: NodeApi): StatusResponse {
  const { version, leader, raftIndex, raftTerm, raftApplied, isLearner } = api.status();
  return {
    header: headerOf(api, api.header()),
    version,
    leader: leader === undefined ? NOBODY : decimal(leader),
    raftIndex: String(raftIndex),
    raftTerm: String(raftTerm),
    raftAppliedIndex: String(raftApplied),
    isLearner,
  };
}

async function membersOf(
  api: NodeApi,
  ask: (api: NodeApi) => Promise<Result<readonly Member[]>>,
): Promise<Result<MemberListResponse>> {
  const wrong = refusal(api);
  if (wrong !== undefined) return failed(wrong);
  const result = await ask(api);
  if (!result.ok) return result;
  return ok({
    header: null,
    members: result.value.map(({ id, name, peerUrls, isLearner }) => ({
      ID: decimal(id),
      name,
      peerURLs: peerUrls,
      isLearner,
    })),
  });
}

function memberIdOf(id: Int64): MemberId {
  return BigInt(id).toString(16);
}
