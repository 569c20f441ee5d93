/** Turns a finding into an anomaly: roles by index, and sentences that say only what they prove. */
import { unreachable } from '../../harness/core/invariant.ts';
import type { JsonValue } from '../../harness/core/json.ts';
import type { Anomaly } from '../../harness/protocols/checker.ts';
import { type KeyOp, modeOf } from '../key-history.ts';
import { casParts, producedBy, requiredBy } from '../models/register.ts';
import { held, nounOf, observation, registerName, thisOp } from '../sentences.ts';
import { clientName, counted, momentText, shown, spanText } from '../text.ts';
import type { Finding, Span } from './refute.ts';
import type { ReusedValueRead } from './reused-values.ts';

type Roles = Readonly<Record<string, KeyOp | undefined>>;

export function anomalyOf(key: string, finding: Finding): Anomaly {
  if (finding.kind === 'reused-value-read') return reusedValueAnomaly(key, finding);
  const { kind, ...rest } = finding;
  const roles: Roles =
    kind === 'split-brain-read'
      ? {
          proof: finding.one.proof,
          last: finding.one.last,
          otherProof: finding.other.proof,
          otherLast: finding.other.last,
        }
      : (rest as Roles);
  return {
    kind,
    key,
    ops: entriesOf(Object.values(roles).filter((op) => op !== undefined)),
    certificate: certificateOf(roles),
    explanation: sentences(registerName(key), finding),
  };
}

/** Stale if another value was left after all who wrote this one, else it went back in time. */
function reusedValueAnomaly(key: string, finding: ReusedValueRead): Anomaly {
  const { older, newer, read } = finding;
  const roles = { ...(older !== undefined && { older }), newer, read };
  return {
    kind: producedBy(newer.call) === undefined ? 'non-monotonic-read' : 'stale-read',
    key,
    ops: entriesOf(Object.values(roles)),
    certificate: { by: 'writers', ...certificateOf(roles) },
    explanation: sentences(registerName(key), finding),
  };
}

/** Indices of the invocations and completions of some operations, in order. */
export function entriesOf(ops: readonly KeyOp[]): number[] {
  const entries = new Set<number>();
  for (const { start, completion } of ops) {
    entries.add(start);
    if (completion !== undefined) entries.add(completion.index);
  }
  return [...entries].toSorted((a, b) => a - b);
}

/** Each role by the index of its invocation; null: the register's first value, or nobody. */
function certificateOf(roles: Roles): Anomaly['certificate'] {
  const certificate: Record<string, JsonValue> = {};
  for (const [role, op] of Object.entries(roles)) certificate[role] = op?.start ?? null;
  return certificate;
}

function sentences(key: string, finding: Finding): string {
  switch (finding.kind) {
    case 'phantom-read':
      return `Client ${observation(key, finding.read)}. Nobody ever wrote that value.`;
    case 'read-of-failed-write': {
      const { read, failed } = finding;
      const who = `${clientName(failed.invoke)} sent it at ${momentText(failed.invoke)}`;
      return (
        `Client ${observation(key, read)}. That value was never stored: ${who} and was told that ` +
        'it had failed and would never take effect. Nobody else wrote it.'
      );
    }
    case 'future-read':
      return futureRead(key, finding.read, finding.write);
    case 'refused-matching-cas':
      return `Client ${observation(key, finding.cas)}. That is just what it expected to see.`;
    case 'split-brain-cas':
      return doubleWin(key, finding.write, finding.first, finding.second);
    case 'lost-write':
    case 'stale-read':
      return outOfDate(key, finding);
    case 'non-monotonic-read':
      return backwards(key, finding);
    case 'split-brain-read':
      return bothThere(key, finding.one, finding.other);
    case 'reused-value-read':
      return overwrittenForGood(key, finding);
    default:
      return unreachable(finding);
  }
}

function futureRead(key: string, read: KeyOp, write: KeyOp): string {
  const { invoke } = write;
  const after = spanText(between(read.completion, invoke));
  return (
    `Client ${observation(key, read)}. The value comes from the future: the first to send it was ` +
    `${clientName(invoke)}, ${after} after ${thisOp(read)} had ended.`
  );
}

function doubleWin(key: string, write: KeyOp | undefined, first: KeyOp, second: KeyOp): string {
  const { from } = casParts(first.call.input);
  const once =
    write === undefined
      ? `${key} was ${shown(from)} only at the start`
      : `that value was written only once, by ${clientName(write.invoke)}`;
  return (
    `Two clients were both told that they had changed ${key} from ${shown(from)}: ` +
    `${clientName(first.invoke)} to ${shown(casParts(first.call.input).to)} ` +
    `(sent at ${momentText(first.invoke)}) and ${clientName(second.invoke)} to ` +
    `${shown(casParts(second.call.input).to)} (sent at ${momentText(second.invoke)}). ` +
    `Only one of them can have found it, since ${once}.`
  );
}

function outOfDate(key: string, finding: Finding & { kind: 'stale-read' | 'lost-write' }): string {
  const { older, newer, read } = finding;
  const told = spanText(between(newer.completion, read.invoke));
  const parts = [
    `Client ${observation(key, read)}. That value was out of date: ${clientName(newer.invoke)} ` +
      `had been told that ${held(key, newer)} was stored ${told} before ${thisOp(read)} began, and ` +
      `${earlier(key, older, newer, read)}.`,
    noOrder(key, older, newer, read),
  ];
  if (finding.kind === 'lost-write')
    parts.push(
      read.invoke.phase === 'final'
        ? `The acknowledged write is gone: no final ${modeOf(read.invoke)} read that began after it shows it.`
        : `The acknowledged write is gone: a cas from the value before it succeeded.`,
    );
  return parts.join(' ');
}

function overwrittenForGood(key: string, finding: ReusedValueRead): string {
  const { older, writers, newer, read } = finding;
  const value = shown(requiredBy(read.call) ?? null);
  const gap = spanText(between(newer.completion, read.invoke));
  const another =
    producedBy(newer.call) === undefined
      ? `${key} went back in time: ${clientName(newer.invoke)}'s ${nounOf(newer)} had ` +
        `${denial(newer, value)}, and had ended ${gap} before ${thisOp(read)} began`
      : `That value was out of date: ${clientName(newer.invoke)} had been told that ` +
        `${held(key, newer)} was stored ${gap} before ${thisOp(read)} began`;
  const since = spanText(between(older?.completion, newer.invoke));
  const sent = requiredBy(read.call) === null ? `made ${key} absent` : `sent ${value}`;
  const before =
    older === undefined
      ? `nobody had ${sent} by then`
      : writers === 1
        ? `the only one who had ${sent} by then, ${clientName(older.invoke)}, had been ` +
          `answered ${since} before that ${nounOf(newer)} was sent`
        : `${writers === 2 ? 'both' : `all ${writers}`} operations that had ${sent} by then had ` +
          `been answered before that ${nounOf(newer)} was sent, the last one ${since} before`;
  return (
    `Client ${observation(key, read)}. ${another}, and ${before}. Nobody ${sent} again before ` +
    `${thisOp(read)} had ended, so no order has ${value} there for it.`
  );
}

/** What an observation says of a value that it did not find. */
function denial({ call }: KeyOp, value: string): string {
  const seen = requiredBy(call);
  return seen === undefined ? `not found ${value}` : `already shown ${shown(seen)}`;
}

/** That the older value was there before `next` was sent. */
function earlier(key: string, older: KeyOp | undefined, next: KeyOp, read: KeyOp): string {
  if (older === undefined) {
    const first = shown(requiredBy(read.call) ?? null);
    return `${key} was ${first} only before the first write`;
  }
  const gap = spanText(between(older.completion, next.invoke));
  const what = `${gap} before that ${nounOf(next)} was sent`;
  return older.call.f === 'write' || older.call.outcome === 'indefinite'
    ? `${shown(older.call.input)} was stored ${what}`
    : `${clientName(older.invoke)}'s ${nounOf(older)} that shows the older value had ended ${what}`;
}

function noOrder(key: string, older: KeyOp | undefined, ...others: readonly KeyOp[]): string {
  const [read] = others.slice(-1);
  const count = others.length + (older === undefined ? 0 : 1);
  const value = read === undefined ? null : (requiredBy(read.call) ?? null);
  const why =
    older === undefined
      ? `nobody ever set ${key} back to ${shown(value)}`
      : `${shown(value)} was written only once`;
  const noun = read === undefined ? 'read' : nounOf(read);
  return `No order of these ${NUMBERS[count] ?? count} operations explains the ${noun}: ${why}.`;
}

const NUMBERS: Readonly<Record<number, string>> = { 2: 'two', 3: 'three', 4: 'four' };

function backwards(key: string, finding: Finding & { kind: 'non-monotonic-read' }): string {
  const { older, newer, newerWrite, read } = finding;
  const gap = spanText(between(newer.completion, read.invoke));
  const seen = shown(requiredBy(newer.call) ?? null);
  const since = newerWrite ?? newer;
  const source =
    newerWrite === undefined ? '' : `, which only ${clientName(newerWrite.invoke)} wrote`;
  return (
    `Client ${observation(key, read)}. ${key} went back in time: ${clientName(newer.invoke)}'s ` +
    `${nounOf(newer)} had already shown ${seen}${source}, and had ended ${gap} before ` +
    `${thisOp(read)} began, and ${earlier(key, older, since, read)}. ` +
    noOrder(key, older, ...(newerWrite === undefined ? [] : [newerWrite]), newer, read)
  );
}

function bothThere(key: string, one: Span, other: Span): string {
  const span = ({ proof, last }: Span): string => {
    const value = shown(requiredBy(last.call) ?? null);
    const from = proof?.completion === undefined ? 'the start' : momentText(proof.completion);
    return `${value} from ${from} (at the latest) to ${momentText(last.invoke)} (at least)`;
  };
  const count = counted(
    [one, other].filter(({ proof }) => proof !== undefined).length + 2,
    'operation',
  );
  return (
    `${key} had two values at the same time. It held ${span(one)}, as ` +
    `${clientName(one.last.invoke)}'s ${nounOf(one.last)} shows, and ${span(other)}, as ` +
    `${clientName(other.last.invoke)}'s ${nounOf(other.last)} shows. Each appeared only once, so ` +
    `no order explains these ${count}.`
  );
}

function between(
  from: { readonly time: number } | undefined,
  to: { readonly time: number },
): number {
  return from === undefined ? 0 : Math.max(0, to.time - from.time);
}
