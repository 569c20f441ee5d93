/** Do all replicas hold the same? Compares what nodes said of their state at one revision. */
import type { JsonValue } from '../harness/core/json.ts';
import type { NodeName } from '../harness/core/units.ts';
import type { History } from '../harness/history/history.ts';
import type { Op } from '../harness/history/op.ts';
import type { Anomaly, CheckContext, Checker, CheckResult } from '../harness/protocols/checker.ts';
import type { HashDetails } from '../harness/protocols/details.ts';
import type { StateHash } from '../harness/protocols/maintenance.ts';
import { counted, momentText } from './text.ts';

/** One node's answer. */
interface Answer extends StateHash {
  readonly node: NodeName;
  readonly invoke: Op;
  readonly completion: Op;
}

/** All answers about one revision after one compaction, in order of their completion. */
interface Moment {
  readonly revision: number;
  readonly compactRevision: number;
  readonly answers: readonly Answer[];
}

/**
 * A state machine is deterministic, so what two replicas hold at one revision is the same, hash by
 * hash; and what one replica holds at a revision never changes. Where the store has compacted
 * differently much, hashes say nothing about each other.
 */
export function hash(): Checker {
  return {
    name: 'hash',
    check: (history, ctx) => Promise.resolve(resultOf(history, ctx)),
    // Two answers disagree or they do not, whatever else was asked.
    removals: (history) => ({
      operations: new Set(Array.from(history.operations(), ({ invoke }) => invoke.index)),
      keys: true,
      ends: true,
    }),
  };
}

function resultOf(history: History, { nodes }: CheckContext): CheckResult {
  const asked = new Set<NodeName>();
  for (const { invoke } of history.operations())
    if (invoke.f === 'hash' && invoke.node !== undefined) asked.add(invoke.node);
  const moments = momentsOf(history);
  const compared = nodesOf(moments.filter((moment) => nodesOf([moment]).size > 1));
  const anomalies = [diverged(moments), changed(moments)].filter((found) => found !== undefined);
  const details: HashDetails = {
    moments: moments.map(({ revision, compactRevision, answers }) => ({
      revision,
      compactRevision,
      nodes: Object.fromEntries(answers.map(({ node, hash: one }) => [node, one])),
    })),
    alone: [...asked].filter((node) => !compared.has(node)),
  };
  const base = {
    checker: 'hash',
    anomalies,
    covered: coveredText({ asked, compared, moments, nodes }),
    details: details as unknown as CheckResult['details'],
  };
  if (anomalies.length > 0) return { ...base, verdict: 'invalid' };
  const answered = nodesOf(moments);
  if (answered.size < 2 || compared.size > 1) return { ...base, verdict: 'valid' };
  const reason =
    `${counted(answered.size, 'node')} said a hash, but no two of the same revision after the ` +
    'same compaction, so nothing is known of whether they hold the same.';
  return { ...base, verdict: 'unknown', reason };
}

function momentsOf(history: History): Moment[] {
  const answers: Answer[] = [];
  for (const { invoke, completion } of history.operations()) {
    if (invoke.f !== 'hash' || completion?.type !== 'ok' || invoke.node === undefined) continue;
    const state = stateHashOf(completion.value);
    if (state !== undefined) answers.push({ ...state, node: invoke.node, invoke, completion });
  }
  answers.sort((a, b) => a.completion.index - b.completion.index);
  const groups = Map.groupBy(answers, (one) => `${one.revision} ${one.compactRevision}`);
  return [...groups.values()]
    .flatMap((group) => {
      const [first] = group;
      if (first === undefined) return [];
      const { revision, compactRevision } = first;
      return [{ revision, compactRevision, answers: group }];
    })
    .toSorted((a, b) => a.revision - b.revision || a.compactRevision - b.compactRevision);
}

/** Histories come from files, so the shape is looked at before it is believed. */
function stateHashOf(value: JsonValue): StateHash | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { hash: one, revision, compactRevision } = value as Readonly<Record<string, JsonValue>>;
  if (typeof one !== 'number') return undefined;
  if (typeof revision !== 'number' || typeof compactRevision !== 'number') return undefined;
  return { hash: one, revision, compactRevision };
}

function nodesOf(moments: readonly Moment[]): Set<NodeName> {
  return new Set(moments.flatMap(({ answers }) => answers.map(({ node }) => node)));
}

/** At the lowest revision where it shows: what came later differs because of it. */
function diverged(moments: readonly Moment[]): Anomaly | undefined {
  for (const moment of moments) {
    const { revision, compactRevision } = moment;
    // The first answer of each: that a node changes its mind is another anomaly.
    const first = new Map<NodeName, Answer>();
    for (const answer of moment.answers)
      if (!first.has(answer.node)) first.set(answer.node, answer);
    const answers = [...first.values()].toSorted((a, b) => (a.node < b.node ? -1 : 1));
    const camps = [...Map.groupBy(answers, (answer) => answer.hash)].toSorted(
      ([, a], [, b]) => b.length - a.length,
    );
    if (camps.length < 2) continue;
    const held = camps.map(([one, camp]) => `${namesOf(camp)} said ${hexadecimal(one)}`);
    return {
      kind: 'replicas-diverge',
      ops: entriesOf(answers),
      certificate: certificateOf(moment, answers),
      explanation:
        `Asked for the hash of all they hold at revision ${revision}${since(compactRevision)}, ` +
        `${held.slice(0, -1).join(', ')} and ${held.at(-1)}. ` +
        `${oddText(camps, answers.length)} The same changes in the same order leave one state ` +
        'on every node; here the copies of the store are no copies of each other any more.',
    };
  }
  return undefined;
}

function oddText(camps: readonly (readonly [number, readonly Answer[]])[], all: number): string {
  const [[, most] = [0, []], ...others] = camps;
  if (2 * most.length <= all) return 'No state is held by more than half of them.';
  const odd = others.flatMap(([, camp]) => camp);
  return `${namesOf(odd)} ${odd.length === 1 ? 'differs' : 'differ'} from the majority.`;
}

/** One node, one revision, two states. */
function changed(moments: readonly Moment[]): Anomaly | undefined {
  for (const moment of moments) {
    const { revision, compactRevision } = moment;
    for (const [node, said] of Map.groupBy(moment.answers, (answer) => answer.node)) {
      const [one] = said;
      const other = said.find((answer) => answer.hash !== one?.hash);
      if (one === undefined || other === undefined) continue;
      return {
        kind: 'past-changed',
        ops: entriesOf([one, other]),
        certificate: certificateOf(moment, [one, other]),
        explanation:
          `Asked for the hash of all it held at revision ${revision}${since(compactRevision)}, ` +
          `${node} said ${hexadecimal(one.hash)} at ${momentText(one.completion)} and ` +
          `${hexadecimal(other.hash)} at ${momentText(other.completion)}. A revision names one ` +
          'state for ever; here it names two.',
      };
    }
  }
  return undefined;
}

function certificateOf(
  { revision, compactRevision }: Moment,
  answers: readonly Answer[],
): Anomaly['certificate'] {
  return { revision, compactRevision, answers: answers.map(({ invoke }) => invoke.index) };
}

function entriesOf(answers: readonly Answer[]): number[] {
  return answers
    .flatMap(({ invoke, completion }) => [invoke.index, completion.index])
    .toSorted((a, b) => a - b);
}

/** ` (compacted at 30)`, or nothing where nothing was. */
function since(compactRevision: number): string {
  return compactRevision > 0 ? ` (compacted at ${compactRevision})` : '';
}

/** `n1, n2 and n5`. */
function namesOf(answers: readonly Answer[]): string {
  const names = answers.map(({ node }) => node).toSorted();
  const last = names.at(-1) ?? '';
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} and ${last}`;
}

function hexadecimal(one: number): string {
  return (one >>> 0).toString(16).padStart(8, '0');
}

interface Coverage {
  readonly asked: ReadonlySet<NodeName>;
  readonly compared: ReadonlySet<NodeName>;
  readonly moments: readonly Moment[];
  readonly nodes: readonly NodeName[];
}

function coveredText({ asked, compared, moments, nodes }: Coverage): string {
  if (asked.size === 0) return 'nothing was compared: no node was asked for its hash';
  if (compared.size < 2)
    return `nothing was compared: ${nodesOf(moments).size} of ${counted(asked.size, 'node')} answered`;
  const last = moments.findLast((moment) => nodesOf([moment]).size > 1);
  const count = Math.max(nodes.length, asked.size);
  return `${compared.size} of ${counted(count, 'node')} compared, up to revision ${last?.revision}`;
}
