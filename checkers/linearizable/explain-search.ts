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
/** Of a longer way only the end is told. */
const STEPS_MAX = 8;

/** The anomaly where only the search proves it: no order of a few operations works. */
export function noOrderAnomaly(key: KeyHistory, core: Core, model: Model): Anomaly {
  const at = (position: number): KeyOp => key.ops[position] as KeyOp;
  const kept = core.kept.map(at);
  const furthest = core.furthest.map(at);
  const startsOf = (ops: readonly KeyOp[]): number[] => ops.map(({ start }) => start);
  const ways = (core.impasse?.ways ?? []).slice(0, WAYS_MAX);
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
      ways: ways.map(({ order, why }): JsonValue => [startsOf(order.map(at)), why]),
      minimal: core.minimal,
    },
    explanation: [
      whatever(objectName(key.key, model), key, core),
      tried(kept, core, objectName(key.key, model)),
      leftOut(kept, core),
      core.impasse === undefined
        ? oneWay(furthest, kept, core.upTo)
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
  if (isForced) return `${last}, does not fit: ${told}.`;
  return (
    `In whatever order the others come, ${last}, does not fit: ${told}${others}. ` +
    `${ways.length === 1 ? 'That' : 'Each'} is one way to get so far, not necessarily what happened.`
  );
}

/** Only one order of them respects real time, and has all of them. */
function isOneAfterOther(ops: readonly KeyOp[]): boolean {
  return ops.every(({ start }, at) => at === 0 || (ops[at - 1]?.end ?? Infinity) < start);
}

/** Where there was too much to try once more. */
function oneWay(furthest: readonly KeyOp[], kept: readonly KeyOp[], upTo: number): string {
  const blocked = kept.find(({ end }) => end === upTo);
  if (blocked === undefined) return '';
  return furthest.length === 0
    ? `${answered(blocked)}, fits in none.`
    : `One way that gets furthest, not necessarily what happened: ` +
        `${lastOf(furthest.map(brief))}; then ${answered(blocked)}, is left over.`;
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
