/** Claims about hashes of states, read straight from the entries of the history. */
import type { JsonValue } from '../../harness/core/json.ts';
import type { History } from '../../harness/history/history.ts';
import type { Anomaly } from '../../harness/protocols/checker.ts';
import { deedAt } from './deeds.ts';

interface Said {
  readonly node: string;
  readonly hash: JsonValue | undefined;
}

/** All answers are of different nodes about one moment, and not all are the same. */
export function replicasDiverge(anomaly: Anomaly, history: History): true | string {
  const said = answersOf(anomaly, history);
  if (typeof said === 'string') return said;
  if (new Set(said.map(({ node }) => node)).size !== said.length) return 'one node is named twice';
  return new Set(said.map(({ hash }) => hash)).size > 1 ? true : 'all of them said the same';
}

/** Two answers of one node about one moment, which differ. */
export function pastChanged(anomaly: Anomaly, history: History): true | string {
  const said = answersOf(anomaly, history);
  if (typeof said === 'string') return said;
  const [one, other] = said;
  if (said.length !== 2 || one?.node !== other?.node)
    return 'these are not two answers of one node';
  return one?.hash !== other?.hash ? true : 'the node said the same twice';
}

function answersOf({ certificate, ops }: Anomaly, history: History): Said[] | string {
  const { answers, revision, compactRevision } = certificate;
  if (!Array.isArray(answers)) return 'it names no answers';
  const said: Said[] = [];
  for (const index of answers as readonly JsonValue[]) {
    const deed = deedAt(history, index);
    if (typeof deed === 'string') return deed;
    const { invoke, completion, end } = deed;
    if (invoke.f !== 'hash' || end !== 'ok') return `entry ${invoke.index} asked for no hash`;
    if (!ops.includes(invoke.index)) return `entry ${invoke.index} is not among the operations`;
    const value = completion?.value as Readonly<Record<string, JsonValue>>;
    if (value['revision'] !== revision || value['compactRevision'] !== compactRevision)
      return `entry ${invoke.index} is about another revision`;
    said.push({ node: invoke.node ?? '', hash: value['hash'] });
  }
  return said;
}
