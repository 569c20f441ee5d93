/**
 * Reads what a schedule or a history says about one fault. The options of a fault are closed: a
 * word that nobody knows is an error with a suggestion, never silently ignored.
 */
import { HarnessError } from '../../harness/core/errors.ts';
import type { JsonValue } from '../../harness/core/json.ts';
import { suggest } from '../../harness/core/suggest.ts';
import { type NodeName, parseDurationMs } from '../../harness/core/units.ts';
import type { Timing } from '../../harness/protocols/system.ts';
import { type QuorumRule, TARGET_WORDS, type TargetSpec } from '../targets.ts';

/** What a fault was asked to do, in JSON, as it stands in schedules and in histories. */
export type FaultOptions = Readonly<Record<string, JsonValue>>;

/** `in`: the target hears nothing. `out`: nobody hears the target. */
export const DIRECTIONS = ['both', 'in', 'out'] as const;
export type Direction = (typeof DIRECTIONS)[number];

const QUORUM_RULES = ['keep', 'ignore'] as const satisfies readonly QuorumRule[];
const TARGET_ALIASES: Readonly<Record<string, TargetSpec>> = {
  primaries: 'leaders',
  'new-leader': 'leader',
};

/** Where the options stand, for messages: `faults.json: entry 2 (partition)`. */
export interface Place {
  readonly options: FaultOptions;
  readonly where: string;
}

export function refuse(where: string, message: string): never {
  throw new HarnessError('bad-input', `${where}: ${message}`);
}

/** Throws unless every key is one of `allowed`. */
export function closed({ options, where }: Place, allowed: readonly string[]): void {
  for (const key of Object.keys(options)) {
    if (allowed.includes(key)) continue;
    refuse(where, `unknown option '${key}'${suggest(key, allowed)}; it takes ${list(allowed)}`);
  }
}

/** One of a few words, or `otherwise` when the option is absent. */
export function wordOf<W extends string, D>(
  { options, where }: Place,
  key: string,
  words: readonly W[],
  otherwise: D,
): W | D {
  const value = options[key];
  if (value === undefined) return otherwise;
  const word = words.find((candidate) => candidate === value);
  if (word !== undefined) return word;
  const hint = typeof value === 'string' ? suggest(value, words) : '';
  return refuse(
    where,
    `${key}: ${JSON.stringify(value)} is not known${hint}; write ${list(words)}`,
  );
}

export function directionOf(place: Place): Direction | undefined {
  return wordOf(place, 'direction', DIRECTIONS, undefined);
}

export function quorumOf(place: Place): QuorumRule {
  return wordOf(place, 'quorum', QUORUM_RULES, 'keep');
}

/** A word of `TARGET_WORDS`, one node's name, or a list of names. Whether they exist: later. */
export function targetOf({ options, where }: Place, otherwise: TargetSpec): TargetSpec {
  const value = options['target'];
  if (value === undefined) return otherwise;
  if (isNames(value)) return value;
  if (typeof value === 'string') {
    const word = TARGET_ALIASES[value] ?? TARGET_WORDS.find((candidate) => candidate === value);
    if (word !== undefined) return word;
    if (isName(value)) return [value];
  }
  const hint = typeof value === 'string' ? suggest(value, TARGET_WORDS) : '';
  return refuse(
    where,
    `target: ${JSON.stringify(value)} is nobody${hint}; ` +
      `write ${list(TARGET_WORDS)}, or node names such as ["n1", "n2"]`,
  );
}

/** The name of one node, or undefined when the option is absent. */
export function nodeOf({ options, where }: Place, key: string): NodeName | undefined {
  const value = options[key];
  if (value === undefined || isName(value)) return value;
  return refuse(where, `${key}: ${JSON.stringify(value)} is not the name of a node, such as "n1"`);
}

/** One name, or a list of names; undefined when the option is absent. */
export function nodesOf({ options, where }: Place, key: string): readonly NodeName[] | undefined {
  const value = options[key];
  if (value === undefined || isNames(value)) return value;
  if (isName(value)) return [value];
  const text = JSON.stringify(value);
  return refuse(
    where,
    `${key}: ${text} is not the name of a node, or a list of such: "n1", ["n1"]`,
  );
}

/** A grudge as JSON: `{ "n1": ["n2", "n3"] }`, n1 must not hear from n2 and n3. */
export function grudgeOf({ options, where }: Place): ReadonlyMap<NodeName, ReadonlySet<NodeName>> {
  const value = options['grudge'];
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  if (entries.length === 0 || Array.isArray(value))
    refuse(where, 'grudge: write {"n1": ["n2"]}: n1 must not hear from n2');
  return new Map(
    entries.map(([node, from]) => {
      if (!isName(node) || !isNames(from) || from.includes(node))
        refuse(where, `grudge: ${node}: write a list of the other nodes it must not hear from`);
      return [node, new Set(from)];
    }),
  );
}

/** A duration in milliseconds, of text such as `"200ms"` or `"2el"`. */
export function durationOf(
  { options, where }: Place,
  key: string,
  timing: Timing,
  otherwise: number,
): number {
  const value = options[key];
  if (value === undefined) return otherwise;
  if (typeof value !== 'string')
    refuse(where, `${key}: ${JSON.stringify(value)} is not a duration; write text such as "200ms"`);
  try {
    return parseDurationMs(value, `${where}: ${key}`, timing);
  } catch (error) {
    // A schedule is a file, not a flag.
    if (error instanceof HarnessError) throw new HarnessError('bad-input', error.message);
    throw error;
  }
}

/** A number above zero. */
export function amountOf({ options, where }: Place, key: string, otherwise: number): number {
  const value = options[key] ?? otherwise;
  if (typeof value === 'number' && value > 0 && Number.isFinite(value)) return value;
  return refuse(where, `${key}: ${JSON.stringify(value)} is not a number above 0`);
}

/** A whole number, 0 or more. */
export function countOf({ options, where }: Place, key: string, otherwise: number): number {
  const value = options[key] ?? otherwise;
  if (typeof value === 'number' && value >= 0 && Number.isSafeInteger(value)) return value;
  return refuse(where, `${key}: ${JSON.stringify(value)} is not a whole number, 0 or more`);
}

/** `true` or `false`. */
export function truthOf({ options, where }: Place, key: string, otherwise: boolean): boolean {
  const value = options[key] ?? otherwise;
  if (typeof value === 'boolean') return value;
  return refuse(where, `${key}: ${JSON.stringify(value)} is neither true nor false`);
}

export function list(words: readonly string[]): string {
  return words.join(', ');
}

export function isName(value: JsonValue): value is NodeName {
  return typeof value === 'string' && /^n\d+$/.test(value);
}

function isNames(value: JsonValue): value is readonly NodeName[] {
  return Array.isArray(value) && value.length > 0 && value.every((name) => isName(name));
}
