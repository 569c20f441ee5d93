/** The service Cluster. Its headers say no revision, as etcd's do not. */
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import { ok, type Result } from '../failures.ts';
import type { Member } from '../server/api.ts';
import { type Context, unary } from './context.ts';
import { wireMember } from './convert.ts';
import { memberIdOf } from './int64.ts';
import type {
  WireHeader,
  WireMemberAddRequest,
  WireMemberId,
  WireMembersResponse,
  WireMemberUpdateRequest,
} from './wire.ts';

export function clusterService(context: Context): UntypedServiceImplementation {
  const { api } = context;
  const header = (): WireHeader => context.header(0);
  const answer = (result: Result<readonly Member[]>): Result<WireMembersResponse> =>
    result.ok ? ok({ header: header(), members: result.value.map(wireMember) }) : result;
  return {
    MemberAdd: unary<WireMemberAddRequest, WireMembersResponse>(context, async (wire) => {
      const result = await api.memberAdd(wire.peerURLs ?? [], wire.isLearner === true);
      if (!result.ok) return result;
      const { member, members } = result.value;
      return ok({
        header: header(),
        member: wireMember(member),
        members: members.map(wireMember),
      });
    }),
    MemberRemove: unary<WireMemberId, WireMembersResponse>(context, async ({ ID }) =>
      answer(await api.memberRemove(memberIdOf(ID))),
    ),
    MemberUpdate: unary<WireMemberUpdateRequest, WireMembersResponse>(
      context,
      async ({ ID, peerURLs = [] }) => answer(await api.memberUpdate(memberIdOf(ID), peerURLs)),
    ),
    MemberPromote: unary<WireMemberId, WireMembersResponse>(context, async ({ ID }) =>
      answer(await api.memberPromote(memberIdOf(ID))),
    ),
    MemberList: unary<{ readonly linearizable?: boolean }, WireMembersResponse>(
      context,
      async ({ linearizable }) => answer(await api.memberList(linearizable === true)),
    ),
  };
}
