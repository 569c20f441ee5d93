/**
 * For tests of nemeses only: a cluster whose links and processes are a few maps, on virtual time,
 * and which can be told to lie, so that evidence can be shown to notice.
 */
import { sleep, VirtualClock } from '../../harness/core/clock.ts';
import { HarnessError } from '../../harness/core/errors.ts';
import type { JsonValue } from '../../harness/core/json.ts';
import { Random, seedFrom } from '../../harness/core/prng.ts';
import { type NodeName, nanos } from '../../harness/core/units.ts';
import type { Op } from '../../harness/history/op.ts';
import type {
  FaultBoard,
  FaultValue,
  Nemesis,
  NemesisContext,
} from '../../harness/protocols/nemesis.ts';
import type { DirectedLink, LinkState, Network, Shape } from '../../harness/protocols/network.ts';
import { NETWORK_ABILITIES } from '../../harness/protocols/network.ts';
import type {
  Cluster,
  ProcessControl,
  ProcessState,
  RoleSample,
} from '../../harness/protocols/system.ts';
import { linksOf } from '../network/grudge.ts';
import { linkText } from './evidence.ts';
import type { FaultOptions } from './options.ts';
import { FakePackets, FakePlugs, FakeResources } from './testing-containers.ts';
import { FakeClocks, FakeDisks } from './testing-machines.ts';

/** What the fake cluster claims to do and does not; `...-throws`: it refuses instead. */
export type Lie =
  | 'drop'
  | 'drop-all-but-one'
  | 'drop-throws'
  | 'undrop'
  | 'undrop-throws'
  | 'shape'
  | 'shape-throws-last'
  | 'unshape'
  | 'unshape-throws'
  | 'kill'
  | 'kill-throws-first'
  | 'start'
  | 'start-is-silent'
  | 'same-pid'
  | 'pause'
  | 'resume';

interface FakeNode {
  state: ProcessState['state'];
  pid: number;
  answers: boolean;
}

const HOP_MS = 1;
const PROBE_MS_MAX = 1500;

export class FakeCluster {
  readonly clock: VirtualClock = new VirtualClock();
  readonly lies: Set<Lie> = new Set();
  readonly board: Required<FaultBoard> = { hit: new Map(), links: new Map(), led: [] };
  readonly disks: FakeDisks = new FakeDisks(this.clock);
  readonly clocks: FakeClocks = new FakeClocks(this.clock);
  readonly plugs: FakePlugs = new FakePlugs(this.clock);
  readonly packets: FakePackets = new FakePackets(this.clock);
  readonly resources: FakeResources = new FakeResources(this.clock, {
    state: (node) => this.#node(node).state,
    end: (node) => this.crash(node),
    start: (node) => this.#launch(node),
  });
  readonly nodes: readonly NodeName[];
  /** Who believes to lead, newest term first. */
  leaders: readonly NodeName[] = ['n2'];
  readonly #states: Map<NodeName, FakeNode>;
  readonly #cuts: Map<string, number> = new Map();
  readonly #shapes: Map<string, { readonly link: DirectedLink; readonly shape: Shape }> = new Map();
  /** What the machine adds to each round trip just now. */
  busyMs = 0;
  #pids = 100;
  #names = 0;

  constructor(size: number) {
    this.nodes = Array.from({ length: size }, (_, at) => `n${at + 1}`);
    this.#states = new Map(
      this.nodes.map((node) => [node, { state: 'running', pid: this.#pids++, answers: true }]),
    );
  }

  /** What a nemesis sees; `more` replaces parts of the cluster. */
  context(seed: number, more: Partial<Cluster> = {}): NemesisContext {
    const random = Random.stream(seedFrom(seed), 'fault');
    return {
      cluster: { ...this.cluster(), ...more },
      clock: this.clock,
      random,
      board: this.board,
    };
  }

  cluster(): Cluster {
    return {
      nodes: this.nodes,
      timing: { heartbeatMs: 100, electionMs: 1000 },
      facts: {},
      network: this.network(),
      processes: this.processes(),
      disks: this.disks,
      clocks: this.clocks,
      resources: this.resources,
      plugs: this.plugs,
      packets: this.packets,
      open: () => Promise.reject(new Error('the fake cluster has no clients')),
      roles: () => this.#roles(),
      ready: () => Promise.resolve(),
      crashed: () => [],
      logs: () => [],
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }

  /** What is wrong after everything was healed; empty when nothing is. */
  async damage(): Promise<string[]> {
    const installed = await this.network().installed();
    const down = this.nodes.filter((node) => this.#node(node).state !== 'running');
    return [
      ...installed,
      ...(await this.disks.installed()),
      ...(await this.resources.installed()),
      ...(await this.plugs.installed()),
      ...(await this.packets.installed()),
      ...this.clocks.wrong(),
      ...down.map((node) => `${node} ${this.#node(node).state}`),
      ...[...this.board.hit.keys(), ...this.board.links.keys()].map((lane) => `board: ${lane}`),
    ];
  }

  /** Ends a process behind everybody's back. */
  crash(node: NodeName): void {
    this.#node(node).state = 'gone';
  }

  network(): Network {
    return {
      can: new Set(NETWORK_ABILITIES),
      drop: async (grudge) => {
        await this.#hop();
        if (this.lies.has('drop-throws'))
          throw new HarnessError('network-failed', 'drop: no answer', { details: 'ECONNREFUSED' });
        const links = linksOf(grudge).slice(this.lies.has('drop-all-but-one') ? 1 : 0);
        if (!this.lies.has('drop')) for (const link of links) this.#count(linkText(link), 1);
      },
      undrop: async (grudge) => {
        await this.#hop();
        if (this.lies.has('undrop-throws'))
          throw new HarnessError('network-failed', 'undrop: no answer');
        if (!this.lies.has('undrop'))
          for (const link of linksOf(grudge)) this.#count(linkText(link), -1);
      },
      shape: async (link, shape) => {
        await this.#hop();
        if (this.lies.has('shape-throws-last') && link.to === this.nodes.at(-1))
          throw new HarnessError('network-failed', `${shape.kind}: refused`);
        const name = `${shape.kind} ${linkText(link)} ${this.#names++}`;
        if (!this.lies.has('shape')) this.#shapes.set(name, { link, shape });
        return async () => {
          await this.#hop();
          if (this.lies.has('unshape-throws') && link.from === this.nodes[0])
            throw new HarnessError('network-failed', `${name}: no answer`);
          if (!this.lies.has('unshape')) this.#shapes.delete(name);
        };
      },
      heal: async () => {
        await this.#hop();
        this.#cuts.clear();
        this.#shapes.clear();
      },
      installed: () =>
        Promise.resolve([
          ...[...this.#cuts.keys()].map((link) => `cut ${link}`),
          ...this.#shapes.keys(),
        ]),
      observe: async () => {
        await this.#hop();
        return this.nodes.flatMap((from) =>
          this.nodes.filter((to) => to !== from).map((to) => this.#observe({ from, to })),
        );
      },
    };
  }

  processes(): ProcessControl {
    return {
      kill: async (node) => {
        await this.#hop();
        if (this.lies.has('kill-throws-first') && node === this.nodes[0])
          throw new HarnessError('process-failed', `${node}: not permitted`);
        if (!this.lies.has('kill')) this.#node(node).state = 'gone';
      },
      start: async (node) => {
        await this.#hop();
        if (!this.lies.has('start')) this.#launch(node);
      },
      pause: async (node) => {
        await this.#hop();
        if (!this.lies.has('pause')) this.#signal(node, 'running', 'paused');
      },
      resume: async (node) => {
        await this.#hop();
        if (!this.lies.has('resume')) this.#signal(node, 'paused', 'running');
      },
      state: async (node) => {
        await this.#hop();
        const { state, pid } = this.#node(node);
        return state === 'gone' ? { state } : { state, pid };
      },
    };
  }

  #launch(node: NodeName): void {
    const pid = this.lies.has('same-pid') ? this.#node(node).pid : this.#pids++;
    this.#states.set(node, { state: 'running', pid, answers: !this.lies.has('start-is-silent') });
  }

  async #roles(): Promise<RoleSample[]> {
    await this.#hop();
    return this.nodes.map((node): RoleSample => {
      const { state, answers } = this.#node(node);
      if (state !== 'running' || !answers || this.plugs.isSilent(node))
        return { node, role: 'unknown', state: 'unreachable' };
      const at = this.leaders.indexOf(node);
      const role = at < 0 ? 'follower' : 'leader';
      return { node, role, state: 'answered', term: 10 - Math.max(0, at) };
    });
  }

  #observe(link: DirectedLink): LinkState {
    const back = { from: link.to, to: link.from };
    const up = [link.from, link.to].every((node) => this.#node(node).state === 'running');
    if (!up) return { ...link, state: 'unknown' };
    const rttMs = 2 + this.busyMs + this.#delayMs(link) + this.#delayMs(back);
    if (this.#isCut(link) || rttMs > PROBE_MS_MAX) return { ...link, state: 'cut' };
    return { ...link, state: 'open', ...(!this.#isCut(back) && { rttMs }) };
  }

  #isCut(link: DirectedLink): boolean {
    const silent = this.#on(link).some(({ kind }) => kind === 'hold' || kind === 'blackhole');
    return silent || this.#cuts.has(linkText(link));
  }

  #delayMs(link: DirectedLink): number {
    return this.#on(link).reduce(
      (sum, shape) => sum + (shape.kind === 'latency' ? shape.latencyMs : 0),
      0,
    );
  }

  #on(link: DirectedLink): Shape[] {
    return [...this.#shapes.values()].flatMap((entry) =>
      linkText(entry.link) === linkText(link) ? [entry.shape] : [],
    );
  }

  #count(link: string, by: 1 | -1): void {
    const count = (this.#cuts.get(link) ?? 0) + by;
    if (count > 0) this.#cuts.set(link, count);
    else this.#cuts.delete(link);
  }

  #node(name: NodeName): FakeNode {
    const node = this.#states.get(name);
    if (node === undefined) throw new Error(`the fake cluster has no ${name}`);
    return node;
  }

  /** As with real processes, the dead hear no signal. */
  #signal(name: NodeName, from: FakeNode['state'], to: FakeNode['state']): void {
    const node = this.#node(name);
    if (node.state === 'gone') throw new HarnessError('process-failed', `${name}: no such process`);
    if (node.state === from) node.state = to;
  }

  #hop(): Promise<void> {
    return sleep(this.clock, HOP_MS);
  }
}

/** A fault event as the interpreter hands it over. */
export function faultOp(lane: string, value: JsonValue, id = `${lane}-1`): Op {
  return {
    index: 0,
    time: nanos(0),
    process: 'nemesis',
    type: 'invoke',
    f: lane,
    value,
    phase: 'main',
    id,
    lane,
  };
}

export function begin(
  nemesis: Nemesis,
  cluster: FakeCluster,
  options: FaultOptions,
  seed = 1,
  more: Partial<Cluster> = {},
): Promise<FaultValue> {
  const op = faultOp(nemesis.name, { ...options, stage: 'begin' });
  return cluster.clock.run(nemesis.invoke(op, cluster.context(seed, more)));
}

export function end(nemesis: Nemesis, cluster: FakeCluster): Promise<FaultValue> {
  const op = faultOp(nemesis.name, { stage: 'end' });
  return cluster.clock.run(nemesis.invoke(op, cluster.context(1)));
}
