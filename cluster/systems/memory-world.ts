import type { Clock } from '../../harness/core/clock.ts';
import { invariant } from '../../harness/core/invariant.ts';
import type { Random } from '../../harness/core/prng.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type { RoleSample } from '../../harness/protocols/system.ts';
import type { MemoryBug } from './memory-bugs.ts';
import { MemoryStore } from './memory-store.ts';

/** How long a write takes to reach the copy of another node. */
const LAG_MS_MAX = 8;

interface NodeState {
  up: boolean;
  paused: boolean;
  /** Counts starts, so that a request can tell that the node it asked is no more. */
  starts: number;
  store: MemoryStore;
  /** How much of `store` this node's own copy holds. */
  applied: number;
  catchingUp: boolean;
  term: number;
  leader: NodeName;
}

/**
 * The nodes, who hears whom, and the copies. Consensus itself is not played: a node that hears a
 * majority, both ways, acts on the one true log; one that does not, waits.
 */
export class MemoryWorld {
  readonly nodes: readonly NodeName[];
  readonly #bug: MemoryBug | undefined;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #states: ReadonlyMap<NodeName, NodeState>;
  /** Directed links that deliver nothing, `n1>n2`, with how many faults cut each. */
  readonly cuts: Map<string, number> = new Map();
  #waiting: (() => void)[] = [];
  #term = 1;
  #leader: NodeName;

  constructor(
    nodes: readonly NodeName[],
    clock: Clock,
    random: Random,
    bug: MemoryBug | undefined,
  ) {
    const [first] = nodes;
    invariant(first !== undefined, 'a cluster has at least one node');
    this.nodes = nodes;
    this.#clock = clock;
    this.#random = random;
    this.#bug = bug;
    this.#leader = first;
    const store = new MemoryStore();
    const fresh = { up: true, paused: false, starts: 0, applied: 0, catchingUp: false, term: 1 };
    this.#states = new Map(nodes.map((node) => [node, { ...fresh, store, leader: first }]));
  }

  state(node: NodeName): NodeState {
    const state = this.#states.get(node);
    invariant(state !== undefined, `no node ${node}`);
    return state;
  }

  isLeader(node: NodeName): boolean {
    return node === this.#leader;
  }

  /** Whether this node may act on the log now. */
  serves(node: NodeName): boolean {
    const { up, paused } = this.state(node);
    return up && !paused && (this.#bug === 'split-brain' || this.#hasQuorum(node));
  }

  /** Resolves at the next change of who hears whom, or who runs. */
  changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  /** Must be called after every change of `cuts`, `up` or `paused`. */
  update(): void {
    if (this.#bug === 'split-brain') this.#regroup();
    const [next] = [this.#leader, ...this.nodes].filter((node) => this.#canLead(node));
    if (next !== undefined && next !== this.#leader) {
      this.#leader = next;
      this.#term++;
    }
    for (const node of this.nodes) this.#replicate(node);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** This node has just acted on the newest state, so its own copy holds it. */
  catchUp(node: NodeName): void {
    const state = this.state(node);
    state.applied = state.store.revision;
  }

  /** Lets the copies of all nodes follow the log, each after its own lag. */
  committed(): void {
    for (const node of this.nodes) this.#replicate(node);
  }

  roles(): RoleSample[] {
    return this.nodes.map((node) => {
      const { up, paused, term, leader, applied } = this.state(node);
      if (!up || paused) return { node, role: 'unknown', state: 'unreachable' };
      const role = leader === node ? 'leader' : 'follower';
      return { node, role, state: 'answered', term, leader, applied, revision: applied };
    });
  }

  #canLead(node: NodeName): boolean {
    const { up, paused } = this.state(node);
    return up && !paused && this.#hasQuorum(node);
  }

  #hears(a: NodeName, b: NodeName): boolean {
    return a === b || (!this.cuts.has(`${a}>${b}`) && !this.cuts.has(`${b}>${a}`));
  }

  #hasQuorum(node: NodeName): boolean {
    const heard = this.nodes.filter((other) => {
      const { up, paused } = this.state(other);
      return up && !paused && this.#hears(node, other);
    });
    return heard.length > this.nodes.length / 2;
  }

  #replicate(node: NodeName): void {
    const state = this.state(node);
    if (state.catchingUp) return;
    state.catchingUp = true;
    this.#clock.timer(this.#random.float() * LAG_MS_MAX, () => {
      state.catchingUp = false;
      if (!this.serves(node)) return;
      state.applied = state.store.revision;
      state.term = this.#term;
      state.leader = this.#leader;
    });
  }

  /** Split brain: each connected side takes its own copy; on merging the larger group's survives. */
  #regroup(): void {
    const left = new Set(this.nodes);
    for (const node of this.nodes) {
      if (!left.has(node)) continue;
      const side = [...left].filter((other) => this.#hears(node, other));
      for (const other of side) left.delete(other);
      const groups = Map.groupBy(side, (other) => this.state(other).store);
      const [store] = [...groups].toSorted((a, b) => b[1].length - a[1].length)[0] ?? [];
      invariant(store !== undefined, 'every side has a store');
      const elsewhere = this.nodes.some(
        (other) => !side.includes(other) && this.state(other).store === store,
      );
      const own = elsewhere ? store.fork() : store;
      for (const other of side) {
        const state = this.state(other);
        state.store = own;
        state.applied = Math.min(state.applied, own.revision);
      }
    }
  }
}
