/** How each kind of link fault is proven: by round trips, by silence, or by reading it back. */
import { unreachable } from '../../harness/core/invariant.ts';
import type { JsonValue } from '../../harness/core/json.ts';
import type { Evidence } from '../../harness/protocols/nemesis.ts';
import type { DirectedLink, Matrix, Shape, ShapeKind } from '../../harness/protocols/network.ts';
import {
  type Excuses,
  failed,
  installed,
  isExcused,
  judgeCut,
  judgeOpen,
  linkStateIn,
  linkText,
  unmeasurable,
} from './evidence.ts';

/** From this latency on, a probe that got no answer is what one expects to see. */
const BEYOND_PROBE_MS = 1000;

/** One look at the links: what bytes do, and what the link layer says is installed. */
export interface Look {
  readonly matrix: Matrix;
  readonly names: readonly string[];
}

export interface LinkClaim {
  readonly shape: Shape;
  readonly links: readonly DirectedLink[];
  /** The last look before anything was installed. */
  readonly before: Look;
}

/** `rtt`: round trips grow. `cut`: nothing arrives. `read-back`: no probe of bytes can tell. */
function proofOf(kind: ShapeKind): 'rtt' | 'cut' | 'read-back' {
  switch (kind) {
    case 'latency':
      return 'rtt';
    case 'hold':
    case 'blackhole':
      return 'cut';
    case 'bandwidth':
    case 'reset':
    case 'slow-close':
      return 'read-back';
    default:
      return unreachable(kind);
  }
}

export function judgeShaped(claim: LinkClaim, now: Look, excuses: Excuses): Evidence {
  const proof = proofOf(claim.shape.kind);
  switch (proof) {
    case 'rtt':
      return judgeSlower(claim, now, excuses);
    case 'cut':
      return judgeCut(claim.links, now.matrix, excuses);
    case 'read-back':
      return judgeReadBack(claim, now);
    default:
      return unreachable(proof);
  }
}

/** `names`: what `shape` had put there, as far as the look after it could tell. */
export function judgeUnshaped(
  claim: LinkClaim,
  names: readonly string[],
  now: Look,
  excuses: Excuses,
): Evidence {
  // Where another lane has its shape on the same link, nobody can tell whose it is.
  const left = names.filter((name) => now.names.includes(name) && !isOn(name, excuses.links));
  if (left.length > 0) return failed(`still installed: ${left.join(', ')}`);
  const proof = proofOf(claim.shape.kind);
  switch (proof) {
    case 'rtt':
      return judgeFast(claim, now, excuses);
    case 'cut':
      return judgeOpen(claim.links, now.matrix, excuses);
    case 'read-back':
      return installed({ readBack: 'nothing of it is installed', removed: names });
    default:
      return unreachable(proof);
  }
}

/** What is installed on its links now and was not before, as far as it is of this kind. */
export function newNames({ before, shape, links }: LinkClaim, now: Look): string[] {
  const own = new Set(links.map(linkText));
  return now.names.filter(
    (name) => name.includes(shape.kind) && !before.names.includes(name) && isOn(name, own),
  );
}

/** Names of what is installed hold that of its link: `latency.3:n1>n2`. */
function isOn(name: string, links: ReadonlySet<string>): boolean {
  return name.split(/[ :]/).some((word) => links.has(word));
}

function judgeReadBack(claim: LinkClaim, now: Look): Evidence {
  const { links, shape } = claim;
  const names = newNames(claim, now);
  if (names.length < links.length)
    return failed(
      `${shape.kind} on ${links.length} links reads back as ${names.length}: ` +
        (names.join(', ') || 'nothing new'),
    );
  return installed({ readBack: 'installed, read back; no probe of bytes can prove it', names });
}

/** Every shaped link must answer slower by half of what was set, or a probe may not come back. */
function judgeSlower(claim: LinkClaim, now: Look, excuses: Excuses): Evidence {
  const { before, links } = claim;
  const latencyMs = latencyOf(claim);
  const slower: Record<string, string> = {};
  const silent: string[] = [];
  const relieved: string[] = [];
  const unmeasured: string[] = [];
  for (const link of links) {
    const grown = growthMs(before.matrix, now.matrix, link);
    const text = linkText(link);
    const state = linkStateIn(now.matrix, link).state;
    if (grown !== undefined && grown >= latencyMs / 2) slower[text] = `+${Math.round(grown)} ms`;
    else if (noRoundTrip(link, excuses) || wasSilent(before.matrix, link)) unmeasured.push(text);
    else if (isRelieved(claim, now, link)) relieved.push(text);
    else if (grown === undefined && latencyMs >= BEYOND_PROBE_MS)
      // What was sent before may still be on its way, and make the link look open.
      silent.push(text);
    else {
      const seen = grown === undefined ? `no round trip (${state})` : `+${Math.round(grown)} ms`;
      return failed(`${text} should be slower by ${latencyMs} ms, but measured ${seen}`);
    }
  }
  const rest = { ...(unmeasured.length > 0 && { unmeasured }) };
  const isAnySlower = Object.keys(slower).length > 0;
  // What no probe waits for can be read back, whatever other faults are on the links.
  if (silent.length > 0 || (!isAnySlower && latencyMs >= BEYOND_PROBE_MS))
    return judgeByName(claim, now, {
      note: `no answer in the probe's time on some links, as expected of ${latencyMs} ms`,
      slower,
      silent,
      ...rest,
    });
  if (relieved.length > 0)
    return judgeByName(claim, now, {
      note: 'another fault went from some links meanwhile, so their round trips say nothing',
      ...(isAnySlower && { slower }),
      relieved,
      ...rest,
    });
  if (!isAnySlower) return unmeasurable;
  return installed({ slower, ...rest });
}

/** Where no probe can tell, what is read back must do. */
function judgeByName(
  claim: LinkClaim,
  now: Look,
  seen: Readonly<Record<string, JsonValue>>,
): Evidence {
  const readBack = judgeReadBack(claim, now);
  if (readBack.result !== 'installed') return readBack;
  return installed({ ...seen, readBack: newNames(claim, now) });
}

function judgeFast(claim: LinkClaim, now: Look, excuses: Excuses): Evidence {
  const latencyMs = latencyOf(claim);
  const fast: Record<string, string> = {};
  const held: string[] = [];
  const { before, links } = claim;
  for (const link of links) {
    const grown = growthMs(before.matrix, now.matrix, link);
    const state = linkStateIn(now.matrix, link);
    const text = linkText(link);
    if (grown !== undefined && grown < latencyMs / 2) fast[text] = `${state.rttMs} ms`;
    else if (noRoundTrip(link, excuses)) held.push(`${text} ${state.state}`);
    else if (wasSilent(before.matrix, link) && state.rttMs !== undefined)
      fast[text] = `${state.rttMs} ms`;
    else {
      const seen = grown === undefined ? state.state : `+${Math.round(grown)} ms`;
      return failed(`${text} should be as fast as before, but measured ${seen}`);
    }
  }
  return installed({ roundTrips: fast, ...(held.length > 0 && { heldByOtherFaults: held }) });
}

/** A round trip needs both directions: either may be what another lane holds. */
function noRoundTrip({ from, to }: DirectedLink, excuses: Excuses): boolean {
  return isExcused({ from, to }, excuses) || isExcused({ from: to, to: from }, excuses);
}

/** Another fault was on this link when ours came: there is nothing to compare with. */
function wasSilent(before: Matrix, link: DirectedLink): boolean {
  return linkStateIn(before, link).rttMs === undefined;
}

/**
 * What another lane had on this link when ours came has gone since, by what reads back or by how fast
 * it is: the round trip before says nothing of what ours adds.
 */
function isRelieved(claim: LinkClaim, now: Look, link: DirectedLink): boolean {
  const { before } = claim;
  const both = new Set([linkText(link), linkText({ from: link.to, to: link.from })]);
  const gone = before.names.filter((name) => !now.names.includes(name) && isOn(name, both));
  return (
    gone.length > 0 || (growthMs(before.matrix, now.matrix, link) ?? 0) <= -latencyOf(claim) / 2
  );
}

function growthMs(before: Matrix, now: Matrix, link: DirectedLink): number | undefined {
  const was = linkStateIn(before, link).rttMs;
  const is = linkStateIn(now, link).rttMs;
  return was === undefined || is === undefined ? undefined : is - was;
}

function latencyOf({ shape }: LinkClaim): number {
  return shape.kind === 'latency' ? shape.latencyMs : 0;
}
