import type { Op } from '../harness/history/op.ts';
import type { Anomaly, Checker, CheckResult } from '../harness/protocols/checker.ts';
import type {
  BrokenInvariant,
  Copy,
  InvariantCounts,
  InvariantName,
} from '../harness/protocols/invariants.ts';
import { counted, momentText } from './text.ts';

const NAMES: Readonly<Record<InvariantName, string>> = {
  'election-safety': 'Election Safety',
  'leader-append-only': 'Leader Append-Only',
  'log-matching': 'Log Matching',
  'leader-completeness': 'Leader Completeness',
  'state-machine-safety': 'State Machine Safety',
};

/**
 * Whether Raft's own properties held inside the nodes. Only a simulator can look into them; where
 * nobody did, this says so and accuses nobody. What clients saw is for the other checkers.
 */
export function invariants(): Checker {
  return {
    name: 'invariants',
    check: (history) => {
      const anomalies: Anomaly[] = [];
      let covered = 'nothing: nobody looks into the nodes of this system';
      for (const op of history.observations()) {
        if (op.f === 'raft-invariants') covered = coveredBy(op.value as unknown as InvariantCounts);
        const broken = op.f === 'raft-invariant' ? brokenIn(op) : undefined;
        if (broken !== undefined) anomalies.push(anomalyOf(op, broken));
      }
      const verdict = anomalies.length > 0 ? 'invalid' : 'valid';
      const result: CheckResult = {
        checker: 'invariants',
        verdict,
        anomalies,
        covered,
        details: {},
      };
      return Promise.resolve(result);
    },
  };
}

function coveredBy({ steps, elections, applied }: InvariantCounts): string {
  const what = [
    counted(steps, 'step'),
    `${counted(elections, 'term')} with a leader`,
    counted(applied, 'applied entry', 'applied entries'),
  ];
  return `Raft's five properties after each of ${what.join(', ')}`;
}

/** Undefined: not one of the properties that are known here. */
function brokenIn({ value }: Op): BrokenInvariant | undefined {
  const broken = value as unknown as BrokenInvariant | null;
  return broken !== null && Object.hasOwn(NAMES, broken.property) ? broken : undefined;
}

function anomalyOf(op: Op, broken: BrokenInvariant): Anomaly {
  return {
    kind: broken.property,
    ops: [op.index],
    certificate: { entry: op.index, ...(op.value as Anomaly['certificate']) },
    explanation:
      `${sentence(broken)} This breaks Raft's ${NAMES[broken.property]}; it was seen inside the ` +
      `nodes by ${momentText(op)}.`,
  };
}

function sentence(broken: BrokenInvariant): string {
  switch (broken.property) {
    case 'election-safety': {
      const { term, first, second } = broken;
      if (first.node !== second.node)
        return `${first.node} and ${second.node} were both elected leader in term ${term}.`;
      const lives = `in its lives ${first.life} and ${second.life}`;
      return `${first.node} was elected leader twice in term ${term}, ${lives}.`;
    }
    case 'leader-append-only': {
      const { node, term, index, had, has } = broken;
      const did = has === null ? 'dropped' : 'replaced';
      const by = has === null ? '' : ` by one of term ${has.term}`;
      return `${node}, leader of term ${term}, ${did} entry ${index} of its own log, of term ${had.term}${by}.`;
    }
    case 'log-matching': {
      const { index, term, first, second } = broken;
      const differs =
        first.content === second.content
          ? `after entries of different terms: ${after(first)}, ${after(second)}`
          : `but not the same one: ${first.content} and ${second.content}`;
      return `${both(first, second)} have had an entry ${index} of term ${term}, ${differs}.`;
    }
    case 'leader-completeness': {
      const { node, term, index, committed, has } = broken;
      const instead = has === null ? 'its log ends before it' : `it has one of term ${has} there`;
      return (
        `${node} leads term ${term} without entry ${index} of term ${committed.term}, which ` +
        `${committed.node} knew to be committed in term ${committed.by}: ${instead}.`
      );
    }
    case 'state-machine-safety': {
      const { index, first, second } = broken;
      return (
        `Different entries ${index} were applied: one of term ${first.term} (${first.content}) by ` +
        `${first.node}, one of term ${second.term} (${second.content}) by ${second.node}.`
      );
    }
  }
}

function both(first: Copy, second: Copy): string {
  return first.node === second.node
    ? `Two logs of ${first.node}`
    : `The logs of ${first.node} and ${second.node}`;
}

function after({ node, previousTerm }: Copy): string {
  return `${previousTerm ?? 'none'} on ${node}`;
}
