import { html, type Markup, type Part } from './markup.ts';

export interface Head {
  readonly title: string;
  /** Right-aligned figures. */
  readonly number?: boolean;
  readonly nowrap?: boolean;
}

export interface Row {
  /** The first is the heading of the row. */
  readonly cells: readonly Part[];
  readonly name?: string;
}

/**
 * A table with a caption and scoped headings, in a box that scrolls on its own. `name`: of the box, for
 * one that has nothing to focus within and so must take the focus itself to be scrolled by keys.
 */
export function dataTable(
  caption: string,
  heads: readonly Head[],
  rows: readonly Row[],
  name?: string,
): Markup {
  // Two columns at the two ends of a wide page cannot be read together.
  const narrow = heads.length <= 2 ? 'narrow' : '';
  const box = name === undefined ? html`` : html` tabindex="0" role="region" aria-label="${name}"`;
  return html`<div class="scroll"${box}><table class="${narrow}"><caption>${caption}</caption>
<thead><tr>${heads.map((head) => html`<th scope="col" class="${nameOf(head)}">${head.title}</th>`)}</tr></thead>
<tbody>${rows.map((row) => rowOf(row, heads))}</tbody></table></div>`;
}

function rowOf({ cells, name = '' }: Row, heads: readonly Head[]): Markup {
  return html`<tr class="${name}">${cells.map((cell, at) => {
    const style = nameOf(heads[at]);
    return at === 0
      ? html`<th scope="row" class="${style}">${cell}</th>`
      : html`<td class="${style}">${cell}</td>`;
  })}</tr>
`;
}

function nameOf(head: Head | undefined): string {
  if (head?.number === true) return 'n';
  return head?.nowrap === true ? 'nowrap' : '';
}

/** Rows up to `max`, and the words for those that are left out. */
export function capped<T>(
  items: readonly T[],
  max: number,
): { readonly shown: readonly T[]; readonly note: Markup } {
  const left = items.length - max;
  const note =
    left <= 0 ? html`` : html`<p class="muted small">and ${String(left)} more, not shown here</p>`;
  return { shown: items.slice(0, max), note };
}
