/** What faults of whole machines share: whom they hit. */
import type { NodeName } from '../../harness/core/units.ts';
import type { NemesisContext } from '../../harness/protocols/nemesis.ts';
import type { RoleSample } from '../../harness/protocols/system.ts';
import {
  hitByOthers,
  type QuorumRule,
  resolveTargets,
  type TargetSpec,
  type TargetWord,
  withRoles,
} from '../targets.ts';
import type { Plan } from './lane.ts';
import { closed, type Place, quorumOf, targetOf } from './options.ts';

export interface NodeSpec<Own> {
  readonly target: TargetSpec;
  readonly quorum: QuorumRule;
  readonly own: Own;
}

/** Why two lanes of one kind would undo each other. */
export const ONE_MACHINE = 'what it does to a machine is there once';

/** What random schedules draw from where a fault costs nobody the majority. */
export const HARMLESS_TARGETS: readonly TargetWord[] = [
  'one',
  'leader',
  'minority',
  'followers',
  'all',
];

/** The same where whoever is hit counts as down. */
export const DOWN_TARGETS: readonly TargetWord[] = ['one', 'leader', 'minority', 'followers'];

/** Throws `bad-input` for options that are neither `keys` nor those of every such fault. */
export function readNodeSpec<Own>(
  place: Place,
  keys: readonly string[],
  own: (place: Place) => Own,
): NodeSpec<Own> {
  closed(place, ['target', 'quorum', ...keys]);
  return { target: targetOf(place, 'one'), quorum: quorumOf(place), own: own(place) };
}

export interface NodeChoice {
  readonly lane: string;
  /** What is done to them, for people: `slow disk on`. */
  readonly verb: string;
  /** Whether a node that is hit counts as down: then the quorum limits the choice. */
  readonly isDown: boolean;
  /** Lanes that must not have the same node. */
  readonly notWith?: readonly string[];
}

export function planNodes<Held>(
  { lane, verb, isDown, notWith = [] }: NodeChoice,
  spec: Pick<NodeSpec<unknown>, 'target' | 'quorum'>,
  roles: readonly RoleSample[],
  { cluster, board, random }: NemesisContext,
  hold: (targets: readonly NodeName[]) => Held,
): Plan<Held> | { readonly reason: string } {
  const { nodes } = cluster;
  const taken = new Set(notWith.flatMap((other) => [...(board.hit.get(other) ?? [])]));
  const answer = resolveTargets({
    spec: spec.target,
    nodes,
    eligible: new Set(nodes.filter((node) => !taken.has(node))),
    roles,
    others: hitByOthers(board, lane),
    quorum: isDown ? spec.quorum : 'ignore',
    random,
    led: board.led,
  });
  if ('reason' in answer) return answer;
  const { targets } = answer;
  return {
    text: `${verb} ${withRoles(targets, roles)}`,
    targets,
    hit: new Set(isDown ? targets : []),
    held: hold(targets),
  };
}
