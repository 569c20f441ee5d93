import type { JsonValue } from '../../harness/core/json.ts';
import { shown } from '../text.ts';
import { type Call, type Model, onlyReadsRemovable, type Stepped } from './model.ts';

/**
 * A number that starts at 0: `add` (its value may be negative), `add-and-get`, which answers with
 * the number afterwards, and `read`.
 */
export const counter: Model = {
  name: 'counter',
  functions: ['read', 'add', 'add-and-get'],
  init: 0,
  step,
  readOnly,
  removable: onlyReadsRemovable(readOnly),
};

function readOnly(call: Call): boolean {
  return call.outcome === 'refused' || addedBy(call) === 0;
}

function step(state: JsonValue, call: Call): Stepped {
  if (call.outcome === 'refused') return { state };
  const after = Number(state) + addedBy(call);
  const shows = call.outcome === 'ok' && call.f !== 'add';
  if (shows && call.output !== after)
    return { inconsistent: `the counter stood at ${after}, not ${shown(call.output)}` };
  return { state: after };
}

function addedBy({ f, input }: Call): number {
  return f === 'read' ? 0 : Number(input);
}
