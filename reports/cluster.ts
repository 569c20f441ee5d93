/** What the observer saw of the cluster: roles by node, leaders in turn, leaders side by side. */
import type { JsonValue } from '../harness/core/json.ts';
import type { NodeName } from '../harness/core/units.ts';
import type { Op } from '../harness/history/op.ts';
import type { Role } from '../harness/protocols/system.ts';

/** What one node said of itself, from one sample until a sample that differs. */
export interface RoleSpan {
  readonly startNanos: number;
  readonly endNanos: number;
  /** `unreachable`: the node did not answer the observer. */
  readonly role: Role | 'unreachable';
  readonly term: number | undefined;
}

export interface RoleLane {
  readonly node: NodeName;
  readonly spans: readonly RoleSpan[];
}

export interface Leader {
  readonly node: NodeName;
  readonly term: number | undefined;
}

export interface LeaderChange {
  readonly timeNanos: number;
  readonly leader: Leader;
  /** Absent for the first leader seen. */
  readonly before?: Leader;
  /** How long no node was seen to lead before this one. */
  readonly gapNanos: number;
}

/** Several nodes that said at the same time that they lead. */
export interface RivalLeaders {
  readonly startNanos: number;
  readonly endNanos: number;
  readonly leaders: readonly Leader[];
}

export interface ClusterView {
  readonly lanes: readonly RoleLane[];
  readonly changes: readonly LeaderChange[];
  readonly rivals: readonly RivalLeaders[];
}

/** What one node said in one sample. */
export interface RoleClaim {
  readonly node: NodeName;
  readonly role: RoleSpan['role'];
  readonly term: number | undefined;
}

const ROLES: readonly Role[] = ['leader', 'follower', 'candidate', 'learner', 'unknown'];

/** The samples in the value of a `roles` entry; whatever is not one is left out. */
export function samplesOf(value: JsonValue): readonly RoleClaim[] {
  if (!Array.isArray(value)) return [];
  return (value as readonly JsonValue[]).flatMap((item) => {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return [];
    const { node, role, state, term } = item as Readonly<Record<string, JsonValue>>;
    if (typeof node !== 'string') return [];
    const known = ROLES.find((name) => name === role) ?? 'unknown';
    return [
      {
        node,
        role: state === 'unreachable' ? ('unreachable' as const) : known,
        term: typeof term === 'number' ? term : undefined,
      },
    ];
  });
}

/** Of all that say they lead, the one with the highest term. */
export function leaderAmong(samples: readonly RoleClaim[]): Leader | undefined {
  const leaders = samples.filter(({ role }) => role === 'leader');
  return leaders.reduce<Leader | undefined>(
    (best, { node, term }) =>
      best === undefined || (term ?? 0) > (best.term ?? 0) ? { node, term } : best,
    undefined,
  );
}

export function leaderText({ node, term }: Leader): string {
  return term === undefined ? node : `${node} (term ${term})`;
}

type Open<T> = { -readonly [K in keyof T]: T[K] };

/** Follows who leads, sample by sample. */
export class LeaderWatch {
  #leader: Leader | undefined;
  #leaderlessSince: number | undefined;

  get leader(): Leader | undefined {
    return this.#leaderlessSince === undefined ? this.#leader : undefined;
  }

  /** The change that this sample shows, if it shows one. */
  add(samples: readonly RoleClaim[], timeNanos: number): LeaderChange | undefined {
    const leader = leaderAmong(samples);
    if (leader === undefined) {
      this.#leaderlessSince ??= timeNanos;
      return undefined;
    }
    const before = this.#leader;
    const gapNanos = timeNanos - (this.#leaderlessSince ?? timeNanos);
    this.#leader = leader;
    this.#leaderlessSince = undefined;
    if (before?.node === leader.node && before.term === leader.term) return undefined;
    return { timeNanos, leader, ...(before !== undefined && { before }), gapNanos };
  }
}

/** Takes `roles` entries in order. */
export class ClusterBuilder {
  readonly #lanes = new Map<NodeName, Open<RoleSpan>[]>();
  readonly #changes: LeaderChange[] = [];
  readonly #rivals: Open<RivalLeaders>[] = [];
  readonly #watch = new LeaderWatch();
  #rival: Open<RivalLeaders> | undefined;

  add(op: Op): void {
    const samples = samplesOf(op.value);
    for (const sample of samples) this.#lane(sample, op.time);
    const change = this.#watch.add(samples, op.time);
    if (change !== undefined) this.#changes.push(change);
    this.#rivalry(samples, op.time);
  }

  build(endNanos: number): ClusterView {
    for (const spans of this.#lanes.values()) {
      const last = spans.at(-1);
      if (last !== undefined) last.endNanos = Math.max(endNanos, last.startNanos);
    }
    const lanes = [...this.#lanes].map(([node, spans]) => ({ node, spans }));
    lanes.sort((a, b) => (a.node < b.node ? -1 : 1));
    return { lanes, changes: this.#changes, rivals: this.#rivals };
  }

  #lane({ node, role, term }: RoleClaim, time: number): void {
    const spans = this.#lanes.get(node) ?? [];
    this.#lanes.set(node, spans);
    const last = spans.at(-1);
    if (last !== undefined) last.endNanos = time;
    if (last?.role === role && last.term === term) return;
    spans.push({ startNanos: time, endNanos: time, role, term });
  }

  #rivalry(samples: readonly RoleClaim[], time: number): void {
    const leaders = samples.filter(({ role }) => role === 'leader');
    const names = leaders.map(leaderText).join();
    if (this.#rival !== undefined) {
      this.#rival.endNanos = time;
      if (this.#rival.leaders.map(leaderText).join() === names) return;
      this.#rival = undefined;
    }
    if (leaders.length < 2) return;
    this.#rival = { startNanos: time, endNanos: time, leaders };
    this.#rivals.push(this.#rival);
  }
}
