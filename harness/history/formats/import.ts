/** A history of any format as a text: which format it is, and what it says. Needs no Node.js. */
import { HarnessError } from '../../core/errors.ts';
import { suggest } from '../../core/suggest.ts';
import { readEdn } from './edn.ts';
import type { ReadOptions, Source } from './format.ts';
import { badInput, type Format, type Imported, linesOf } from './format.ts';
import { readJsonl } from './jsonl.ts';
import { readOps } from './ops.ts';
import { isLogEntry, readPorcupine } from './porcupine.ts';
import { readPorcupineKv } from './porcupine-kv.ts';

const READERS: Readonly<Record<Format, (source: Source, options: ReadOptions) => Imported>> = {
  jsonl: readJsonl,
  edn: readEdn,
  porcupine: readPorcupine,
  'porcupine-kv': readPorcupineKv,
  ops: readOps,
};

/** Throws `bad-input`, with line and column, for what is not a history of this format. */
export function importHistory(text: string, format: Format, options: ReadOptions = {}): Imported {
  return READERS[format]({ name: options.name ?? 'input', text }, options);
}

/** Lines that are looked at before a guess is given up. */
const LINES_MAX = 1000;

/**
 * The format of a text, judged by its beginning. Throws `bad-input` where it looks like none of
 * them; that it looks like one does not say that it can be read.
 */
export function guessFormat(text: string, name: string = 'input'): Format {
  let looked = 0;
  for (const { line } of linesOf(text)) {
    if (++looked > LINES_MAX) break;
    const begin = line.trimStart();
    if (isLogEntry(line)) return 'porcupine';
    if (/^\{\s*"/.test(begin)) return begin.includes('"schism"') ? 'jsonl' : 'ops';
    if (looksLikeEdn(begin)) return isKeyValue(text) ? 'porcupine-kv' : 'edn';
  }
  const source = { name, text };
  if (looked === 0)
    throw badInput(source, 0, 'it is empty', 'give a history with at least one operation');
  const advice = 'say which it is: --format jsonl, edn, porcupine, porcupine-kv or ops';
  throw badInput(source, 0, 'its beginning looks like no known format', advice);
}

/** Opens with a map, a vector or list of maps, a tag or a comment. */
function looksLikeEdn(begin: string): boolean {
  return /^(\{[\s,]*(:|$)|[[(][\s,]*($|[{#;])|#|;)/.test(begin);
}

/** Maps with a key beside the value, and the words of such a store. */
function isKeyValue(text: string): boolean {
  const [map = ''] = /\{[^{}]*:process[^{}]*\}/.exec(text.slice(0, 65_536)) ?? [];
  return /:key[\s,]/.test(map) && /:f[\s,]+:(get|put|append)\b/.test(map);
}

/** Reads `--format`; throws `bad-option`. */
export function parseFormat(text: string): Format {
  if (Object.hasOwn(READERS, text)) return text as Format;
  const names = Object.keys(READERS);
  throw new HarnessError(
    'bad-option',
    `--format: '${text}'${suggest(text, names)}; it is one of ${names.join(', ')}`,
  );
}
