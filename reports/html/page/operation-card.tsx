import type { VNode } from 'preact';
import { CopyButton } from './copy-button.tsx';
import { errorOf, keyOf, modeOf, nodeOf, outcomeOf, type RunData, textOf } from './decode.ts';
import { ednOf } from './forms.ts';
import type { Store } from './store.ts';
import { seconds, span } from './words.ts';

/** All that the page knows of one operation, as words. */
export function factsOf(data: RunData, row: number): Readonly<Record<string, string>> {
  const { ops } = data;
  const [start, end] = [ops.start[row] as number, ops.end[row] as number];
  const outcome = outcomeOf(ops, row);
  const facts: Readonly<Record<string, string>> = {
    operation: textOf(data, row),
    key: keyOf(data, row),
    outcome: outcome === 'open' ? 'never completed' : outcome,
    error: errorOf(data, row),
    client: `c${ops.client[row]}`,
    node: nodeOf(data, row),
    mode: modeOf(data, row),
    start: `${seconds(start)} s`,
    end: outcome === 'open' ? '' : `${seconds(end)} s`,
    duration: outcome === 'open' ? '' : span(end - start),
    entry: String(ops.entry[row]),
  };
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== ''));
}

/** Only where the counterexample proves it: of other operations no order is kept. */
function inCounterexample({ data, view }: Store, row: number): Readonly<Record<string, string>> {
  const { steps = [] } = data.header.violations[view.violation] ?? {};
  const [, after = ''] = steps.find(([entry]) => entry === data.ops.entry[row]) ?? [];
  return after === '' ? {} : { 'in the counterexample': `must be ${after}` };
}

/** The operation that was picked. */
export function OperationCard({ store, row }: { store: Store; row: number }): VNode {
  const facts = { ...factsOf(store.data, row), ...inCounterexample(store, row) };
  const json = JSON.stringify(facts);
  const key = facts['key'];
  return (
    <div class="card" role="group" aria-label="The operation that was picked">
      <dl>
        {Object.entries(facts).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <div class="buttons">
        {key !== undefined && (
          <button
            type="button"
            onClick={() => store.set({ key: store.view.key === key ? '' : key })}
          >
            {store.view.key === key ? 'All keys' : 'Only this key'}
          </button>
        )}
        <CopyButton text={json} label="Copy as JSON" />
        <CopyButton text={() => ednOf(store.data, row)} label="Copy as EDN" />
        <button type="button" onClick={() => store.set({ row: -1 })}>
          Close
        </button>
      </div>
    </div>
  );
}
