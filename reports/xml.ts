import { printable } from './words.ts';

/** An element; text and attributes are made safe when it is written. */
export interface XmlElement {
  readonly name: string;
  readonly attributes?: Readonly<Record<string, string | number>>;
  readonly children?: readonly (XmlElement | string)[];
}

/** An XML 1.0 document with two spaces a level. Text content is kept as it is, line breaks too. */
export function xmlDocument(root: XmlElement): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element(root, '')}\n`;
}

function element({ name, attributes = {}, children = [] }: XmlElement, indent: string): string {
  const written = Object.entries(attributes)
    .map(([key, value]) => ` ${key}="${escaped(String(value), true)}"`)
    .join('');
  if (children.length === 0) return `${indent}<${name}${written}/>`;
  if (children.some((child) => typeof child === 'string')) {
    const text = children
      .map((child) => (typeof child === 'string' ? escaped(child) : ''))
      .join('');
    return `${indent}<${name}${written}>${text}</${name}>`;
  }
  const inner = children.map((child) => element(child as XmlElement, `${indent}  `)).join('\n');
  return `${indent}<${name}${written}>\n${inner}\n${indent}</${name}>`;
}

/** `printable` leaves nothing that XML 1.0 forbids. */
function escaped(text: string, attribute = false): string {
  const safe = printable(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
  return attribute
    ? safe.replaceAll('"', '&quot;').replaceAll('\n', '&#10;').replaceAll('\t', '&#9;')
    : safe;
}
