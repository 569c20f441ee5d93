/** Clauses about single operations, from which explanations are made. Every number is a fact. */
import type { KeyOp } from './key-history.ts';
import { casParts, producedBy, requiredBy } from './models/register.ts';
import { clientName, fromNode, momentText, shown } from './text.ts';

/** ` to n3`, or nothing. */
function toNode({ invoke }: KeyOp): string {
  return invoke.node === undefined ? '' : ` to ${invoke.node}`;
}

/** `k17 = 41`, or `k17 was absent`. */
export function held(key: string, op: KeyOp): string {
  const value = producedBy(op.call) ?? null;
  return value === null ? `${key} absent` : `${key} = ${shown(value)}`;
}

/** `c3 read k17 = 41 at 72.908 s from n3`: what an operation observed, and when it began. */
export function observation(key: string, op: KeyOp): string {
  const { invoke, call } = op;
  const who = clientName(invoke);
  const at = momentText(invoke);
  const value = requiredBy(call) ?? null;
  const { from, to } = casParts(call.input);
  const cas = `cas of ${key} from ${shown(from)} to ${shown(to)}`;
  if (call.outcome === 'refused')
    return `${who} sent a ${cas} at ${at}${toNode(op)}, which was refused because it saw ${shown(value)}`;
  if (call.f === 'cas') return `${who} sent a ${cas} at ${at}${toNode(op)}, which succeeded`;
  return value === null
    ? `${who} found ${key} absent at ${at}${fromNode(invoke)}`
    : `${who} read ${key} = ${shown(value)} at ${at}${fromNode(invoke)}`;
}

/** `this read` or `this cas`. */
export function thisOp({ call }: KeyOp): string {
  return `this ${call.f}`;
}

/** `read` or `cas`. */
export function nounOf({ call }: KeyOp): string {
  return call.f;
}

/** What an operation did, for lists: `c3 read 41`, `c5 write 42 (unknown outcome)`. */
export function brief({ invoke, call }: KeyOp): string {
  const who = clientName(invoke);
  const { from, to } = casParts(call.input);
  const doubt = call.outcome === 'indefinite' ? ' (unknown outcome)' : '';
  if (call.outcome === 'refused')
    return `${who} cas ${shown(from)} to ${shown(to)} refused, saw ${shown(call.seen ?? null)}`;
  if (call.f === 'cas') return `${who} cas ${shown(from)} to ${shown(to)}${doubt}`;
  if (call.f === 'write') return `${who} write ${shown(call.input)}${doubt}`;
  return `${who} ${call.f} ${shown(call.output)}`;
}
