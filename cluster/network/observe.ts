/**
 * Measures which directions of which links are open. Never asks what is installed: real bytes go
 * through every link, and the link server's own counters say how far they got.
 *
 * Messages a→b travel on two streams, whoever dialled: upstream on the link a>b, and downstream on
 * the link b>a (etcd's receivers dial the streams that they read from). A probe through a>b tells
 * of the first; the answer to a probe through b>a tells of the second.
 */
import { type Clock, sleep } from '../../harness/core/clock.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type { LinkState, Matrix } from '../../harness/protocols/network.ts';
import { type Endpoint, type ProbeResult, probe } from './probe.ts';

/** Bytes that each proxy, by name, has handed on. */
export type SentBytes = ReadonlyMap<
  string,
  { readonly upstream: number; readonly downstream: number }
>;

export interface ObserveOptions {
  readonly nodes: readonly NodeName[];
  readonly link: (from: NodeName, to: NodeName) => Endpoint;
  /** Where a node itself listens: tells a dead node from a dead link. */
  readonly direct: (node: NodeName) => Endpoint;
  readonly request: Uint8Array;
  /** Undefined when the server does not count. */
  readonly readSent: () => Promise<SentBytes | undefined>;
  /** How long a silent link is given. When all have answered, nobody waits. */
  readonly waitMs: number;
  readonly clock: Clock;
}

/** After the wait, what the server had already accepted gets this long to go through. */
const SETTLE_MS = 20;

/** What the probes of one look at the network found. */
export interface Sightings {
  readonly nodes: readonly NodeName[];
  /** Through the link `from>to`. */
  readonly links: ReadonlyMap<string, ProbeResult>;
  /** Straight to the node. */
  readonly direct: ReadonlyMap<NodeName, ProbeResult>;
  /** Growth of the counters meanwhile; undefined when nothing was counted. */
  readonly grown: SentBytes | undefined;
}

export async function observeLinks(options: ObserveOptions): Promise<Matrix> {
  const { nodes, clock, request } = options;
  const before = await options.readSent();
  const callOff = new AbortController();
  const timer = clock.timer(options.waitMs, () => {
    callOff.abort();
  });
  const each = async (to: Endpoint): Promise<ProbeResult> =>
    await probe(clock, to, request, callOff.signal);
  const [links, direct] = await Promise.all([
    resultsOf(
      pairsOf(nodes).map(({ from, to }) => [`${from}>${to}`, each(options.link(from, to))]),
    ),
    resultsOf(nodes.map((node) => [node, each(options.direct(node))])),
  ]);
  timer.cancel();
  // A server that was busy all the time must not make a link look cut: the first call gets through
  // when it has caught up, and what it had accepted then has a moment to be passed on.
  if (callOff.signal.aborted) {
    await options.readSent();
    await sleep(clock, SETTLE_MS);
  }
  const after = await options.readSent();
  return classify({ nodes, links, direct, grown: before && after && growth(before, after) });
}

/** Decides from what was seen; pure, so that every case can be tested. */
export function classify(seen: Sightings): Matrix {
  return pairsOf(seen.nodes).map(({ from, to }): LinkState => {
    const back = seen.links.get(`${from}>${to}`);
    const rtt = back?.result === 'answered' ? { rttMs: back.rttMs } : {};
    return { from, to, ...stateOf(seen, from, to), ...rtt };
  });
}

type Passage = 'open' | 'cut' | 'untold';

function stateOf(
  seen: Sightings,
  from: NodeName,
  to: NodeName,
): Pick<LinkState, 'state' | 'reason'> {
  const direct = seen.direct.get(to)?.result;
  const requests = requestsPass(seen, from, to);
  const answers = answersPass(seen, from, to);
  if (requests === 'cut' && answers !== 'open')
    return { state: 'cut', reason: `no byte of ${from} reaches ${to}` };
  if (direct !== 'answered')
    return { state: 'unknown', reason: `${to} ${direct === 'closed' ? 'is down' : 'is silent'}` };
  if (requests === 'cut')
    return {
      state: 'unknown',
      reason: `half cut: ${to} hears ${from} just on the connections that ${to} dials`,
    };
  if (answers === 'cut' && requests === 'open')
    return {
      state: 'unknown',
      reason: `half cut: ${to} hears ${from} just on the connections that ${from} dials`,
    };
  if (requests === 'open') return { state: 'open' };
  return { state: 'unknown', reason: 'the probe was closed, or nothing was counted' };
}

/** Upstream on the link from>to: requests of `from`. */
function requestsPass(seen: Sightings, from: NodeName, to: NodeName): Passage {
  const name = `${from}>${to}`;
  const probed = seen.links.get(name)?.result;
  // The original lists a counter only once it has counted something.
  const bytes = seen.grown?.get(name)?.upstream ?? 0;
  if (probed === 'answered' || bytes > 0) return 'open';
  // Nobody takes bytes at a dead node, and a cut of the other direction may hide the refusal.
  const isDead = seen.direct.get(to)?.result === 'closed';
  if (seen.grown === undefined || probed === 'closed' || isDead) return 'untold';
  return 'cut';
}

/** Downstream on the link to>from: answers of `from` to what `to` asked. */
function answersPass(seen: Sightings, from: NodeName, to: NodeName): Passage {
  const name = `${to}>${from}`;
  const grown = seen.grown?.get(name);
  if (seen.links.get(name)?.result === 'answered' || (grown?.downstream ?? 0) > 0) return 'open';
  const wasAsked = (grown?.upstream ?? 0) > 0;
  const isUp = seen.direct.get(from)?.result === 'answered';
  return wasAsked && isUp ? 'cut' : 'untold';
}

function pairsOf(
  nodes: readonly NodeName[],
): readonly { readonly from: NodeName; readonly to: NodeName }[] {
  return nodes.flatMap((from) => nodes.filter((to) => to !== from).map((to) => ({ from, to })));
}

async function resultsOf(
  probes: readonly (readonly [string, Promise<ProbeResult>])[],
): Promise<ReadonlyMap<string, ProbeResult>> {
  return new Map(
    await Promise.all(probes.map(async ([name, result]) => [name, await result] as const)),
  );
}

function growth(before: SentBytes, after: SentBytes): SentBytes {
  return new Map(
    [...after].map(([name, { upstream, downstream }]) => {
      const old = before.get(name) ?? { upstream: 0, downstream: 0 };
      return [name, { upstream: upstream - old.upstream, downstream: downstream - old.downstream }];
    }),
  );
}
