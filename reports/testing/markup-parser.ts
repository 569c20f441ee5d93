/** A strict little parser: refuses whatever is not well-formed, so that tests see what breaks out. */
import { invariant } from '../../harness/core/invariant.ts';

export interface ParsedElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly (ParsedElement | string)[];
}

const VOID = new Set(['meta', 'link', 'br']);
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' };

/**
 * Parses an XML document, or HTML written in its manner: quoted attributes, every element closed
 * but the void ones, attributes without a value. Throws at the first thing that is not so.
 */
export function parseMarkup(text: string, kind: 'xml' | 'html'): ParsedElement {
  const parser = new Parser(text, kind);
  return parser.document();
}

/** All elements below and including this one. */
export function allElements(root: ParsedElement): readonly ParsedElement[] {
  return [
    root,
    ...root.children.flatMap((child) => (typeof child === 'string' ? [] : allElements(child))),
  ];
}

/** All text below, without markup. */
export function textOf(root: ParsedElement): string {
  return root.children.map((child) => (typeof child === 'string' ? child : textOf(child))).join('');
}

class Parser {
  readonly #text: string;
  readonly #kind: 'xml' | 'html';
  #at = 0;

  constructor(text: string, kind: 'xml' | 'html') {
    this.#text = text;
    this.#kind = kind;
  }

  document(): ParsedElement {
    const head =
      this.#kind === 'xml' ? /^<\?xml version="1\.0" encoding="UTF-8"\?>\n/ : /^<!doctype html>\n/;
    this.#take(head, 'a prolog');
    const root = this.#element();
    this.#take(/^\n$/, 'the end');
    return root;
  }

  #element(): ParsedElement {
    const [, name = ''] = this.#take(/^<([a-zA-Z][a-zA-Z0-9-]*)/, 'a start tag');
    const attributes = this.#attributes();
    const [tag = ''] = this.#take(/^\s*\/?>/, `the end of <${name}`);
    if (tag.includes('/') || (this.#kind === 'html' && VOID.has(name)))
      return { name, attributes, children: [] };
    if (this.#kind === 'html' && name === 'script')
      return { name, attributes, children: [this.#script()] };
    const children: (ParsedElement | string)[] = [];
    while (!this.#text.startsWith('</', this.#at)) {
      const next = this.#text[this.#at];
      invariant(next !== undefined, `<${name}> is not closed`);
      children.push(next === '<' ? this.#element() : this.#characters());
    }
    const [, closed] = this.#take(/^<\/([a-zA-Z0-9-]+)>/, 'an end tag');
    invariant(closed === name, `<${name}> is closed by </${closed}>`);
    return { name, attributes, children };
  }

  #attributes(): ReadonlyMap<string, string> {
    const found = new Map<string, string>();
    for (;;) {
      const rest = this.#text.slice(this.#at, this.#at + 4096);
      const start = /^\s+([a-zA-Z][a-zA-Z0-9:-]*)(=")?/.exec(rest);
      if (start === null) return found;
      const [all, name = '', quoted] = start;
      invariant(!found.has(name), `attribute ${name} stands twice`);
      invariant(quoted !== undefined || this.#kind === 'html', `attribute ${name} without value`);
      this.#at += all.length;
      found.set(name, quoted === undefined ? '' : this.#value());
    }
  }

  #value(): string {
    const end = this.#text.indexOf('"', this.#at);
    invariant(end >= 0, 'an attribute is not closed');
    const raw = this.#text.slice(this.#at, end);
    this.#at = end + 1;
    invariant(!raw.includes('<'), 'a < in an attribute');
    return decoded(raw);
  }

  /** A script ends where a browser ends it: at the first end tag, whatever stands before. */
  #script(): string {
    const end = this.#text.toLowerCase().indexOf('</script', this.#at);
    invariant(end >= 0, 'a script is not closed');
    const raw = this.#text.slice(this.#at, end);
    invariant(!raw.includes('<!--'), 'a comment opens within a script');
    this.#at = end;
    this.#take(/^<\/script>/, 'the end of a script');
    return raw;
  }

  #characters(): string {
    const end = this.#text.indexOf('<', this.#at);
    invariant(end > this.#at, 'text without an end');
    const raw = this.#text.slice(this.#at, end);
    this.#at = end;
    return decoded(raw);
  }

  #take(pattern: RegExp, what: string): RegExpExecArray {
    const rest = this.#text.slice(this.#at, this.#at + 512);
    const match = pattern.exec(rest);
    invariant(match !== null, `expected ${what} at '${rest.slice(0, 60)}'`);
    this.#at += match[0].length;
    return match;
  }
}

// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\ufffe\uffff]/;

function decoded(raw: string): string {
  invariant(!CONTROL.test(raw), 'a control character');
  invariant(raw.isWellFormed(), 'half of a surrogate pair');
  return raw.replaceAll(/&([^;&]*);?/g, (all, name: string) => {
    const code = /^#(\d+)$/.exec(name)?.[1];
    const character = code === undefined ? ENTITIES[name] : String.fromCodePoint(Number(code));
    invariant(all.endsWith(';') && character !== undefined, `a raw & or unknown reference ${all}`);
    return character;
  });
}
