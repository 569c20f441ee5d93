/** What simulated members say of themselves, asked directly and not through a client's link. */
import { type Clock, sleep } from '../../harness/core/clock.ts';
import { HarnessError } from '../../harness/core/errors.ts';
import { lagMs } from '../../harness/core/passages.ts';
import { msFromNanos, type NodeName } from '../../harness/core/units.ts';
import type { RoleSample } from '../../harness/protocols/system.ts';
import type { SimWorld } from '../backends/sim/world.ts';
import type { MemberId } from '../raftkv/raft/types.ts';
import type { NodeApi } from '../raftkv/server/api.ts';
import type { ExpectedEnds } from './member-ends.ts';

/** As on real processes: one that takes longer is paused, or nearly. */
const STATUS_MS_MAX = 300;
const READ_MS_MAX = 1_000;
const PROBE_EVERY_MS = 25;

export interface SimViewsOptions {
  readonly world: SimWorld<NodeApi>;
  readonly clock: Clock;
  readonly nodes: readonly NodeName[];
  /** The ids that the first members have. */
  readonly ids: ReadonlyMap<MemberId, NodeName>;
  readonly ends: ExpectedEnds;
}

export class SimViews {
  readonly #options: SimViewsOptions;
  /** Those that join later are learned as they answer. */
  readonly #names: Map<MemberId, NodeName>;

  constructor(options: SimViewsOptions) {
    this.#options = options;
    this.#names = new Map(options.ids);
  }

  /** Every member's own view; all are asked at once. */
  roles(): Promise<RoleSample[]> {
    return Promise.all(this.#options.nodes.map((node) => this.#role(node)));
  }

  /** Throws `process-failed` for a node that ended by itself, or `deadline`. */
  async ready(timeoutMs: number): Promise<void> {
    await Promise.all(this.#options.nodes.map((node) => this.#awaitReady(node, timeoutMs)));
  }

  async #role(node: NodeName): Promise<RoleSample> {
    const { world } = this.#options;
    const ask = (api: NodeApi) => Promise.resolve({ header: api.header(), status: api.status() });
    const reply = await world.call(node, ask, STATUS_MS_MAX, 'observer');
    if (reply.type !== 'answer') return { node, role: 'unknown', state: 'unreachable' };
    const { header, status } = reply.value;
    this.#options.ends.serves(node);
    this.#names.set(header.member, node);
    const leader = status.leader === undefined ? undefined : this.#names.get(status.leader);
    const follows = status.leader === header.member ? 'leader' : 'follower';
    // As over the wire, where Status does not tell a candidate from one that lost its leader.
    const role = status.leader === undefined ? 'unknown' : follows;
    return {
      node,
      role: status.isLearner ? 'learner' : role,
      state: 'answered',
      term: status.raftTerm,
      ...(leader !== undefined && { leader }),
      applied: status.raftApplied,
      revision: header.revision,
    };
  }

  async #awaitReady(node: NodeName, timeoutMs: number): Promise<void> {
    const { clock, world } = this.#options;
    const deadlineMs = msFromNanos(clock.now()) + timeoutMs;
    for (;;) {
      const seen = await this.#serves(node);
      if (seen === true) return;
      const crash = world.crashed().find((each) => each.node === node);
      const what = `${node} to know a leader and serve a linearizable read`;
      if (crash !== undefined && (await world.processes.state(node)).state === 'gone')
        throw new HarnessError(
          'process-failed',
          `${node} ended (${crash.how}); waited for ${what}`,
        );
      if (msFromNanos(clock.now()) >= deadlineMs)
        throw new HarnessError(
          'deadline',
          `waited ${timeoutMs} ms for ${what}; last seen: ${seen}`,
        );
      await sleep(clock, PROBE_EVERY_MS);
    }
  }

  async #serves(node: NodeName): Promise<true | string> {
    const { world } = this.#options;
    const read = (api: NodeApi) => api.range({ key: Buffer.from('schism/ready') });
    const ms = READ_MS_MAX + lagMs(world.network.latencyMs);
    const reply = await world.call(node, read, ms, 'observer');
    if (reply.type !== 'answer') return `a linearizable read: ${reply.type}`;
    return reply.value.ok || `a linearizable read: ${reply.value.failure.message}`;
  }
}
