import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Store } from './store.ts';
import { useView } from './store.ts';
import { setTheme, type Theme } from './theme.ts';

const KEYS: readonly (readonly [string, string])[] = [
  ['n, p', 'next, previous violation'],
  ['j', 'jump to the violation'],
  ['k', 'only the key of the violation, or all'],
  ['0', 'the whole run'],
  ['+, −', 'zoom'],
  ['← →', 'move (when the timeline has the focus; ↑ ↓ zoom there)'],
  [', .', 'previous, next operation of the client whose operation is picked'],
  ['/', 'search operations'],
  ['t', 'to the table of operations, and back'],
  ['Esc', 'let go of what is picked'],
  ['?', 'this list'],
];

const DEFINITIONS: readonly (readonly [string, string])[] = [
  ['availability', 'ok ÷ (ok + failed + unknown) of the operations invoked in a window'],
  ['latency', 'of operations that ended ok only'],
  ['longest gap', 'the longest time between two successes'],
  ['unknown', 'nobody knows whether it happened; it may take effect at any later time'],
  ['took effect', 'the fault’s own probe saw it from outside'],
  ['recovery', 'from the end of a fault to the first success on its targets, the worst of them'],
];

/** Violations in turn, colours, help; and the keys for all of it. */
export function Toolbar({ store }: { store: Store }): VNode {
  const view = useView(store);
  const help = useRef<HTMLDialogElement>(null);
  const { violations } = store.data.header;
  useEffect(() => {
    const press = (event: KeyboardEvent): void => pressed(store, event, help.current);
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, [store]);
  return (
    <nav class="toolbar" aria-label="View">
      {violations.length > 0 && (
        <span class="violations">
          <button
            type="button"
            aria-label="Previous violation"
            onClick={() => store.showViolation(view.violation - 1)}
          >
            ◀
          </button>
          <span aria-live="polite">
            violation {view.violation + 1} of {violations.length}
            <span class="muted">
              {' '}
              {violations[view.violation]?.title} {violations[view.violation]?.key}
            </span>
          </span>
          <button
            type="button"
            aria-label="Next violation"
            onClick={() => store.showViolation(view.violation + 1)}
          >
            ▶
          </button>
        </span>
      )}
      <span class="right">
        <button type="button" onClick={() => store.set({ from: 0, to: store.data.header.end })}>
          Whole run
        </button>
        <button type="button" aria-label="Zoom out" onClick={() => zoom(store, 2)}>
          −
        </button>
        <button type="button" aria-label="Zoom in" onClick={() => zoom(store, 0.5)}>
          +
        </button>
        <ThemeChoice />
        <button type="button" onClick={() => help.current?.showModal()}>
          Help
        </button>
      </span>
      <dialog ref={help} aria-labelledby="help-title">
        <h2 id="help-title">Keys and words</h2>
        <Definitions entries={KEYS} />
        <Definitions entries={DEFINITIONS} />
        <form method="dialog">
          <button type="submit">Close</button>
        </form>
      </dialog>
    </nav>
  );
}

function Definitions({ entries }: { entries: readonly (readonly [string, string])[] }): VNode {
  return (
    <dl>
      {entries.flatMap(([name, text]) => [<dt key={name}>{name}</dt>, <dd key={text}>{text}</dd>])}
    </dl>
  );
}

function ThemeChoice(): VNode {
  const [theme, choose] = useState<Theme>('auto');
  return (
    <label>
      Colours{' '}
      <select
        value={theme}
        onChange={(event) => {
          const next = event.currentTarget.value as Theme;
          choose(next);
          setTheme(next);
        }}
      >
        <option value="auto">as the system</option>
        <option value="light">light</option>
        <option value="dark">dark</option>
      </select>
    </label>
  );
}

function zoom(store: Store, factor: number): void {
  const { from, to } = store.view;
  store.zoom(factor, (from + to) / 2);
}

function pressed(store: Store, event: KeyboardEvent, help: HTMLDialogElement | null): void {
  const { target } = event;
  const isField = target instanceof Element && target.matches('input, select, textarea');
  const isTyping = isField || help?.open === true;
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  const { view, data } = store;
  const key = data.header.violations[view.violation]?.key ?? '';
  const acts: Readonly<Record<string, () => void>> = {
    n: () => store.showViolation(view.violation + 1),
    p: () => store.showViolation(view.violation - 1),
    j: () => {
      store.showViolation(view.violation);
      document.querySelector('#run')?.scrollIntoView();
    },
    k: () => store.set({ key: view.key === '' ? key : '' }),
    '0': () => store.set({ from: 0, to: data.header.end }),
    '+': () => zoom(store, 0.5),
    '=': () => zoom(store, 0.5),
    '-': () => zoom(store, 2),
    '/': () => document.querySelector<HTMLElement>('#search')?.focus(),
    t: toggleTable,
    Escape: () => store.set({ row: -1 }),
    '?': () => help?.showModal(),
  };
  const act = acts[event.key];
  if (act === undefined) return;
  event.preventDefault();
  act();
}

function toggleTable(): void {
  const rows = document.querySelector<HTMLElement>('#every-operation .rows');
  const canvas = document.querySelector<HTMLElement>('.timeline .stage canvas');
  const next = document.activeElement === rows ? canvas : rows;
  next?.focus();
  next?.scrollIntoView({ block: 'center' });
}
