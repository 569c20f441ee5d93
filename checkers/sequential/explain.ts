/** Why some operations have no order, in words that follow from them alone. */
import { unreachable } from '../../harness/core/invariant.ts';
import type { Anomaly } from '../../harness/protocols/checker.ts';
import type { KeyOp } from '../key-history.ts';
import { entriesOf } from '../linearizable/explain.ts';
import { casParts } from '../models/register.ts';
import { clientName, counted, listed, momentText, shown } from '../text.ts';
import { type Circle, findCircle, type Precedence } from './precedence.ts';
import type { Criterion, OrderProblem } from './problem.ts';

const LISTED_MAX = 12;

/** `problem` is of few operations, which have no order. */
export function noOrderAnomaly(problem: OrderProblem): Anomaly {
  const { ops, criterion, model } = problem;
  const circle = findCircle(problem, () => false);
  const keys = new Set(ops.map(({ invoke }) => invoke.key));
  const [key] = keys;
  return {
    kind: `not-${criterion.name}`,
    ...(keys.size === 1 && key !== undefined && { key }),
    ops: entriesOf(ops),
    certificate: {
      operations: ops.map(({ start }) => start),
      model: model.name,
      init: model.init,
    },
    explanation: [claimOf(criterion, ops), why(problem, circle)].join(' '),
  };
}

function claimOf({ name }: Criterion, ops: readonly KeyOp[]): string {
  const these = counted(ops.length, 'operation');
  const names = listed(ops.map(named), LISTED_MAX);
  switch (name) {
    case 'sequential':
      return `No order that keeps the order of each client explains these ${these}: ${names}.`;
    case 'prefix-consistent':
      return (
        'No order of all changes explains what was read, if every read shows what the first so ' +
        'many of them lead to, and the reads of one client at one node never fewer than before. ' +
        `These ${these} are enough to see it: ${names}.`
      );
    default:
      return unreachable(name);
  }
}

function why({ ops }: OrderProblem, circle: Circle | undefined): string {
  const name = (position: number): string => named(ops[position] as KeyOp);
  if (circle === undefined) return 'Every order of them was tried, and none works.';
  const [first] = circle.steps;
  if (first === undefined) return `Nobody put what ${circle.ops.map(name).join(', ')} found.`;
  const links = circle.steps.map((step, at) => {
    const isLast = at === circle.steps.length - 1;
    const what = isLast ? `and ${name(step.to)} again` : name(step.to);
    return `${what}, ${because(step, ops, name)}`;
  });
  const chain = [name(first.from), ...links].join('; ');
  return `Each of these would have to come before the next one: ${chain}.`;
}

/** What ties an operation to the one that was named just before it. */
function because(
  { from, by, why: reason }: Precedence,
  ops: readonly KeyOp[],
  name: (position: number) => string,
): string {
  const { invoke } = ops[from] as KeyOp;
  const other = by === undefined ? '' : name(by);
  switch (reason) {
    case 'session':
      return `which ${clientName(invoke)} sent later`;
    case 'time':
      return 'which was sent when that had ended';
    case 'source':
      return 'which found what only that put';
    case 'first':
      return `which changes ${invoke.key ?? 'what'}, and that found it as it was at the start`;
    case 'before':
      return `which alone put what ${other} found after that`;
    case 'after':
      return `which comes after ${other}, and that found what only this put`;
    default:
      return unreachable(reason);
  }
}

/** `c0's write of x = 1`, `c1's read of x (absent)`. */
function named({ call, invoke }: KeyOp): string {
  const who = `${clientName(invoke)}'s`;
  const key = invoke.key ?? 'the store';
  const doubt = call.outcome === 'indefinite' ? ' (unknown outcome)' : '';
  const { from, to } = casParts(call.input);
  switch (call.f) {
    case 'read':
      return `${who} read of ${key}${isOrAbsent(call.output)}`;
    case 'write':
      return `${who} write of ${key}${isOrAbsent(call.input)}${doubt}`;
    case 'cas': {
      const saw = call.seen === undefined ? '' : `, as it held ${shown(call.seen)}`;
      const refused = call.outcome === 'refused' ? ` (refused${saw})` : doubt;
      return `${who} cas of ${key} from ${shown(from)} to ${shown(to)}${refused}`;
    }
    default:
      return `${who} ${call.f} at ${momentText(invoke)}${doubt}`;
  }
}

function isOrAbsent(value: KeyOp['call']['output']): string {
  return value === null ? ' (absent)' : ` = ${shown(value)}`;
}
