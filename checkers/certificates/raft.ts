/** A second opinion on broken properties of Raft: does what was seen contradict itself? */
import type { JsonValue } from '../../harness/core/json.ts';
import type { History } from '../../harness/history/history.ts';
import type { Anomaly } from '../../harness/protocols/checker.ts';

/** A field of a field of a certificate. */
type Look = (...path: readonly string[]) => JsonValue | undefined;

/** By kind: whether this is a contradiction, whatever else the nodes did. */
const CONTRADICTIONS: Readonly<Record<string, (at: Look) => boolean>> = {
  'election-safety': (at) =>
    at('first', 'node') !== at('second', 'node') || at('first', 'life') !== at('second', 'life'),
  'leader-append-only': (at) =>
    JSON.stringify(at('had')) !== JSON.stringify(at('has')) && at('had') !== undefined,
  'log-matching': (at) =>
    at('first', 'term') === at('second', 'term') &&
    (at('first', 'previousTerm') !== at('second', 'previousTerm') ||
      at('first', 'content') !== at('second', 'content')),
  'leader-completeness': (at) =>
    Number(at('committed', 'by')) < Number(at('term')) && at('has') !== at('committed', 'term'),
  'state-machine-safety': (at) =>
    at('first', 'term') !== at('second', 'term') ||
    at('first', 'content') !== at('second', 'content'),
};

/** Undefined: the anomaly is not about Raft's properties. True, or what does not hold. */
export function recheckRaft(
  { kind, certificate }: Anomaly,
  history: History,
): true | string | undefined {
  const contradicts = CONTRADICTIONS[kind];
  if (contradicts === undefined) return undefined;
  const { entry, ...claimed } = certificate;
  if (typeof entry !== 'number' || !(entry >= 0 && entry < history.length))
    return 'it names no entry';
  const { process, f, value } = history.op(entry);
  if (process !== 'observer' || f !== 'raft-invariant')
    return `entry ${entry} is nothing that was seen inside a node`;
  if (JSON.stringify(value) !== JSON.stringify(claimed))
    return `entry ${entry} says something else`;
  if (claimed['property'] !== kind) return `entry ${entry} is about another property`;
  const at: Look = (...path) =>
    path.reduce<JsonValue | undefined>(
      (inside, name) => (inside as Readonly<Record<string, JsonValue>> | undefined)?.[name],
      claimed,
    );
  return contradicts(at) ? true : 'what was seen is no contradiction';
}
