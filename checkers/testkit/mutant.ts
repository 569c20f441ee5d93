import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { invariant } from '../../harness/core/invariant.ts';

/** One change of a source; what it takes away is a condition that some test must miss. */
export interface Mutation {
  readonly without: string;
  /** A text that the source has exactly once; spaces and line ends count as one space. */
  readonly replace: string;
  readonly by: string;
}

/** The module at `url` with the change made to its source, beside the real one and without a file. */
export async function mutantOf(url: URL, { replace, by }: Mutation): Promise<unknown> {
  const source = readFileSync(url, 'utf8');
  const words = replace.trim().split(/\s+/);
  const literal = words.map((word) => word.replaceAll(/[^\w\s]/g, '\\$&')).join('\\s+');
  const pattern = new RegExp(literal, 'g');
  const found = source.match(pattern)?.length ?? 0;
  invariant(found === 1, `${url.pathname} has '${replace}' ${found} times, not once`);
  const changed = source.replace(pattern, () => by);
  // A module without a place of its own can only import by whole addresses.
  const absolute = changed.replace(
    /(from ')(\.[^']+)(';)/g,
    (_, before: string, path: string, after: string) => before + new URL(path, url).href + after,
  );
  const code = stripTypeScriptTypes(absolute);
  return import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(code)}`);
}
