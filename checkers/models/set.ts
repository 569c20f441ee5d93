import type { JsonValue } from '../../harness/core/json.ts';
import { listed, shown } from '../text.ts';
import type { Call, Model, Stepped } from './model.ts';

/**
 * Elements without order or number: `add` and `remove`, which never fail, `contains`, which
 * answers with true or false, and `read`, which answers with all of them in any order.
 */
export const set: Model = {
  name: 'set',
  functions: ['add', 'remove', 'contains', 'read'],
  init: [],
  step,
  readOnly: ({ f, outcome }) => f === 'read' || f === 'contains' || outcome === 'refused',
  removable,
};

/** Elements in the order of their JSON texts. */
type Elements = readonly JsonValue[];

function step(state: JsonValue, { f, input, output, outcome }: Call): Stepped {
  if (outcome === 'refused') return { state };
  const elements = state as Elements;
  const texts = new Set(elements.map((element) => JSON.stringify(element)));
  const has = texts.has(JSON.stringify(input));
  if (f === 'add') return { state: has ? state : sorted([...elements, input]) };
  if (f === 'remove')
    return {
      state: elements.filter((element) => JSON.stringify(element) !== JSON.stringify(input)),
    };
  if (outcome === 'indefinite') return { state };
  if (f === 'contains')
    return output === has
      ? { state }
      : { inconsistent: `${shown(input)} was ${has ? '' : 'not '}in the set` };
  const seen = elementsOf(output).map((element) => JSON.stringify(element));
  const isSame = seen.length === texts.size && seen.every((text) => texts.has(text));
  if (isSame && new Set(seen).size === seen.length) return { state };
  return { inconsistent: differenceText(elements, elementsOf(output)) };
}

/** What is wrong with an answer, in words that stay short for large sets. */
function differenceText(held: Elements, answer: Elements): string {
  const without = (all: Elements, others: Elements): string[] => {
    const texts = new Set(others.map((element) => JSON.stringify(element)));
    return all.filter((element) => !texts.has(JSON.stringify(element))).map(shown);
  };
  const [missing, strange] = [without(held, answer), without(answer, held)];
  const parts = [
    ...(missing.length === 0 ? [] : [`the set also held ${listed(missing)}`]),
    ...(strange.length === 0 ? [] : [`the set did not hold ${listed(strange)}`]),
  ];
  return parts.length === 0 ? 'the answer has an element twice' : parts.join(', and ');
}

/** As a state keeps them. */
function sorted(elements: Elements): Elements {
  const keyed = elements.map((element) => [JSON.stringify(element), element] as const);
  return keyed.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, element]) => element);
}

function elementsOf(value: JsonValue): Elements {
  return Array.isArray(value) ? (value as Elements) : [];
}

/**
 * What only looks may go. So may an `add` of what nobody ever saw in the set, and a `remove` of
 * what nobody ever missed: without them the states differ only in elements that no observation
 * made in those states speaks of.
 */
function removable(calls: readonly Call[]): readonly boolean[] {
  const [present, absent] = [new Set<string>(), new Set<string>()];
  const mentioned = new Set(calls.map(({ input }) => JSON.stringify(input)));
  for (const { f, input, output, outcome } of calls) {
    if (outcome !== 'ok') continue;
    if (f === 'contains') (output === true ? present : absent).add(JSON.stringify(input));
    if (f !== 'read') continue;
    const seen = new Set(elementsOf(output).map((element) => JSON.stringify(element)));
    for (const text of seen) present.add(text);
    for (const text of mentioned) if (!seen.has(text)) absent.add(text);
  }
  return calls.map((call) => {
    const text = JSON.stringify(call.input);
    if (call.f === 'add') return call.outcome === 'refused' || !present.has(text);
    return call.f !== 'remove' || call.outcome === 'refused' || !absent.has(text);
  });
}
