/**
 * Makes a report interactive. The page is complete without it: when anything here fails, or scripts
 * are off, the drawings and tables that were written in Node stay.
 */
import { render } from 'preact';
import uplotStyles from 'uplot/dist/uPlot.min.css?inline';
import { CopyButton } from './copy-button.tsx';
import { decodePage, rowOfEntry } from './decode.ts';
import { markdownOf } from './forms.ts';
import { hashOf, parseHash } from './hash.ts';
import { Logs } from './logs.tsx';
import { OperationTable } from './operation-table.tsx';
import styles from './page.css?inline';
import { Plots } from './plots.tsx';
import { Store } from './store.ts';
import { atMostOnceAFrame, Timeline } from './timeline.tsx';
import { Toolbar } from './toolbar.tsx';

async function start(): Promise<void> {
  addStyles();
  addCopyButtons();
  const island = document.querySelector('#run-data');
  if (island === null) return;
  const data = await decodePage(island.textContent);
  island.remove();
  const { violations } = data.header;
  const linked = parseHash(location.hash, { violations: violations.length });
  const store = new Store(data, linked.view);
  addMarkdownButtons(store);
  if (linked.entry >= 0) store.set({ row: rowOfEntry(data.ops, linked.entry) });
  if (data.ops.length > 0) {
    render(<Timeline store={store} onPaint={painted} />, holder('timeline'));
    render(<Plots store={store} />, holder('plots'));
    render(<OperationTable store={store} />, holder('operations-table'));
    render(<Toolbar store={store} />, holder('toolbar'));
    showOne(store);
    store.listen(() => showOne(store));
  }
  render(<Logs store={store} />, holder('node-logs'));
  keepAddress(store);
}

/** Not as an element: the page's policy allows just the styles that Node wrote into it. */
function addStyles(): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`${uplotStyles}\n${styles}`);
  document.adoptedStyleSheets = [sheet];
}

function holder(name: string): Element {
  const element = document.querySelector(`[data-holder="${name}"]`);
  if (element === null) throw new Error(`the page has no place for ${name}`);
  return element;
}

/** Of all counterexamples only the one that the reader is at; printed are all. */
function showOne(store: Store): void {
  const entries = store.data.header.violations[store.view.violation]?.entries.join();
  const articles = [...document.querySelectorAll<HTMLElement>('article[data-entries]')];
  const shown = articles.find((article) => article.dataset['entries'] === entries);
  for (const article of articles)
    article.classList.toggle('other', shown !== undefined && article !== shown);
}

/** Only now may what was drawn in Node go. */
function painted(): void {
  document.documentElement.dataset['live'] = '';
  performance.mark('timeline');
}

function addCopyButtons(): void {
  for (const block of document.querySelectorAll('pre > code')) {
    const place = document.createElement('span');
    block.parentElement?.append(place);
    render(<CopyButton text={block.textContent} />, place);
  }
}

/** Each counterexample in the form of a ticket. */
function addMarkdownButtons(store: Store): void {
  const command = document.querySelector('.banner pre > code')?.textContent ?? '';
  for (const [at, { entries }] of store.data.header.violations.entries()) {
    const title = document.querySelector(`article[data-entries="${entries.join()}"] h3`);
    if (title === null) continue;
    const place = document.createElement('div');
    place.className = 'beside';
    title.before(place);
    const text = (): string => markdownOf(store.data, at, command);
    render(<CopyButton text={text} label="Copy as Markdown" />, place);
  }
}

/** The address follows the view, and a changed address leads to its view. */
function keepAddress(store: Store): void {
  const write = atMostOnceAFrame(() => {
    const { row } = store.view;
    const hash = hashOf(store.view, row < 0 ? -1 : (store.data.ops.entry[row] as number));
    if (hash !== location.hash) history.replaceState(null, '', hash);
  });
  store.listen(write);
  addEventListener('hashchange', () => {
    const { violations } = store.data.header;
    const { view, entry } = parseHash(location.hash, { violations: violations.length });
    store.set({ ...view, row: entry < 0 ? -1 : rowOfEntry(store.data.ops, entry) });
  });
}

function say(error: unknown): void {
  delete document.documentElement.dataset['live'];
  const note = document.createElement('p');
  note.className = 'muted small';
  note.textContent = `The interactive part of this page could not start: ${String(error)}`;
  document.querySelector('#run')?.append(note);
}

start().catch(say);
