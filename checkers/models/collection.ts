import type { JsonValue } from '../../harness/core/json.ts';
import { shown } from '../text.ts';
import { type Call, type Model, type Stepped, sameValue } from './model.ts';

type Elements = readonly JsonValue[];

/** An object with one way in and one way out, that gives back each element once. */
export function collection(
  name: string,
  put: string,
  take: string,
  takeOne: (held: Elements) => readonly [taken: JsonValue, rest: Elements],
): Model {
  const readOnly = (call: Call): boolean => call.outcome === 'refused' || foundEmpty(call, take);
  const step = (state: JsonValue, call: Call): Stepped => {
    if (call.outcome === 'refused') return { state };
    const held = state as Elements;
    if (call.f === put) return { state: [...held, call.input] };
    const [taken, rest] = takeOne(held);
    if (call.outcome === 'ok' && !sameValue(taken, call.output))
      return { inconsistent: taken === null ? 'it was empty' : notNext(taken, call.output) };
    return { state: rest };
  };
  const removable = (calls: readonly Call[]): readonly boolean[] =>
    removableFrom(calls, put, readOnly);
  return { name, functions: [put, take], init: [], step, readOnly, removable };
}

function notNext(taken: JsonValue, given: JsonValue): string {
  return `next came ${shown(taken)}, not ${given === null ? 'nothing' : shown(given)}`;
}

/** A take that found nothing leaves nothing. */
export function foundEmpty({ f, output, outcome }: Call, take: string): boolean {
  return f === take && outcome === 'ok' && output === null;
}

/**
 * What found nothing may go, and so may putting an element that no one was given: whoever was
 * given another found that one in the same place among the rest, an indefinite take of it need not
 * have happened, and who found nothing still does.
 */
export function removableFrom(
  calls: readonly Call[],
  put: string,
  readOnly: (call: Call) => boolean,
): readonly boolean[] {
  const given = new Set<string>();
  for (const { f, output, outcome } of calls)
    if (f !== put && outcome === 'ok') given.add(JSON.stringify(output));
  return calls.map(
    (call) => readOnly(call) || (call.f === put && !given.has(JSON.stringify(call.input))),
  );
}
