/**
 * The maps of Porcupine's key-value tests: texts by key, where a key that was never put holds ''.
 *
 *     {:process 0, :type :invoke, :f :append, :key "3", :value "x 0 1 y"}
 */
import type { History } from '../history.ts';
import { edn, readEdn } from './edn.ts';
import type { Imported, ReadOptions, Source } from './format.ts';

const NAMES: Readonly<Record<string, string>> = { read: 'get', write: 'put' };

/** What a key holds at the start. */
export const KV_INIT = '';

/** Throws `bad-input`, with line and column. */
export function readPorcupineKv(source: Source, options: ReadOptions = {}): Imported {
  return readEdn(source, { ...options, keyed: false });
}

/** The inverse of `readPorcupineKv`; what did not end is left open, as there. */
export function* printPorcupineKv(history: History): Generator<string> {
  for (const { process, type, f, key = '', value } of history.ops()) {
    if (typeof process !== 'number' || type === 'info') continue;
    yield `{:process ${process}, :type :${type}, :f :${NAMES[f] ?? f}, :key ${edn(key)}, ` +
      `:value ${edn(value)}}`;
  }
}
