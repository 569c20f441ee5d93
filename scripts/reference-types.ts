/** Reads interfaces out of our own sources, which are formatted: one member a line or block. */

export interface Member {
  readonly name: string;
  readonly type: string;
  readonly isOptional: boolean;
  /** Its docstring in one line; may be empty. */
  readonly doc: string;
}

export interface Interface {
  readonly name: string;
  readonly bases: readonly string[];
  readonly doc: string;
  readonly members: readonly Member[];
}

/** A docstring, if there is one. */
const DOC = String.raw`(?:/\*\*(?<doc>(?:(?!\*/)[\s\S])*)\*/\n)?`;
const HEAD = new RegExp(
  DOC +
    String.raw`export interface (?<name>\w+)(?: extends (?<bases>[\w, ]+))? \{\n` +
    String.raw`(?<body>[\s\S]*?)\n\}`,
  'g',
);
const MEMBER = new RegExp(
  String.raw`(?: {2}${DOC.slice('(?:'.length)} {2}readonly (?<name>\w+)(?<optional>\??): ` +
    String.raw`(?<type>\{\n[\s\S]*?\n {2}\}|[\s\S]*?);(?=\n|$)`,
  'g',
);
const ALIAS = /export type (?<name>\w+) =(?<type>[\s\S]*?);\n/g;

/** Every exported interface of a file, in its order; index signatures are left out. */
export function interfacesIn(source: string): readonly Interface[] {
  return [...source.matchAll(HEAD)].map(({ groups = {} }) => ({
    name: groups['name'] ?? '',
    bases: (groups['bases'] ?? '').split(', ').filter((base) => base !== ''),
    doc: sentence(groups['doc']),
    members: membersIn(groups['body'] ?? ''),
  }));
}

function membersIn(body: string): readonly Member[] {
  return [...body.matchAll(MEMBER)].map(({ groups = {} }) => ({
    name: groups['name'] ?? '',
    type: typeText(groups['type'] ?? ''),
    isOptional: groups['optional'] === '?',
    doc: sentence(groups['doc']),
  }));
}

/** The texts of exported type aliases, by name. */
export function aliasesIn(source: string): ReadonlyMap<string, string> {
  return new Map(
    [...source.matchAll(ALIAS)].map(({ groups = {} }) => [
      groups['name'] ?? '',
      typeText((groups['type'] ?? '').replace(/^\s*\|/, '')),
    ]),
  );
}

function sentence(doc = ''): string {
  return doc
    .replaceAll(/\n\s*\* ?/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

/** In one line, without what only a compiler needs. */
function typeText(type: string): string {
  const plain = type
    .replaceAll(/\/\*\*(?:(?!\*\/)[\s\S])*\*\//g, '')
    .replaceAll(/\s+/g, ' ')
    .replaceAll('readonly ', '')
    .replaceAll('NodeName', 'string')
    .trim();
  return unwrapped(plain);
}

/** `Readonly<X>` is `X` to whoever writes one. */
function unwrapped(type: string): string {
  const start = type.indexOf('Readonly<');
  if (start < 0) return type;
  let depth = 1;
  let end = start + 'Readonly<'.length;
  // The `>` of an arrow closes nothing.
  for (; depth > 0 && end < type.length; end++)
    depth += type[end] === '<' ? 1 : type[end] === '>' && type[end - 1] !== '=' ? -1 : 0;
  const inside = type.slice(start + 'Readonly<'.length, end - 1);
  return unwrapped(type.slice(0, start) + inside + type.slice(end));
}
