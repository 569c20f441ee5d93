import { printable } from '../words.ts';

const MARKUP: unique symbol = Symbol('markup');

/** Text that is markup already; only `html` makes it, so nothing from outside can pass for it. */
export interface Markup {
  readonly [MARKUP]: string;
}

/** What may stand in a template: `false` and undefined write nothing. */
export type Part = string | number | false | undefined | Markup | readonly Part[];

/**
 * A piece of HTML or SVG. Everything put into the template is escaped for text and for quoted
 * attributes, but for other pieces; lists are joined. Never put a value into an unquoted attribute,
 * a style or a script.
 */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  const text = strings.reduce((out, string, at) => out + written(parts[at - 1]) + string);
  return { [MARKUP]: text };
}

/** A script of our own, or data that no browser runs; the caller sees to it that it ends nowhere within. */
export function scriptElement(attributes: Markup, text: string): Markup {
  return { [MARKUP]: `<script${attributes[MARKUP]}>${text}</script>` };
}

export function markupText(markup: Markup): string {
  return markup[MARKUP];
}

function written(part: Part): string {
  if (part === undefined || part === false) return '';
  if (typeof part === 'number') return Number.isFinite(part) ? String(part) : '–';
  if (typeof part === 'string') return escapeHtml(part);
  return isList(part) ? part.map(written).join('') : part[MARKUP];
}

function isList(part: Markup | readonly Part[]): part is readonly Part[] {
  return Array.isArray(part);
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

/** Safe as text and within quotes; escape sequences and control characters are gone. */
export function escapeHtml(text: string): string {
  return printable(text).replaceAll(/[&<>"'`]/g, (character) => ENTITIES[character] ?? '');
}
