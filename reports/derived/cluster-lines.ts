import type { History } from '../../harness/history/history.ts';
import type { Op } from '../../harness/history/op.ts';
import { LeaderWatch, type RoleClaim, type RoleSpan, samplesOf } from '../cluster.ts';
import { faultValue } from '../faults.ts';

/**
 * One line of `cluster.jsonl`: something of the cluster that changed. `source`: the nodes' own
 * words when they were asked (`api`), or what was measured from outside (`probe`).
 */
export type ClusterLine =
  | {
      readonly t: number;
      readonly event: 'role';
      readonly node: string;
      readonly role: RoleSpan['role'];
      readonly term: number | null;
      readonly source: 'api';
    }
  | {
      readonly t: number;
      readonly event: 'leader';
      readonly node: string;
      readonly term: number | null;
      /** Who led before; null for the first that was seen. */
      readonly before: string | null;
      /** How long no node was seen to lead, in milliseconds. */
      readonly leaderlessMs: number;
      readonly source: 'api';
    }
  | {
      readonly t: number;
      /** Who says now that it leads: none, or several. One is an event `leader`. */
      readonly event: 'leaders';
      readonly nodes: readonly string[];
      readonly source: 'api';
    }
  | {
      readonly t: number;
      readonly event: 'members';
      /** Every node that the observer asks. */
      readonly nodes: readonly string[];
      readonly source: 'api';
    }
  | {
      readonly t: number;
      readonly event: 'links';
      /** Only what is otherwise than before: `n1>n2` mapped to `open`, `cut` or `unknown`. */
      readonly changed: Readonly<Record<string, string>>;
      readonly source: 'probe';
    };

export function clusterLines(history: History): ClusterLine[] {
  const changes = new Changes();
  // Of a million entries these are a few hundred.
  const seen = [...history.observations(), ...history.faults()];
  for (const op of seen.toSorted((a, b) => a.index - b.index)) {
    if (op.process === 'nemesis') changes.links(op);
    else if (op.f === 'roles') changes.roles(op);
  }
  return changes.lines;
}

/** Remembers what was said last, and writes down what differs from it. */
class Changes {
  readonly lines: ClusterLine[] = [];
  readonly #roles = new Map<string, string>();
  readonly #links = new Map<string, string>();
  readonly #watch = new LeaderWatch();
  #members = '';
  #leaders = 1;

  roles({ time: t, value }: Op): void {
    const samples = samplesOf(value);
    this.#membersOf(t, samples);
    for (const { node, role, term = null } of samples) {
      const said = `${role} ${term}`;
      if (this.#roles.get(node) === said) continue;
      this.#roles.set(node, said);
      this.lines.push({ t, event: 'role', node, role, term, source: 'api' });
    }
    const change = this.#watch.add(samples, t);
    if (change !== undefined) {
      const { leader, before, gapNanos } = change;
      const { node, term = null } = leader;
      const leaderlessMs = gapNanos / 1e6;
      this.lines.push({
        t,
        event: 'leader',
        node,
        term,
        before: before?.node ?? null,
        leaderlessMs,
        source: 'api',
      });
    }
    const nodes = samples.filter(({ role }) => role === 'leader').map(({ node }) => node);
    if (nodes.length !== this.#leaders && nodes.length !== 1)
      this.lines.push({ t, event: 'leaders', nodes, source: 'api' });
    this.#leaders = nodes.length;
  }

  #membersOf(t: number, samples: readonly RoleClaim[]): void {
    const nodes = samples.map(({ node }) => node).toSorted();
    if (nodes.join() === this.#members) return;
    this.#members = nodes.join();
    this.lines.push({ t, event: 'members', nodes, source: 'api' });
  }

  links(op: Op): void {
    const entries = Object.entries(faultValue(op)?.matrix ?? {});
    // Nothing is said of a link that was open from the beginning.
    const changed = entries.filter(([link, state]) => (this.#links.get(link) ?? 'open') !== state);
    for (const [link, state] of entries) this.#links.set(link, state);
    if (changed.length > 0)
      this.lines.push({
        t: op.time,
        event: 'links',
        changed: Object.fromEntries(changed),
        source: 'probe',
      });
  }
}
