import type { JsonValue } from '../../harness/core/json.ts';
import type { Anomaly } from '../../harness/protocols/checker.ts';
import type { KeyHistory, KeyOp } from '../key-history.ts';
import type { Model } from '../models/model.ts';
import { brief, objectName } from '../sentences.ts';
import { counted, listed, momentText } from '../text.ts';
import { entriesOf } from './explain.ts';
import type { Impasse, Way } from './impasse.ts';
import type { Core } from './shrink.ts';

const LISTED_MAX = 12;
const WAYS_MAX = 3;
const OTHERS_MAX = 2;
const ENDS_MAX = 4;
/** Of a longer way only the end is told. */
const STEPS_MAX = 8;

/** The anomaly where only the search proves it: no order of a few operations works. */
export function noOrderAnomaly(key: KeyHistory, core: Core, model: Model): Anomaly {
  const at = (position: number): KeyOp => key.ops[position] as KeyOp;
  const kept = core.kept.map(at);
  const furthest = core.furthest.map(at);
  const startsOf = (ops: readonly KeyOp[]): number[] => ops.map(({ start }) => start);
  const ways = (core.impasse?.ways ?? []).slice(0, WAYS_MAX);
  const ends = core.ends ?? [];
  return {
    kind: 'not-linearizable',
    key: key.key,
    ops: entriesOf(kept).filter((entry) => entry <= core.upTo),
    certificate: {
      model: model.name,
      init: model.init,
      operations: startsOf(kept),
      from: core.from,
      upTo: core.upTo,
      furthest: startsOf(furthest),
      ways: ways.map(({ order, why, state }): JsonValue => [startsOf(order.map(at)), why, state]),
      ...(ends.length > 0 && { ends: ends.map(({ why, state }): JsonValue => [why, state]) }),
      minimal: core.minimal,
    },
    explanation: [
      whatever(objectName(key.key, model), key, core),
      tried(kept, core, objectName(key.key, model)),
      leftOut(kept, core),
      core.impasse === undefined
        ? oneWay(furthest, core, at)
        : allWays(core.impasse, at, kept.length),
      core.minimal ? '' : ' Fewer operations may do: the time to leave out more was over.',
    ].join(''),
  };
}

/** After a cut, what the rest is said of. */
function whatever(name: string, { ops }: KeyHistory, { from }: Core): string {
  const cut = ops.find(({ start }) => start === from);
  if (cut === undefined) return '';
  return `Whatever state ${name} was in at ${momentText(cut.invoke)}, nothing explains what followed. `;
}

function tried(kept: readonly KeyOp[], { impasse, from }: Core, name: string): string {
  if (kept.length === 1) return `On ${name}, `;
  const count = counted(kept.length, 'operation');
  const where = from < 0 ? ` on ${name}` : '';
  // A single way that has all the others in it lists them as well.
  const isListed = impasse?.ways.length === 1 && impasse.ways[0]?.order.length === kept.length - 1;
  const list = isListed ? '' : `: ${listed(kept.map(brief), LISTED_MAX)}`;
  return `We tried every order of ${isListed ? '' : 'these '}${count}${where}; none works${list}. `;
}

function leftOut(kept: readonly KeyOp[], { from, upTo }: Core): string {
  const open = kept.filter(({ start, end }) => start < from || end > upTo).length;
  if (open === 0) return '';
  const [whose, it] = open === 1 ? ['One of them', 'it'] : [`${open} of them`, 'them'];
  return `${whose} may have taken effect in that time or not, so an order may use or omit ${it}. `;
}

/** Everything that can come before what is left over, and why it then does not fit. */
function allWays({ blocked, ways }: Impasse, at: (op: number) => KeyOp, count: number): string {
  const last = answered(at(blocked));
  const [first] = ways;
  if (count === 1) return `${last}, does not fit at any time: ${first?.why}.`;
  const after = ({ order, why }: Way): string =>
    order.length === 0
      ? `with nothing before it, ${why}`
      : `after ${lastOf(order.map((op) => brief(at(op))))}, ${why}`;
  const told = ways.slice(0, WAYS_MAX).map(after).join('; ');
  const more = ways.length - WAYS_MAX;
  const others =
    more > 0 ? `; and ${counted(more, 'other way leads', 'other ways lead')} no further` : '';
  const isForced =
    ways.length === 1 && first !== undefined && isOneAfterOther([...first.order, blocked].map(at));
  const nor = ways.length === 1 && first !== undefined ? norOthers(first, at) : '';
  if (isForced) return `${last}, does not fit: ${told}.${nor}`;
  return (
    `In whatever order the others come, ${last}, does not fit: ${told}${others}.${nor} ` +
    `${ways.length === 1 ? 'That' : 'Each'} is one way to get so far, not necessarily what happened.`
  );
}

/** What else is under way there and could not come first. */
function norOthers({ why, others }: Way, at: (op: number) => KeyOp): string {
  return others
    .slice(0, OTHERS_MAX)
    .map(({ op, why: reason }) => {
      const because = reason === why ? '' : `: ${reason}`;
      return ` Nor does ${brief(at(op))} fit there${because}.`;
    })
    .join('');
}

/** Only one order of them respects real time, and has all of them. */
function isOneAfterOther(ops: readonly KeyOp[]): boolean {
  return ops.every(({ start }, at) => at === 0 || (ops[at - 1]?.end ?? Infinity) < start);
}

/** Where there was too much to try once more. */
function oneWay(
  furthest: readonly KeyOp[],
  { blocked, ends = [] }: Core,
  at: (op: number) => KeyOp,
): string {
  if (blocked === undefined) return '';
  const last = answered(at(blocked));
  if (furthest.length === 0) return `${last}, fits in none.`;
  const way =
    'One way that gets furthest, not necessarily what happened: ' +
    `${lastOf(furthest.map(brief))}; then ${last}, is left over.`;
  if (ends.length === 0) return way;
  const more = ends.length - ENDS_MAX;
  const told = ends.slice(0, ENDS_MAX).map(({ why }) => why);
  const others = more > 0 ? `; and so on, for ${counted(more, 'other reason')}` : '';
  return `${way} Where such ways end, it does not fit: ${told.join('; ')}${others}.`;
}

/** `c2 get "b", answered at 0.005 s`. */
function answered(op: KeyOp): string {
  const { completion } = op;
  return completion === undefined
    ? brief(op)
    : `${brief(op)}, answered at ${momentText(completion)}`;
}

function lastOf(steps: readonly string[]): string {
  const left = steps.length - STEPS_MAX;
  return left <= 0
    ? steps.join(', ')
    : `${counted(left, 'other operation')}, ${steps.slice(-STEPS_MAX).join(', ')}`;
}
