/** What members of etcd's API say of themselves, asked directly and not through any link. */
import { connect } from 'node:net';
import type { Clock } from '../../harness/core/clock.ts';
import { invariant } from '../../harness/core/invariant.ts';
import { lagMs } from '../../harness/core/passages.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type { Network } from '../../harness/protocols/network.ts';
import type { Role, RoleSample } from '../../harness/protocols/system.ts';
import { type ClientTls, EtcdClient } from '../etcd-api/client.ts';
import { classify } from '../etcd-api/errors.ts';
import type { StatusResponse } from '../etcd-api/rpc.ts';
import { int64 } from '../etcd-api/stamp.ts';
import type { ExpectedEnds } from './member-ends.ts';
import { NOBODY, type OperatorCalls } from './member-operator.ts';
import { TornViews } from './torn-views.ts';

/** Status is answered from memory: one that takes longer is paused, or nearly. */
const STATUS_MS_MAX = 300;
const READ_MS_MAX = 1_000;

export interface MemberAddresses {
  /** The member itself. */
  readonly direct: string;
  /** The way that clients take. */
  readonly linked: string;
}

/** Keeps two connections to each member; disposing of it closes them. */
export class MemberViews implements Disposable {
  readonly #views: ReadonlyMap<
    NodeName,
    { readonly direct: EtcdClient; readonly linked: EtcdClient; readonly address: string }
  >;
  readonly #torn: TornViews = new TornViews();
  /** Member ids, as they become known. */
  readonly #names = new Map<string, NodeName>();
  readonly #ends: ExpectedEnds;
  readonly #readMsMax: number;

  /** `links`: what members ask each other by; absent: as for links that take no time. */
  constructor(
    members: ReadonlyMap<NodeName, MemberAddresses>,
    clock: Clock,
    ends: ExpectedEnds,
    links?: Pick<Network, 'latencyMs'>,
    tls?: ClientTls,
  ) {
    this.#ends = ends;
    this.#readMsMax = READ_MS_MAX + lagMs(links?.latencyMs);
    this.#views = new Map(
      [...members].map(([node, { direct, linked }]) => {
        const clients = {
          direct: new EtcdClient(direct, clock, {}, tls),
          linked: new EtcdClient(linked, clock, {}, tls),
          address: direct,
        };
        return [node, clients];
      }),
    );
  }

  /** Every member's own view, those that do not answer included; all are asked at once. */
  async roles(): Promise<RoleSample[]> {
    const all = [...this.#views].map(async ([node, { direct }]): Promise<RoleSample> => {
      const reply = await direct.status(STATUS_MS_MAX);
      if (!reply.ok) return { node, role: 'unknown', state: 'unreachable' };
      return this.#sample(node, reply.value);
    });
    return Promise.all(all);
  }

  /** True when a member knows its leader and a linearizable read through its link succeeds. */
  async serves(node: NodeName): Promise<true | string> {
    const view = this.#views.get(node);
    if (view === undefined) return 'no such node';
    // A channel that was refused waits longer and longer: it is not asked before it can connect.
    if (!(await accepts(view.address))) return 'nobody listens';
    const status = await view.direct.status(STATUS_MS_MAX);
    if (!status.ok) return `Status: ${codeOf(status.error)}`;
    this.#sample(node, status.value);
    if (status.value.leader === NOBODY) return 'Status: no leader';
    const key = Buffer.from('schism/ready');
    const read = await view.linked.range({ key }, this.#readMsMax);
    return read.ok || `a linearizable read: ${codeOf(read.error)}`;
  }

  /** Learns all members' ids from one that answers, so that every leader has a name. */
  async learnMembers(): Promise<void> {
    for (const { direct } of this.#views.values()) {
      const reply = await direct.memberList(this.#readMsMax);
      if (!reply.ok) continue;
      for (const { ID, name } of reply.value.members) if (name !== '') this.#names.set(ID, name);
      return;
    }
  }

  /** The way of clients, for an operator. */
  operator(node: NodeName): OperatorCalls {
    const view = this.#views.get(node);
    invariant(view !== undefined, `there is no node '${node}'`);
    return view.linked;
  }

  [Symbol.dispose](): void {
    for (const { direct, linked } of this.#views.values()) {
      direct[Symbol.dispose]();
      linked[Symbol.dispose]();
    }
  }

  #sample(node: NodeName, status: StatusResponse): RoleSample {
    const { header, leader, isLearner, raftTerm, raftAppliedIndex } = status;
    this.#ends.serves(node);
    if (header !== null) this.#names.set(header.memberId, node);
    const isTorn = leader !== NOBODY && this.#torn.isTorn(node, leader, raftTerm);
    const name = isTorn ? undefined : this.#names.get(leader);
    return {
      node,
      role: isTorn ? 'unknown' : roleOf(status, isLearner),
      state: 'answered',
      term: int64(raftTerm),
      ...(name !== undefined && { leader: name }),
      // Older servers leave it out, and it is never 0 on one that serves.
      ...(raftAppliedIndex !== NOBODY && { applied: int64(raftAppliedIndex) }),
      ...(header !== null && { revision: int64(header.revision) }),
    };
  }
}

/** Whether somebody listens there, on this machine. */
function accepts(address: string): Promise<boolean> {
  const colon = address.lastIndexOf(':');
  return new Promise((resolve) => {
    const socket = connect({
      host: address.slice(0, colon),
      port: Number(address.slice(colon + 1)),
      timeout: STATUS_MS_MAX,
    });
    const settle = (accepted: boolean): void => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once('connect', () => settle(true));
    socket.once('timeout', () => settle(false));
    socket.once('error', () => settle(false));
  });
}

/** Status does not tell a candidate from a follower that has lost its leader. */
function roleOf({ header, leader }: StatusResponse, isLearner: boolean): Role {
  if (isLearner) return 'learner';
  if (leader === NOBODY) return 'unknown';
  return leader === header?.memberId ? 'leader' : 'follower';
}

function codeOf(error: unknown): string {
  const { code, message } = classify(error, 'read').error;
  return message === undefined ? code : `${code} (${message})`;
}
