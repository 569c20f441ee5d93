import type { JsonValue } from '../../harness/core/json.ts';
import { type Call, type Model, onlyReadsRemovable, type Stepped } from './model.ts';
import { register } from './register.ts';

/**
 * One key of a store of texts: `get`, `put`, `append`, and the register's `read`, `write`, `cas`.
 * To append to what is absent (null) puts. A store that shows absent keys as the empty text begins
 * with '' instead.
 */
export const appendRegister: Model = {
  name: 'append-register',
  functions: [...register.functions, 'get', 'put', 'append'],
  init: null,
  step,
  readOnly: (call) => register.readOnly(asRegister(call)),
  // An append depends on what was there, so that a blind write right before it may be seen in it.
  // That costs the rules nothing: a write and a read that are hidden lie before the last write.
  overwrites: (call) => register.overwrites?.(asRegister(call)) === true,
  dominance: ['absorption', 'credit'],
  removable: onlyReadsRemovable((call) => register.readOnly(asRegister(call))),
};

function step(state: JsonValue, call: Call): Stepped {
  if (call.f !== 'append') return register.step(state, asRegister(call));
  return { state: call.outcome === 'refused' ? state : appended(state, call.input) };
}

/** What stands in a key after `suffix` was appended to what it held. */
export function appended(before: JsonValue, suffix: JsonValue): string {
  return `${textOf(before)}${textOf(suffix)}`;
}

function textOf(value: JsonValue): string {
  if (value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

const NAMES: Readonly<Record<string, string>> = { get: 'read', put: 'write' };

function asRegister(call: Call): Call {
  const name = NAMES[call.f];
  return name === undefined ? call : { ...call, f: name };
}
