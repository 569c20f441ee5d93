/** What the readers of foreign histories share: their options, their result, and how they complain. */
import { HarnessError } from '../../core/errors.ts';
import type { History } from '../history.ts';

/**
 * `jsonl`: ours. `edn`: Jepsen's. `porcupine`: lines of a Jepsen log, as Porcupine's etcd tests keep
 * them. `porcupine-kv`: the maps of its key-value tests. `ops`: one JSON object an operation.
 */
export type Format = 'jsonl' | 'edn' | 'porcupine' | 'porcupine-kv' | 'ops';

export const FORMATS: readonly Format[] = ['jsonl', 'edn', 'porcupine', 'porcupine-kv', 'ops'];

export interface ReadOptions {
  /** What messages call the input; default `input`. */
  readonly name?: string;
  /**
   * What a read that answered nil says. `absent` (default): there was no value. `any`: nothing, as
   * Knossos has it; such reads are left out.
   */
  readonly nilReads?: 'absent' | 'any';
  /** Jepsen's values are `[key value]` throughout; default: if all the first ones look like it. */
  readonly keyed?: boolean;
}

export interface Imported {
  readonly history: History;
  /** What was left out or decided on the way; sentences without an end. */
  readonly notes: readonly string[];
}

/** A text with the name that messages give it. */
export interface Source {
  readonly name: string;
  readonly text: string;
}

/** `file:line:column: what; advice`, all counted from 1, for the character at `offset`. */
export function badInput(
  { name, text }: Source,
  offset: number,
  what: string,
  advice: string,
): HarnessError {
  let line = 1;
  let start = 0;
  for (let end = text.indexOf('\n'); end >= 0 && end < offset; end = text.indexOf('\n', start)) {
    line++;
    start = end + 1;
  }
  return new HarnessError('bad-input', `${name}:${line}:${offset - start + 1}: ${what}; ${advice}`);
}

/** The beginning of a piece of the input, on one line, for messages. */
export function excerpt(text: string): string {
  const line = text.slice(0, 41).replaceAll(/\s+/g, ' ').trim();
  return text.length > 40 ? `${line.slice(0, 40)}...` : line;
}

export interface Line {
  readonly line: string;
  /** From 1. */
  readonly number: number;
  /** Of its first character. */
  readonly at: number;
}

/**
 * The lines that are not blank. They end in `\n` or `\r\n`; a byte order mark is no part of the
 * first.
 */
export function* linesOf(text: string): Generator<Line> {
  let at = text.startsWith('\uFEFF') ? 1 : 0;
  for (let number = 1; at < text.length; number++) {
    const next = text.indexOf('\n', at);
    const end = next < 0 ? text.length : next;
    const line = text.slice(at, text[end - 1] === '\r' ? end - 1 : end);
    if (line.trim() !== '') yield { line, number, at };
    at = end + 1;
  }
}
