/** How a change of the members is asked for, and how a random one is drawn. */
import type { JsonValue } from '../../harness/core/json.ts';
import type { Random } from '../../harness/core/prng.ts';
import { suggest } from '../../harness/core/suggest.ts';
import type { NodeName } from '../../harness/core/units.ts';
import type { RoleSample, Timing } from '../../harness/protocols/system.ts';
import { leadersOf, NO_LEADER, type QuorumRule, type TargetSpec } from '../targets.ts';
import {
  closed,
  durationOf,
  type FaultOptions,
  isName,
  list,
  type Place,
  quorumOf,
  refuse,
  targetOf,
  truthOf,
  wordOf,
} from './options.ts';

/**
 * `remove`: the targets are no members while the fault lasts. `replace`: others take their places at
 * once, on the same nodes with empty disks. In the end all nodes are voters, either way.
 */
const DEEDS = ['remove', 'replace'] as const;

/** `old-leader`: of those who believe they lead, the one with the oldest term. */
const VIA_WORDS = ['leader', 'old-leader', 'target'] as const;

/** Who is asked: one of `VIA_WORDS`, or a node by its name. */
type Via = string;

export interface MembershipSpec {
  readonly do: (typeof DEEDS)[number];
  readonly target: TargetSpec;
  readonly quorum: QuorumRule;
  /** How a node comes (back): a learner is promoted once it has caught up. */
  readonly as: 'voter' | 'learner';
  /** False: who takes a place stays a learner until the fault ends. */
  readonly promote: boolean;
  /** One for each target; the last one for all that are left. Never empty. */
  readonly via: readonly Via[];
  /**
   * Each target is asked for so long after the one before, whether that was answered or not.
   * Undefined: it waits for the answer.
   */
  readonly everyMs: number | undefined;
}

export function readMembershipSpec(place: Place, timing: Timing): MembershipSpec {
  closed(place, ['do', 'target', 'quorum', 'as', 'promote', 'via', 'every']);
  const deed = wordOf(place, 'do', DEEDS, 'remove');
  const as = wordOf(place, 'as', ['voter', 'learner'] as const, 'voter');
  if (place.options['promote'] !== undefined && (deed !== 'replace' || as !== 'learner'))
    refuse(place.where, 'promote: goes with "do": "replace", "as": "learner" only');
  const everyMs = durationOf(place, 'every', timing, Number.NaN);
  return {
    do: deed,
    target: targetOf(place, 'one'),
    quorum: quorumOf(place),
    as,
    promote: truthOf(place, 'promote', true),
    via: viaOf(place),
    everyMs: Number.isNaN(everyMs) ? undefined : everyMs,
  };
}

function viaOf({ options, where }: Place): readonly Via[] {
  const value = options['via'];
  if (value === undefined) return ['leader'];
  const all: readonly JsonValue[] = Array.isArray(value) ? value : [value];
  const strange = all.find((each) => !isVia(each));
  if (all.length > 0 && strange === undefined) return all as readonly Via[];
  const hint = typeof strange === 'string' ? suggest(strange, VIA_WORDS) : '';
  return refuse(
    where,
    `via: ${JSON.stringify(strange ?? value)} cannot be asked${hint}; write ${list(VIA_WORDS)}, ` +
      'a node such as "n1", or a list with one of these for each target',
  );
}

function isVia(value: JsonValue): value is Via {
  return VIA_WORDS.some((word) => word === value) || isName(value);
}

/** Mostly one node at a time, in all the ways in which a node goes and comes. */
export function drawMembership(random: Random): FaultOptions {
  const target = random.pick(['one', 'one', 'leader', 'minority']);
  const via = random.pick(['leader', 'leader', 'target']);
  const as = random.pick(['voter', 'learner']);
  if (random.chance(0.5)) return { do: 'remove', target, as, via };
  if (as === 'voter') return { do: 'replace', target, as, via };
  return { do: 'replace', target, as, promote: random.chance(0.5), via };
}

/** Who is asked for the target at this place among all targets, or why there is nobody now. */
export function askedNode(
  spec: MembershipSpec,
  index: number,
  target: NodeName,
  roles: readonly RoleSample[],
): { readonly node: NodeName } | { readonly reason: string } {
  const via = spec.via[index] ?? spec.via.at(-1) ?? 'leader';
  const node = nodeMeant(via, target, leadersOf(roles));
  return node === undefined ? { reason: NO_LEADER } : { node };
}

function nodeMeant(via: Via, target: NodeName, leaders: readonly NodeName[]): NodeName | undefined {
  switch (via) {
    case 'target':
      return target;
    case 'leader':
      return leaders[0];
    case 'old-leader':
      return leaders.at(-1);
    default:
      return via;
  }
}
