/**
 * What an operator does to members that speak etcd's API: who belongs to the cluster, and how much
 * of the past is kept. The same for processes and for simulated members.
 */
import { type Clock, sleep } from '../../harness/core/clock.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type { Maintenance } from '../../harness/protocols/maintenance.ts';
import type { AddMember, Membership, MemberView } from '../../harness/protocols/membership.ts';
import type { Outcome } from '../../harness/protocols/system.ts';
import type { EtcdClient, Reply } from '../etcd-api/client.ts';
import { classify } from '../etcd-api/errors.ts';
import type { Int64, Member, MemberListResponse } from '../etcd-api/rpc.ts';
import { identity, int64 } from '../etcd-api/stamp.ts';
import type { ExpectedEnds } from './member-ends.ts';

/** The API's word for: I know of no leader. */
export const NOBODY = '0';
/** A refusal comes at once; whoever is still silent then may be waiting for the new member itself. */
const REFUSAL_MS_MAX = 400;

/** As much of a client as an operator needs; the simulator has one without a wire. */
export type OperatorCalls = Pick<
  EtcdClient,
  | 'range'
  | 'compact'
  | 'memberList'
  | 'memberAdd'
  | 'memberRemove'
  | 'memberPromote'
  | 'status'
  | 'hashKV'
  | 'moveLeader'
  | 'defragment'
  | 'snapshot'
>;

/** The cluster as an operator has it before them: the machines, and a way to each member. */
export interface OperatedCluster {
  readonly nodes: readonly NodeName[];
  readonly clock: Clock;
  readonly ends: ExpectedEnds;
  /** Takes the way of clients. */
  readonly calls: (node: NodeName) => OperatorCalls;
  /** What the member on this node advertises to its peers, in all its lives. */
  readonly peerUrl: (node: NodeName) => string;
  /** In one go: ends what runs there, empties its disk, and starts it as one of these members. */
  readonly renew: (node: NodeName, members: readonly NodeName[]) => Promise<void>;
  /** Starts it on what it has; does nothing when it runs. */
  readonly start: (node: NodeName) => Promise<void>;
}

export function maintenanceOf({ calls }: Pick<OperatedCluster, 'calls'>): Maintenance {
  return {
    compact: async (via, keep, timeoutMs) => {
      const now = await calls(via).range({ key: ANY_KEY }, timeoutMs);
      if (!now.ok) return failed(now.error, 'read');
      const revision = int64(now.value.header?.revision ?? '0') - keep;
      if (revision < 1) return refused('nothing-to-compact', `revision ${revision} never was`);
      const reply = await calls(via).compact({ revision: String(revision) }, timeoutMs);
      return reply.ok ? { type: 'ok', value: { revision } } : failed(reply.error, 'write');
    },
    remembers: async (via, revision, timeoutMs) => {
      const request = { key: ANY_KEY, revision: String(revision), serializable: true };
      const reply = await calls(via).range(request, timeoutMs);
      if (reply.ok) return { type: 'ok', value: true };
      const failure = failed(reply.error, 'read');
      return failure.error.code === 'compacted' ? { type: 'ok', value: false } : failure;
    },
  };
}

/** Nobody writes it. */
export const ANY_KEY: Buffer = Buffer.from('schism/operator');

export function membershipOf(cluster: OperatedCluster): Membership {
  const { calls, ends } = cluster;
  const additions = new Additions(cluster);
  const list: Membership['list'] = async (via, timeoutMs) => {
    const reply = await calls(via).memberList(timeoutMs);
    if (!reply.ok) return failed(reply.error, 'read');
    return { type: 'ok', value: viewsOf(reply.value, cluster) };
  };
  /** The id of a node's member, as `via` has it. */
  const find = async (
    node: NodeName,
    via: NodeName,
    timeoutMs: number,
  ): Promise<Outcome<MemberView>> => {
    const listed = await list(via, timeoutMs);
    if (listed.type !== 'ok') return listed;
    const member = listed.value.find((each) => each.node === node);
    if (member === undefined) return refused('member-not-found', `${via} knows no member ${node}`);
    return { type: 'ok', value: member };
  };
  return {
    list,
    add: async (node, how) => {
      const listed = await list(how.via, how.timeoutMs);
      if (listed.type !== 'ok') return listed;
      if (listed.value.some((member) => member.node === node))
        return refused('peer-url-exists', `${node} is a member, says ${how.via}`);
      return additions.add(node, how, listed.value);
    },
    promote: async (node, via, timeoutMs) => {
      const member = await find(node, via, timeoutMs);
      if (member.type !== 'ok') return member;
      return settled(await calls(via).memberPromote({ ID: wireId(member.value) }, timeoutMs));
    },
    remove: async (node, via, timeoutMs) => {
      const member = await find(node, via, timeoutMs);
      if (member.type !== 'ok') return member;
      // Before it is asked: the member may know of it sooner than the answer is here.
      const isNews = ends.leaves(node);
      const reply = await calls(via).memberRemove({ ID: wireId(member.value) }, timeoutMs);
      const outcome = settled(reply);
      if (outcome.type === 'fail' && isNews) ends.stays(node);
      if (outcome.type === 'ok') additions.forget(node);
      return outcome;
    },
  };
}

/**
 * Adds members without ever emptying the disk of one that may be needed: a member that forgets what
 * it has acknowledged or voted for breaks any store.
 */
class Additions {
  readonly #cluster: OperatedCluster;
  /** Emptied for an addition of which nobody knows whether it happened: they may be members by now. */
  readonly #pending = new Set<NodeName>();

  constructor(cluster: OperatedCluster) {
    this.#cluster = cluster;
  }

  /** It was a member, and is not any more. */
  forget(node: NodeName): void {
    this.#pending.delete(node);
  }

  async add(
    node: NodeName,
    { via, asLearner, timeoutMs }: AddMember,
    known: readonly MemberView[],
  ): Promise<Outcome<null>> {
    const { calls, clock, peerUrl } = this.#cluster;
    const request = { peerURLs: [peerUrl(node)], isLearner: asLearner };
    const asked = calls(via).memberAdd(request, timeoutMs);
    const early = await Promise.race([asked, sleep(clock, REFUSAL_MS_MAX)]);
    // One that was alone answers only when it has company: then it must start before.
    if (early === undefined) await this.#start(node, known);
    const reply = early ?? (await asked);
    const outcome = settled(reply);
    if (early !== undefined && outcome.type !== 'fail')
      await this.#start(node, reply.ok ? viewsOf(reply.value, this.#cluster) : known);
    if (outcome.type === 'ok') this.#pending.delete(node);
    return outcome;
  }

  async #start(node: NodeName, known: readonly MemberView[]): Promise<void> {
    const { nodes, ends, renew, start } = this.#cluster;
    ends.joins(node);
    if (this.#pending.has(node)) {
      await start(node);
      return;
    }
    this.#pending.add(node);
    const members = new Set([node, ...known.map((member) => member.node)]);
    await renew(
      node,
      nodes.filter((each) => members.has(each)),
    );
  }
}

/** Members are told apart by what they advertise: one that has not started yet has no name. */
function viewsOf(
  { members }: MemberListResponse,
  { nodes, peerUrl }: Pick<OperatedCluster, 'nodes' | 'peerUrl'>,
): MemberView[] {
  return members.map(
    ({ ID, peerURLs, isLearner }: Member): MemberView => ({
      id: identity(ID),
      node: nodes.find((node) => peerURLs.includes(peerUrl(node))),
      isLearner,
    }),
  );
}

function wireId({ id }: MemberView): Int64 {
  return BigInt(`0x${id}`).toString();
}

export function settled(reply: Reply<unknown>): Outcome<null> {
  return reply.ok ? { type: 'ok', value: null } : failed(reply.error, 'write');
}

/** The same union, taken apart: `fail` and `info` are two members of `Outcome`. */
export function failed(
  reason: unknown,
  kind: 'read' | 'write',
): Exclude<Outcome<never>, { readonly type: 'ok' }> {
  const { type, error } = classify(reason, kind);
  return type === 'fail' ? { type, error } : { type, error };
}

/** By this side: nothing was asked for. */
export function refused(code: string, message: string): Outcome<never> {
  return { type: 'fail', error: { code, definite: true, message } };
}
