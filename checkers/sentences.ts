/** Clauses about single operations, from which explanations are made. Every number is a fact. */
import type { KeyOp } from './key-history.ts';
import { type Call, type Model, sameValue } from './models/model.ts';
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
  const because = call.seen === undefined ? '' : ` because it saw ${shown(value)}`;
  if (call.outcome === 'refused')
    return `${who} sent a ${cas} at ${at}${toNode(op)}, which was refused${because}`;
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

/** What sentences call the object with this key: `key x`, if it has a name. */
export function objectName(key: string, { per }: Pick<Model, 'per'>): string {
  if (key !== '') return `key ${key}`;
  return per === 'store' ? 'the store' : 'the object';
}

/** The same, where it is a register. */
export function registerName(key: string): string {
  return key === '' ? 'the register' : key;
}

/** What an operation did, for lists: `c3 read 41`, `c5 write 42 (unknown outcome)`. */
export function brief({ invoke, call }: KeyOp): string {
  const doubt = call.outcome === 'indefinite' ? ' (unknown outcome)' : '';
  return `${clientName(invoke)} ${deed(call)}${stamped(call)}${doubt}`;
}

/** What took an element, or looked for one, and answered with none. */
const TAKES: ReadonlySet<string> = new Set(['dequeue', 'pop']);
const LOOKS: ReadonlySet<string> = new Set(['read', 'get']);
/** Null is what these put. */
const PUTS: ReadonlySet<string> = new Set(['write', 'put']);

/** `write 42`, `cas 1 to 2`, `get x → 5` with the key of a store, `acquire "c0" → 3`. */
function deed({ f, key, input, output, outcome, seen }: Call): string {
  const name = key === undefined ? f : `${f} ${key}`;
  const saw = seen === undefined ? '' : `, saw ${shown(seen)}`;
  const refusal = outcome === 'refused' ? ` refused${saw}` : '';
  if (f === 'cas') {
    const { from, to } = casParts(input);
    return `${name} ${shown(from)} to ${shown(to)}${refusal}`;
  }
  if (LOOKS.has(f) && outcome === 'ok')
    return `${name} ${key === undefined ? '' : '→ '}${shown(output)}`;
  const asked = input === null && !PUTS.has(f) ? name : `${name} ${shown(input)}`;
  if (outcome !== 'ok') return `${asked}${refusal}`;
  if (output === null) return TAKES.has(f) ? `${asked} → nothing` : asked;
  // An answer that repeats a transaction with what was read says all of it.
  if (f === 'txn' && Array.isArray(output)) return `${name} ${shown(output)}`;
  return sameValue(input, output) ? asked : `${asked} → ${shown(output)}`;
}

/** What the store said of its own count of changes, where the model looks at that. */
function stamped({ stamp }: Call): string {
  if (stamp === undefined) return '';
  const { revision, modRevision, version } = stamp;
  const parts = [
    ...(revision === undefined ? [] : [`revision ${revision}`]),
    ...(modRevision === undefined ? [] : [`last change ${modRevision}`]),
    ...(version === undefined ? [] : [`version ${version}`]),
  ];
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}
