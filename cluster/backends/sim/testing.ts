/** For tests of the simulator only: nodes that note what they hear, and can be made to speak. */
import { sleep, VirtualClock } from '../../../harness/core/clock.ts';
import { invariant } from '../../../harness/core/invariant.ts';
import { silentLog } from '../../../harness/core/log.ts';
import { Random, seedFrom } from '../../../harness/core/prng.ts';
import { msFromNanos, type NodeName } from '../../../harness/core/units.ts';
import type { SimHost, SimProgram } from './program.ts';
import { TraceDigest } from './trace.ts';
import { type SimOptions, SimWorld } from './world.ts';

/** One life of a listening node. */
export interface Listener {
  readonly host: SimHost;
  /** `n1:text`, in the order they came. */
  readonly heard: string[];
  /** True milliseconds at which they came. */
  readonly heardMs: number[];
  /** Peers whose streams broke. */
  readonly broken: NodeName[];
}

export interface Listeners extends AsyncDisposable {
  readonly clock: VirtualClock;
  readonly world: SimWorld<Listener>;
  readonly digest: TraceDigest;
  /** The newest life of a node, even when it is over. */
  at(node: NodeName): Listener;
  nowMs(): number;
  wait(ms: number): Promise<void>;
}

export type ListenersOptions = Partial<
  Omit<SimOptions<Listener>, 'clock' | 'random' | 'program'>
> & {
  readonly seed?: number;
};

/** Each message and each disk access takes one millisecond, unless told otherwise. */
export function listeners(options: ListenersOptions = {}): Listeners {
  const clock = new VirtualClock();
  const digest = new TraceDigest(clock, 1000);
  const lives = new Map<NodeName, Listener>();
  const nowMs = (): number => msFromNanos(clock.now());
  const program: SimProgram<Listener> = (host) => {
    const listener: Listener = { host, heard: [], heardMs: [], broken: [] };
    lives.set(host.node, listener);
    host.net.receive((from, message) => {
      listener.heard.push(`${from}:${String(message)}`);
      listener.heardMs.push(nowMs());
    });
    host.net.broken((peer) => listener.broken.push(peer));
    return Promise.resolve({ api: listener, serving: Promise.resolve() });
  };
  const one = { kind: 'constant', ms: 1 } as const;
  const world = new SimWorld<Listener>({
    nodes: ['n1', 'n2', 'n3'],
    log: silentLog,
    latency: one,
    clientLatency: one,
    syncMs: one,
    bootMs: one,
    trace: digest.trace,
    ...options,
    clock,
    random: Random.stream(seedFrom(options.seed ?? 1), 'world'),
    program,
  });
  return {
    clock,
    world,
    digest,
    nowMs,
    at: (node) => {
      const life = lives.get(node);
      invariant(life !== undefined, `${node} was never started`);
      return life;
    },
    wait: (ms) => sleep(clock, ms),
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

/** Plays `scenario` on nodes that serve. */
export function withListeners(
  options: ListenersOptions,
  scenario: (nodes: Listeners) => Promise<void>,
): Promise<void> {
  const nodes = listeners(options);
  const play = async (): Promise<void> => {
    await using owned = nodes;
    await owned.world.start();
    await owned.world.ready(1000);
    await scenario(owned);
  };
  return nodes.clock.run(play());
}
