/**
 * Measures which directions of which links are open. Never asks what is installed: real bytes go
 * through every link, and the link server's own counters say how far they got.
 *
 * Messages a→b travel on two streams, whoever dialled: upstream on the link a>b, and downstream on
 * the link b>a (etcd's receivers dial the streams that they read from). A probe through a>b tells
 * of the first; the answer to a probe through b>a tells of the second.
 */
import { type Clock, sleep } from '../../harness/core/clock.ts';
import { NANOS_PER_MS, type NodeName } from '../../harness/core/units.ts';
import type { LinkState, Matrix } from '../../harness/protocols/network.ts';
import { type Endpoint, type ProbeResult, probe } from './probe.ts';

/** By the name of the proxy; nothing for one whose bytes nobody counts. */
export type SentBytes = ReadonlyMap<string, LinkBytes>;

/** What a proxy has handed on, and what it had read for that, in each direction. */
export interface LinkBytes {
  readonly upstream: number;
  readonly downstream: number;
  readonly upstreamRead: number;
  readonly downstreamRead: number;
  /** The original counts the bytes of a connection only when it has ended, all at once. */
  readonly isLate: boolean;
}

export interface ObserveOptions {
  readonly nodes: readonly NodeName[];
  readonly link: (from: NodeName, to: NodeName) => Endpoint;
  /** Where a node itself listens: tells a dead node from a dead link. */
  readonly direct: (node: NodeName) => Endpoint;
  readonly request: Uint8Array;
  readonly readSent: () => Promise<SentBytes>;
  /** How long a silent link is given. When all have answered, nobody waits. */
  readonly waitMs: number;
  /** How much longer than usual a message may be on its way, one way; 0: no link is slow. */
  readonly slowestMs: number;
  readonly clock: Clock;
}

/** The wait is cut into so many steps, and is over at the latest after so many times its length. */
const STEPS = 6;
const WAITS_MAX = 10;
/** After the wait, what the server has read gets this long to be passed on. */
const SETTLE_MS = 20;
/**
 * A server that was busy dials for the probes it had accepted, and reads them, within so many of its
 * answers, each a moment after the one before.
 */
const COUNTS_MAX = 4;
/** A server that counts late gets this long to see the ends of the probes. */
const LATE_COUNT_MS_MAX = 1_000;

/** What the probes of one look at the network found. */
export interface Sightings {
  readonly nodes: readonly NodeName[];
  /** Through the link `from>to`. */
  readonly links: ReadonlyMap<string, ProbeResult>;
  /** Straight to the node. */
  readonly direct: ReadonlyMap<NodeName, ProbeResult>;
  /** Growth of the counters meanwhile; nothing of a link that nobody counts. */
  readonly grown: SentBytes;
}

export async function observeLinks(options: ObserveOptions): Promise<Matrix> {
  const { nodes, clock, request } = options;
  const before = await options.readSent();
  const callOff = new AbortController();
  using _ = afterAwake(options, () => {
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
  // A server that was busy all the time must not make a link look cut: it gets the time to catch up
  // with what it had accepted, and then a moment to pass on what it has read.
  if (callOff.signal.aborted) {
    const silent = [...links].flatMap(([name, seen]) => (isSent(seen) ? [name] : []));
    const grown = growth(before, await awaitCounts(options, before, silent));
    const isOnItsWay = (name: string): boolean => {
      const { upstreamRead = 0, upstream = 0 } = grown.get(name) ?? {};
      return upstreamRead > 0 && upstream === 0;
    };
    await sleep(clock, SETTLE_MS + (silent.some(isOnItsWay) ? options.slowestMs : 0));
  }
  const after = await options.readSent();
  return classify({ nodes, links, direct, grown: growth(before, after) });
}

/** Silent, though the request went out. */
function isSent(seen: ProbeResult): boolean {
  return seen.result === 'silent' && seen.isConnected;
}

/**
 * Calls when `waitMs` have passed in which this process ran: of a step that a stall made longer,
 * nothing counts, since what had come meanwhile was not looked at.
 */
function afterAwake(
  { clock, waitMs }: Pick<ObserveOptions, 'clock' | 'waitMs'>,
  call: () => void,
): Disposable {
  const stepMs = waitMs / STEPS;
  const end = clock.now() + WAITS_MAX * waitMs * NANOS_PER_MS;
  let left = STEPS;
  let timer = clock.timer(stepMs, stepFrom(clock.now()));
  function stepFrom(start: number): () => void {
    return () => {
      const now = clock.now();
      if (now - start < 2 * stepMs * NANOS_PER_MS) left--;
      if (left === 0 || now >= end) call();
      else timer = clock.timer(stepMs, stepFrom(now));
    };
  }
  return { [Symbol.dispose]: () => timer.cancel() };
}

/**
 * Waits until the servers have read the probes that were called off, or have counted them, which
 * some do late. Else a request that came through, and whose answer was lost, might look as if it had not.
 */
async function awaitCounts(
  { clock, readSent }: ObserveOptions,
  before: SentBytes,
  silent: readonly string[],
): Promise<SentBytes> {
  const end = clock.now() + LATE_COUNT_MS_MAX * NANOS_PER_MS;
  for (let counts = 1; ; counts++) {
    const now = await readSent();
    const isCounted = (name: string): boolean => {
      const count = now.get(name);
      if (count === undefined) return true;
      if (count.upstreamRead > (before.get(name)?.upstreamRead ?? 0)) return true;
      return clock.now() >= end || (!count.isLate && counts >= COUNTS_MAX);
    };
    if (silent.every(isCounted)) return now;
    await sleep(clock, SETTLE_MS);
  }
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
  if (seen.grown.has(`${from}>${to}`)) return { state: 'unknown', reason: 'the probe was closed' };
  return { state: 'unknown', reason: 'no answer, and the link server does not count bytes' };
}

/** Upstream on the link from>to: requests of `from`. */
function requestsPass(seen: Sightings, from: NodeName, to: NodeName): Passage {
  const name = `${from}>${to}`;
  const probed = seen.links.get(name)?.result;
  const bytes = seen.grown.get(name)?.upstream;
  if (probed === 'answered' || (bytes ?? 0) > 0) return 'open';
  // Nobody takes bytes at a dead node, and a cut of the other direction may hide the refusal.
  const direct = seen.direct.get(to);
  if (bytes === undefined || probed === 'closed' || direct?.result === 'closed') return 'untold';
  // Where not even the straight way was connected, it was this process that slept.
  if (isUnsent(seen.links.get(name)) && isUnsent(direct)) return 'untold';
  return 'cut';
}

function isUnsent(seen: ProbeResult | undefined): boolean {
  return seen?.result === 'silent' && !seen.isConnected;
}

/** Downstream on the link to>from: answers of `from` to what `to` asked. */
function answersPass(seen: Sightings, from: NodeName, to: NodeName): Passage {
  const name = `${to}>${from}`;
  const grown = seen.grown.get(name);
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

/** Nothing for what was not counted both times. */
export function growth(before: SentBytes, after: SentBytes): SentBytes {
  return new Map(
    [...after].flatMap(([name, now]) => {
      const old = before.get(name);
      return old === undefined ? [] : [[name, grownBytes(old, now)] as const];
    }),
  );
}

/**
 * A connection that was counted late brings along what passed before the cut. It tells of now only
 * where nothing was lost of all that was read.
 */
function grownBytes(old: LinkBytes, now: LinkBytes): LinkBytes {
  const { isLate } = now;
  const upstreamRead = now.upstreamRead - old.upstreamRead;
  const downstreamRead = now.downstreamRead - old.downstreamRead;
  const upstream = now.upstream - old.upstream;
  const downstream = now.downstream - old.downstream;
  return {
    upstream: isLate && upstream < upstreamRead ? 0 : upstream,
    downstream: isLate && downstream < downstreamRead ? 0 : downstream,
    upstreamRead,
    downstreamRead,
    isLate,
  };
}
