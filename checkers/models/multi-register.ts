import type { JsonValue } from '../../harness/core/json.ts';
import { shown } from '../text.ts';
import { type Call, type Model, type Stepped, sameValue } from './model.ts';

type Micro = readonly [f: string, key: string, value: JsonValue];
type Registers = Readonly<Record<string, JsonValue>>;

/**
 * Registers that change together: `txn` with a list of micro-operations ["r", key, null] and
 * ["w", key, value]. Its answer is the same list with what was read filled in. They happen in
 * order and at once: a transaction sees its own writes. Null means absent.
 */
export const multiRegister: Model = {
  name: 'multi-register',
  functions: ['txn'],
  init: {},
  per: 'store',
  step,
  readOnly,
  removable,
};

function readOnly(call: Call): boolean {
  return call.outcome === 'refused' || microsOf(call).every(([f]) => !isWrite(f));
}

function step(state: JsonValue, call: Call): Stepped {
  if (call.outcome === 'refused') return { state };
  const registers = new Map(Object.entries(state as Registers));
  for (const [f, key, value] of microsOf(call)) {
    const held = registers.get(key) ?? null;
    if (isWrite(f)) registers.set(key, value);
    else if (call.outcome === 'ok' && !sameValue(held, value))
      return { inconsistent: `${key} held ${shown(held)}, not ${shown(value)}` };
  }
  return { state: stateOf(registers) };
}

/** With keys in one order, and without absent ones: equal registers have equal texts. */
function stateOf(registers: ReadonlyMap<string, JsonValue>): JsonValue {
  const present = [...registers].filter(([, value]) => value !== null);
  return Object.fromEntries(present.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** The micro-operations with what they read, if that is known. */
function microsOf({ input, output, outcome }: Call): readonly Micro[] {
  const list = outcome === 'ok' && Array.isArray(output) ? output : input;
  return Array.isArray(list) ? (list as readonly Micro[]) : [];
}

function isWrite(f: string): boolean {
  return f === 'w' || f === 'write';
}

/**
 * A transaction that only reads may go, and one of whose writes nobody requires any: what follows
 * it in a legal order does not look at those registers before they are written again, which needs
 * nothing. Leaving out several only lowers what is required.
 */
function removable(calls: readonly Call[]): readonly boolean[] {
  const required = new Set(calls.flatMap((call) => effectsOf(call).required));
  return calls.map((call) => effectsOf(call).produced.every((text) => !required.has(text)));
}

/** What a call needs to find, and what it leaves behind; texts of a key and a value. */
function effectsOf(call: Call): { readonly required: string[]; readonly produced: string[] } {
  const written = new Map<string, string>();
  const required: string[] = [];
  if (call.outcome === 'refused') return { required, produced: [] };
  for (const [f, key, value] of microsOf(call)) {
    const text = JSON.stringify([key, value]);
    if (isWrite(f)) written.set(key, text);
    else if (call.outcome === 'ok' && !written.has(key)) required.push(text);
  }
  return { required, produced: [...written.values()] };
}
