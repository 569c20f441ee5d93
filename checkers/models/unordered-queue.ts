import type { JsonValue } from '../../harness/core/json.ts';
import { shown } from '../text.ts';
import { foundEmpty, removableFrom } from './collection.ts';
import type { Call, Model } from './model.ts';
import { nondeterministic, type Steps } from './nondeterministic.ts';

/**
 * A queue without order: `enqueue`, and `dequeue`, which takes any one element and answers null
 * when there is none. What a `dequeue` of unknown outcome took is unknown as well.
 */
export const unorderedQueue: Model = nondeterministic({
  name: 'unordered-queue',
  functions: ['enqueue', 'dequeue'],
  init: [[]],
  step,
  readOnly,
  removable: (calls) => removableFrom(calls, 'enqueue', readOnly),
});

function readOnly(call: Call): boolean {
  return call.outcome === 'refused' || foundEmpty(call, 'dequeue');
}

/** Elements in the order of their JSON texts, each as often as it is there. */
type Elements = readonly JsonValue[];

function step(state: JsonValue, { f, input, output, outcome }: Call): Steps {
  if (outcome === 'refused') return { states: [state] };
  const held = state as Elements;
  if (f === 'enqueue') return { states: [added(held, input)] };
  const texts = held.map((element) => JSON.stringify(element));
  if (outcome === 'indefinite') {
    const first = held.filter((_, at) => texts[at] !== texts[at - 1]);
    const states = first.map((element) =>
      held.toSpliced(texts.indexOf(JSON.stringify(element)), 1),
    );
    return states.length === 0 ? { inconsistent: 'the queue was empty' } : { states };
  }
  if (output === null)
    return held.length === 0
      ? { states: [state] }
      : { inconsistent: `the queue held ${shown(held)}` };
  const at = texts.indexOf(JSON.stringify(output));
  if (at < 0) return { inconsistent: `${shown(output)} was not in the queue` };
  return { states: [held.toSpliced(at, 1)] };
}

function added(held: Elements, element: JsonValue): Elements {
  const text = JSON.stringify(element);
  const at = held.findIndex((other) => JSON.stringify(other) > text);
  return held.toSpliced(at < 0 ? held.length : at, 0, element);
}
