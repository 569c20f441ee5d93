/** What kill and pause share: whom they can hit, and how the machine says that they did. */
import { sleep } from '../../harness/core/clock.ts';
import { messageOf } from '../../harness/core/errors.ts';
import { InvariantError, invariant } from '../../harness/core/invariant.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type { Evidence, Nemesis, NemesisContext } from '../../harness/protocols/nemesis.ts';
import type {
  Cluster,
  ProcessControl,
  ProcessState,
  RoleSample,
} from '../../harness/protocols/system.ts';
import {
  hitByOthers,
  type QuorumRule,
  resolveTargets,
  type TargetSpec,
  type TargetWord,
  withRoles,
} from '../targets.ts';
import { failed, installed, skipped } from './evidence.ts';
import { type FaultFamily, nemesisOf, type Plan } from './lane.ts';
import { closed, type Place, quorumOf, targetOf } from './options.ts';

const POLL_MS = 50;

interface ProcessSpec {
  readonly target: TargetSpec;
  readonly quorum: QuorumRule;
}

interface ProcessSurvey {
  readonly roles: readonly RoleSample[];
  readonly states: ReadonlyMap<NodeName, ProcessState>;
}

export interface ProcessHeld {
  /** The nodes that were chosen, each with its state just before. */
  readonly before: ReadonlyMap<NodeName, ProcessState>;
  /** Those that the machine has shown to be hit; filled by `install`. */
  readonly proven: Set<NodeName>;
}

/** What random schedules draw from, unless told otherwise. */
const USUAL_TARGETS: readonly TargetWord[] = ['one', 'leader', 'minority', 'followers'];

export interface ProcessFaultOptions {
  /** What random schedules draw from, instead of the usual targets. */
  readonly targets?: readonly TargetWord[];
}

/** What distinguishes one process fault from another. */
export interface ProcessFault
  extends Pick<FaultFamily<ProcessSpec, ProcessSurvey, ProcessHeld>, 'install' | 'remove'> {
  readonly kind: ProcessFaultKind;
}

export interface ProcessFaultKind {
  readonly lane: string;
  /** For people: `kill -9`. */
  readonly verb: string;
  /** The states of a process in which it can be hit. */
  readonly can: readonly ProcessState['state'][];
  /** A lane whose nodes it cannot hit, and which it leaves alone. */
  readonly notWith?: string;
  /** What it needs beside processes that can be stopped: true, or why there is none. */
  readonly available?: (processes: ProcessControl) => true | string;
}

/** A nemesis that hits whole processes, chosen by target. */
export function processNemesis(
  { kind, install, remove }: ProcessFault,
  { targets = USUAL_TARGETS }: ProcessFaultOptions,
): Nemesis {
  return nemesisOf<ProcessSpec, ProcessSurvey, ProcessHeld>({
    name: kind.lane,
    available: (cluster) => canHitProcesses(cluster, kind),
    read: readProcessSpec,
    draw: (random) => ({ target: random.pick(targets) }),
    survey: (_spec, ctx) => surveyProcesses(ctx),
    plan: (spec, survey, ctx) => planProcessFault(kind, spec, survey, ctx),
    install,
    remove,
  });
}

function readProcessSpec(place: Place): ProcessSpec {
  closed(place, ['target', 'quorum']);
  return { target: targetOf(place, 'one'), quorum: quorumOf(place) };
}

function canHitProcesses({ processes }: Cluster, kind: ProcessFaultKind): true | string {
  if (processes === undefined)
    return 'this cluster does not let its processes be stopped or killed';
  return processes.refused?.[kind.lane] ?? kind.available?.(processes) ?? true;
}

export function processesOf({ cluster }: NemesisContext): ProcessControl {
  const { processes } = cluster;
  invariant(processes !== undefined, 'a process fault was decided without processes');
  return processes;
}

async function surveyProcesses(ctx: NemesisContext): Promise<ProcessSurvey> {
  const [roles, states] = await Promise.all([
    ctx.cluster.roles(),
    statesOf(ctx.cluster.nodes, ctx),
  ]);
  return { roles, states };
}

async function statesOf(
  nodes: readonly NodeName[],
  ctx: NemesisContext,
): Promise<Map<NodeName, ProcessState>> {
  const processes = processesOf(ctx);
  const entries = nodes.map(async (node) => [node, await processes.state(node)] as const);
  return new Map(await Promise.all(entries));
}

function planProcessFault(
  what: ProcessFaultKind,
  spec: ProcessSpec,
  survey: ProcessSurvey,
  ctx: NemesisContext,
): Plan<ProcessHeld> | { readonly reason: string } {
  const { nodes } = ctx.cluster;
  const taken = ctx.board.hit.get(what.notWith ?? '');
  const able = nodes.filter(
    (node) =>
      taken?.has(node) !== true && what.can.includes(survey.states.get(node)?.state ?? 'gone'),
  );
  const answer = resolveTargets({
    spec: spec.target,
    nodes,
    eligible: new Set(able),
    roles: survey.roles,
    others: hitByOthers(ctx.board, ctx.lane ?? what.lane),
    quorum: spec.quorum,
    random: ctx.random,
    led: ctx.board.led,
  });
  if ('reason' in answer) return answer;
  const { targets } = answer;
  return {
    text: `${what.verb} ${withRoles(targets, survey.roles)}`,
    targets,
    hit: new Set(targets),
    held: {
      before: new Map(targets.map((node) => [node, survey.states.get(node) ?? { state: 'gone' }])),
      proven: new Set(),
    },
  };
}

/**
 * Acts on all nodes at once. A refusal decides nothing, since another lane may have been there
 * first: `prove` does, and then the refusal only explains why.
 */
export async function actAndProve(
  nodes: readonly NodeName[],
  act: (node: NodeName) => Promise<void>,
  prove: () => Promise<Evidence>,
): Promise<Evidence> {
  // Async, so that one refusal never keeps the others from being tried.
  const results = await Promise.allSettled(nodes.map(async (node) => act(node)));
  const refusal = results.find((result) => result.status === 'rejected');
  if (refusal?.reason instanceof InvariantError) throw refusal.reason;
  const evidence = await prove();
  if (evidence.result !== 'failed' || refusal === undefined) return evidence;
  return failed(`${evidence.why}: ${messageOf(refusal.reason)}`);
}

/** What one node's state says: proof, proof to the contrary, or nothing because of another lane. */
export type Finding =
  | { readonly is: 'proof'; readonly text: string }
  | { readonly is: 'other'; readonly text: string }
  | { readonly is: 'against'; readonly text: string };

/**
 * Asks for the state of each node until all are proven or `withinMs` have passed. Nodes that
 * another lane holds are listed, and prove nothing.
 */
export async function proveStates(
  nodes: readonly NodeName[],
  ctx: NemesisContext,
  withinMs: number,
  find: (node: NodeName, state: ProcessState) => Finding,
): Promise<Evidence> {
  const deadline = ctx.clock.now() + withinMs * 1e6;
  for (;;) {
    const states = await statesOf(nodes, ctx);
    const findings = nodes.map((node): [NodeName, Finding] => [
      node,
      find(node, states.get(node) ?? { state: 'gone' }),
    ]);
    const against = findings.find(([, { is }]) => is === 'against');
    if (against === undefined) return proven(findings);
    if (ctx.clock.now() >= deadline) return failed(`${against[0]} ${against[1].text}`);
    await sleep(ctx.clock, POLL_MS);
  }
}

function proven(findings: readonly (readonly [NodeName, Finding])[]): Evidence {
  const probe = Object.fromEntries(findings.map(([node, { text }]) => [node, text]));
  const some = findings.some(([, { is }]) => is === 'proof');
  return some || findings.length === 0
    ? installed(probe)
    : skipped(`other faults hold ${findings.map(([node]) => node).join(', ')}`);
}

export function stateText(state: ProcessState): string {
  if (state.state === 'gone' || state.pid === undefined) return state.state;
  return `${state.state}, pid ${state.pid}`;
}

export function pidOf(state: ProcessState | undefined): number | undefined {
  return state === undefined || state.state === 'gone' ? undefined : state.pid;
}
