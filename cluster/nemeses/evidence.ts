/**
 * Turns measurements into evidence. Nothing here trusts the code that injected a fault: a link is
 * cut when a probe says so, and a fault whose effect nobody saw has failed.
 */
import { sleep } from '../../harness/core/clock.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type { Evidence, NemesisContext } from '../../harness/protocols/nemesis.ts';
import type { DirectedLink, LinkState, Matrix } from '../../harness/protocols/network.ts';
import { disturbedByOthers, hitByOthers } from '../targets.ts';

/**
 * A link that was just changed may need a moment: connections are made and closed around it. And a node
 * may be too busy to answer for some seconds.
 */
const LOOKS_MAX = 8;
const BETWEEN_LOOKS_MS = 250;

/** What was measured after an event; the matrix only for faults on links. */
export interface Measured {
  readonly evidence: Evidence;
  readonly matrix?: Readonly<Record<string, string>>;
}

/** What other lanes do now, and therefore is no sign against this one. */
export interface Excuses {
  readonly hit: ReadonlySet<NodeName>;
  readonly links: ReadonlySet<string>;
}

export function linkText({ from, to }: DirectedLink): string {
  return `${from}>${to}`;
}

/** The matrix as a fault's value holds it: `n1>n2` to its state. */
export function matrixRecord(matrix: Matrix): Record<string, string> {
  return Object.fromEntries(matrix.map((link) => [linkText(link), link.state]));
}

export function linkStateIn(matrix: Matrix, link: DirectedLink): LinkState {
  return (
    matrix.find(({ from, to }) => from === link.from && to === link.to) ?? {
      ...link,
      state: 'unknown',
    }
  );
}

/** `lane`: the name of its kind, for a context that names no other. */
export function excusesOf(ctx: NemesisContext, lane: string): Excuses {
  const own = ctx.lane ?? lane;
  return { hit: hitByOthers(ctx.board, own), links: disturbedByOthers(ctx.board, own) };
}

/**
 * Looks again until the judgement is good, a few times at most. The last look counts: what it saw
 * is what the history records.
 */
export async function lookUntilGood<T>(
  ctx: NemesisContext,
  look: () => Promise<T>,
  judge: (seen: T) => Evidence,
): Promise<{ readonly seen: T; readonly evidence: Evidence }> {
  for (let looks = 1; ; looks++) {
    const seen = await look();
    const evidence = judge(seen);
    if (evidence.result === 'installed' || looks === LOOKS_MAX) return { seen, evidence };
    await sleep(ctx.clock, BETWEEN_LOOKS_MS);
  }
}

/** Another lane came first, in the same moment. The schedule ends such a fault at once. */
export const unmeasurable: Evidence = {
  result: 'skipped',
  why: 'no link of it could be measured: other faults hold the nodes',
};

/** Why a fault on these links could prove nothing: no bytes pass on any of them even now. */
export function nothingPasses(links: readonly DirectedLink[], before: Matrix): string | undefined {
  if (links.some((link) => linkStateIn(before, link).state === 'open')) return undefined;
  return 'nothing passes on its links even now: other faults hold them';
}

/**
 * Installed only if every link measured cut, and at least one did. A link that could not be
 * measured because another lane holds one of its nodes down is listed, and counts for nothing.
 */
export function judgeCut(
  links: readonly DirectedLink[],
  matrix: Matrix,
  excuses: Excuses,
): Evidence {
  const cut: string[] = [];
  const unmeasured: string[] = [];
  for (const link of links) {
    const { state } = linkStateIn(matrix, link);
    if (state === 'cut') cut.push(linkText(link));
    else if (state === 'unknown' && touches(link, excuses.hit)) unmeasured.push(linkText(link));
    else return failed(`${linkText(link)} should be cut, but measured ${state}`);
  }
  if (cut.length === 0) return unmeasurable;
  return installed({ cut, ...(unmeasured.length > 0 && { unmeasured }) });
}

/**
 * Installed if every link measured open again. A link that another lane disturbs, or whose node it
 * holds down, is listed: it says nothing about this fault.
 */
export function judgeOpen(
  links: readonly DirectedLink[],
  matrix: Matrix,
  excuses: Excuses,
): Evidence {
  const open: string[] = [];
  const held: string[] = [];
  for (const link of links) {
    const { state } = linkStateIn(matrix, link);
    if (state === 'open') open.push(linkText(link));
    else if (isExcused(link, excuses)) held.push(`${linkText(link)} ${state}`);
    else return failed(`${linkText(link)} should be open again, but measured ${state}`);
  }
  return installed({ open, ...(held.length > 0 && { heldByOtherFaults: held }) });
}

/** Whether another lane explains that nothing crosses this link. */
export function isExcused(link: DirectedLink, excuses: Excuses): boolean {
  return touches(link, excuses.hit) || excuses.links.has(linkText(link));
}

export function installed(probe: Extract<Evidence, { result: 'installed' }>['probe']): Evidence {
  return { result: 'installed', probe };
}

export function failed(why: string): Evidence {
  return { result: 'failed', why };
}

export function skipped(why: string): Evidence {
  return { result: 'skipped', why };
}

/**
 * The nodes that these cuts cost the cluster: those left with both directions open to fewer than a
 * majority, themselves included. A bridge and a majorities-ring cost none; halves cost the smaller
 * half; a node cut one way costs itself.
 */
export function nodesCostBy(
  links: readonly DirectedLink[],
  nodes: readonly NodeName[],
): Set<NodeName> {
  const cut = new Set(links.map(linkText));
  const together = (a: NodeName, b: NodeName): boolean =>
    a === b || (!cut.has(`${a}>${b}`) && !cut.has(`${b}>${a}`));
  const majority = Math.floor(nodes.length / 2) + 1;
  return new Set(
    nodes.filter((node) => nodes.filter((other) => together(node, other)).length < majority),
  );
}

function touches({ from, to }: DirectedLink, nodes: ReadonlySet<NodeName>): boolean {
  return nodes.has(from) || nodes.has(to);
}
