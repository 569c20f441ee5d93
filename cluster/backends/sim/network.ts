/** The network of a simulation: a link for each ordered pair, and probes that travel on them. */
import { sleep, type VirtualClock } from '../../../harness/core/clock.ts';
import { HarnessError } from '../../../harness/core/errors.ts';
import type { Random } from '../../../harness/core/prng.ts';
import { msFromNanos, type NodeName } from '../../../harness/core/units.ts';
import type {
  DirectedLink,
  Grudge,
  LinkState,
  Matrix,
  Network,
  NetworkAbility,
  Shape,
} from '../../../harness/protocols/network.ts';
import type { ProcessState } from '../../../harness/protocols/system.ts';
import { linksOf } from '../../network/grudge.ts';
import { type DelayDistribution, longer } from './delay.ts';
import { type Behind, Link } from './link.ts';
import type { Port, Wires } from './port.ts';
import type { Trace } from './trace.ts';

/** How long a probe waits for a link that is not slowed; the same as for processes. */
const PROBE_WAIT_MS = 300;
/** A latency beyond it makes the probe give up rather than wait. */
const ALLOWANCE_MS_MAX = 2_500;

/** What this network can do. Messages have no size here, so nothing can be done by bytes. */
export const SIM_ABILITIES: ReadonlySet<NetworkAbility> = new Set([
  'cut',
  'latency',
  'hold',
  'blackhole',
  'reset',
] as const);

export interface SimNetworkOptions {
  readonly nodes: readonly NodeName[];
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly latency: (link: DirectedLink) => DelayDistribution;
  /** On top of it, between two nodes. */
  readonly latencyMs: number;
  readonly loss: number;
  readonly duplication: number;
  readonly behind: (node: NodeName) => Behind;
  /** Lets a node's machine answer a probe: at once, when it is resumed, or never. */
  readonly answer: (node: NodeName, answer: () => void) => ProcessState['state'];
  readonly state: (node: NodeName) => ProcessState['state'];
  readonly trace: Trace;
}

/** What one probe has found so far. */
interface Probe {
  readonly link: DirectedLink;
  hasArrived: boolean;
  rttMs: number | undefined;
}

export class SimNetwork implements Network, Wires {
  readonly can: ReadonlySet<NetworkAbility> = SIM_ABILITIES;
  readonly nodes: readonly NodeName[];
  readonly latencyMs: number;
  readonly #options: SimNetworkOptions;
  readonly #links: ReadonlyMap<NodeName, ReadonlyMap<NodeName, Link>>;
  #shapesEver = 0;

  constructor(options: SimNetworkOptions) {
    const { nodes, random } = options;
    this.#options = options;
    this.nodes = nodes;
    this.latencyMs = options.latencyMs;
    this.#links = new Map(
      nodes.map((from) => [
        from,
        new Map(
          nodes.map((to) => {
            const fork = random.fork(`${from}>${to}`);
            const latency = this.#delayOf({ from, to });
            return [to, new Link({ ...options, from, to, random: fork, latency })];
          }),
        ),
      ]),
    );
  }

  send(from: Port, to: NodeName, message: unknown): boolean {
    return this.#link({ from: from.life.node, to }).send(from, message);
  }

  /** Tells those who talked with this life, as far as its machine can still speak. */
  ended(port: Port, isPowerLost: boolean): void {
    const { node } = port.life;
    for (const peer of this.nodes) {
      const out = this.#link({ from: node, to: peer });
      const back = this.#link({ from: peer, to: node });
      back.ended(port, isPowerLost, out);
      if (peer !== node) out.ended(port, isPowerLost, back);
    }
  }

  drop(grudge: Grudge): Promise<void> {
    for (const link of linksOf(grudge).map((each) => this.#link(each))) link.cut();
    return Promise.resolve();
  }

  undrop(grudge: Grudge): Promise<void> {
    for (const link of linksOf(grudge).map((each) => this.#link(each)))
      if (link.isCut) link.uncut(false);
    return Promise.resolve();
  }

  shape(link: DirectedLink, shape: Shape): Promise<() => Promise<void>> {
    const text = `${link.from}>${link.to}`;
    if (!this.can.has(shape.kind))
      throw new HarnessError(
        'unsupported',
        `${shape.kind} on ${text}: the simulator's messages have no size; it can ` +
          [...this.can].join(', '),
      );
    const name = `${shape.kind}.${++this.#shapesEver}:${text}`;
    const shaped = this.#link(link);
    shaped.addShape(name, shape);
    return Promise.resolve(() => {
      // A heal, or an earlier call, may have taken it away already.
      shaped.removeShape(name);
      return Promise.resolve();
    });
  }

  heal(): Promise<void> {
    for (const { link } of this.#all()) {
      if (link.isCut) link.uncut(true);
      for (const name of link.shapes) link.removeShape(name);
    }
    return Promise.resolve();
  }

  installed(): Promise<readonly string[]> {
    const names = this.#all().flatMap(({ from, to, link }) => [
      ...(link.isCut ? [`cut:${from}>${to}`] : []),
      ...link.shapes,
    ]);
    return Promise.resolve(names.toSorted());
  }

  /**
   * Sends a probe through each direction and its answer back. Nodes take no part: a paused one's
   * machine takes the probe and does not answer, a dead one's refuses it.
   */
  async observe(): Promise<Matrix> {
    const { clock } = this.#options;
    const links = this.#all().filter(({ from, to }) => from !== to);
    const slowestMs = Math.max(0, ...links.map(({ link }) => link.shapedMs));
    const callOff = new AbortController();
    let waiting = links.length;
    const over = (): void => {
      waiting--;
      if (waiting === 0) callOff.abort();
    };
    const probes = links.map((link) => this.#probe(link, over));
    const waitMs = PROBE_WAIT_MS + 2 * this.latencyMs + Math.min(ALLOWANCE_MS_MAX, 2 * slowestMs);
    await sleep(clock, waitMs, callOff.signal);
    return probes.map((probe) => this.#found(probe));
  }

  #probe({ from, to }: DirectedLink, over: () => void): Probe {
    const { clock, answer } = this.#options;
    const there = this.#link({ from, to });
    const back = this.#link({ from: to, to: from });
    const start = clock.now();
    const probe: Probe = { link: { from, to }, hasArrived: false, rttMs: undefined };
    there.probe(() => {
      probe.hasArrived = true;
      const state = answer(to, () =>
        back.probe(() => {
          probe.rttMs = msFromNanos(clock.now() - start);
          over();
        }),
      );
      if (state === 'gone') over();
    });
    return probe;
  }

  #found({ link, hasArrived, rttMs }: Probe): LinkState {
    const state = this.#options.state(link.to);
    const { from, to } = link;
    if (rttMs !== undefined) return { from, to, state: 'open', rttMs };
    if (state === 'gone') return { from, to, state: 'unknown', reason: `${to} is down` };
    if (!hasArrived) return { from, to, state: 'cut', reason: `no byte of ${from} reaches ${to}` };
    if (state === 'paused') return { from, to, state: 'unknown', reason: `${to} is silent` };
    return { from, to, state: 'open' };
  }

  #all(): readonly (DirectedLink & { readonly link: Link })[] {
    return this.nodes.flatMap((from) =>
      this.nodes.map((to) => ({ from, to, link: this.#link({ from, to }) })),
    );
  }

  /** What a node says to itself does not travel. */
  #delayOf(link: DirectedLink): DelayDistribution {
    const { latency, latencyMs } = this.#options;
    const delay = latency(link);
    return latencyMs === 0 || link.from === link.to ? delay : longer(delay, latencyMs);
  }

  #link({ from, to }: DirectedLink): Link {
    const link = this.#links.get(from)?.get(to);
    if (link === undefined)
      throw new HarnessError('bad-option', `there is no link from '${from}' to '${to}'`);
    return link;
  }
}
