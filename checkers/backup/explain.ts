import { unreachable } from '../../harness/core/invariant.ts';
import type { JsonValue } from '../../harness/core/json.ts';
import type { History } from '../../harness/history/history.ts';
import type { Op } from '../../harness/history/op.ts';
import type { Anomaly } from '../../harness/protocols/checker.ts';
import { clientName, fromNode, momentText, shown } from '../text.ts';
import type { Fault } from './find.ts';
import type { Shown, Writer } from './ledger.ts';
import type { Taken } from './taken.ts';

export function anomalyOf(taken: Taken, fault: Fault, history: History): Anomaly {
  const other = otherOf(fault);
  const operations = [taken.invoke.index, ...(other === undefined ? [] : [other])];
  return {
    kind: fault.kind,
    ...('key' in fault && { key: fault.key }),
    ops: operations.flatMap((index) => entriesAt(index, history)).toSorted((a, b) => a - b),
    certificate: {
      backup: taken.invoke.index,
      ...(other !== undefined && { other }),
      ...(fault.kind === 'restored-same-id' && { what: fault.what }),
    },
    explanation: `${subject(taken)} ${textOf(taken, fault, history)}`,
  };
}

function otherOf(fault: Fault): number | undefined {
  switch (fault.kind) {
    case 'restored-same-id':
      return fault.live;
    case 'backup-stale':
      return fault.shown;
    case 'backup-lost-write':
    case 'backup-wrong-value':
      return fault.shown.invoke;
    case 'backup-phantom':
    case 'backup-wrong-revision':
      return fault.writer?.invoke;
    case 'backup-differs':
      return undefined;
    default:
      return unreachable(fault);
  }
}

function entriesAt(index: number, history: History): number[] {
  const pair = history.pairOf(index);
  return pair < 0 ? [index] : [index, pair];
}

/** `The backup that c3 took from n2 at 12.345 s was restored at revision 812:` */
function subject({ invoke, revision }: Taken): string {
  return (
    `The backup that ${clientName(invoke)} took${fromNode(invoke)} at ${momentText(invoke)} was ` +
    `restored at revision ${revision}.`
  );
}

function textOf(taken: Taken, fault: Fault, history: History): string {
  switch (fault.kind) {
    case 'restored-same-id':
      return sameIdText(fault, history);
    case 'backup-stale':
      return (
        `Before it was asked for, ${answered(history.op(fault.shown), history)} at revision ` +
        `${fault.revision}. Whoever asks for a backup after an answer must find it in there.`
      );
    case 'backup-lost-write':
      return lostText(taken, fault.key, fault.shown, history);
    case 'backup-wrong-value':
      return (
        `It holds ${held(taken, fault.key)}, but ${answered(history.op(fault.shown.invoke), history)} ` +
        `at that same revision. A revision gives a key one value.`
      );
    case 'backup-phantom':
      return phantomText(taken, fault.key, fault.writer, history);
    case 'backup-wrong-revision':
      return wrongRevisionText(taken, fault.key, fault.writer, history);
    case 'backup-differs':
      return differsText(taken);
    default:
      return unreachable(fault);
  }
}

function sameIdText(
  { what, id, live }: Extract<Fault, { kind: 'restored-same-id' }>,
  history: History,
): string {
  const told = history.op(live);
  const [is, mixes] =
    what === 'cluster'
      ? [
          'The new cluster',
          'Members of the old cluster and of the new one take each other for their own',
        ]
      : ['Its new member', 'Others take the old member and the new one for the same'];
  const who = told.node ?? 'a node';
  return (
    `${is} calls itself ${id}, and so does what it was taken from: ${who} said so in an answer to ` +
    `${clientName(told)} at ${momentText(told)}. ${mixes}, and what they hold mixes.`
  );
}

function lostText(taken: Taken, key: string, lost: Shown, history: History): string {
  const has = taken.keys.some(([each]) => each === key)
    ? `holds ${held(taken, key)}`
    : `has no ${key}`;
  return (
    `It ${has}, though ${answered(history.op(lost.invoke), history)} at revision ` +
    `${lost.revision}. What the store held at a revision is in a backup of that or a later one.`
  );
}

function phantomText(
  taken: Taken,
  key: string,
  writer: Writer | undefined,
  history: History,
): string {
  const value = held(taken, key);
  if (writer === undefined) return `It holds ${value}, a value that nobody ever tried to write.`;
  const { invoke, end } = writer;
  const op = history.op(invoke);
  const who = `${clientName(op)} sent it at ${momentText(op)}`;
  return end === 'failed'
    ? `It holds ${value}, a value that was never written: ${who} and was refused.`
    : `It holds ${value}, a value that nobody had sent before the backup was there: ${who}.`;
}

function wrongRevisionText(
  taken: Taken,
  key: string,
  writer: Writer | undefined,
  history: History,
): string {
  const value = held(taken, key);
  if (writer === undefined)
    return `It holds ${value}, a later one than its own: nothing in it can be newer than it is.`;
  return (
    `It holds ${value}, but ${answered(history.op(writer.invoke), history)} at revision ` +
    `${writer.revision}, and nobody else wrote this value. A backup keeps revisions as they are.`
  );
}

function differsText({ hash, source, invoke }: Taken): string {
  const node = invoke.node ?? 'the node';
  return (
    `All that it holds has the hash ${hexadecimal(hash.hash)} there, while ${node} itself said ` +
    `${hexadecimal(source?.hash ?? 0)} of the same revision after the same compaction. What was ` +
    'restored is not what was backed up.'
  );
}

/** `k3 = 41 at revision 300`, as the backup has it. */
function held(taken: Taken, key: string): string {
  const [, value = null, revision = 0] = taken.keys.find(([each]) => each === key) ?? [];
  return `${key} = ${shown(value)} of revision ${revision}`;
}

/** `c3 had its write of k3 = 41 acknowledged`, `c3 read k3 = 41`. */
function answered(invoke: Op, history: History): string {
  const { f, key = '', value } = invoke;
  const who = clientName(invoke);
  const pair = history.pairOf(invoke.index);
  const completion = pair < 0 ? undefined : history.op(pair);
  if (f === 'write' && value === null) return `${who} was told that ${key} is deleted`;
  if (f !== 'read' && completion?.type === 'ok') {
    const put = f === 'cas' && Array.isArray(value) ? (value as JsonValue[])[1] : value;
    return `${who} was told that ${key} = ${shown(put ?? null)} is written`;
  }
  const seen = f === 'read' ? completion?.value : completion?.seen;
  return `${who} was shown ${key} = ${shown(seen ?? null)}`;
}

function hexadecimal(one: number): string {
  return (one >>> 0).toString(16).padStart(8, '0');
}
