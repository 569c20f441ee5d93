/**
 * How planted bugs of raftkv are seen on real processes. A machine that does other things too is
 * no simulator: the same words are played a few times, and one of the runs must show the bug.
 */
import type { Bug } from '../cluster/raftkv/bugs.ts';
import { type CanaryRun, scheduled, wordsOf } from './raftkv-canaries.ts';

export interface ProcessCanary {
  readonly bug: Bug;
  readonly run: CanaryRun;
  /** Within so many runs, with the seeds 1, 2, ..., it must be seen. */
  readonly tries: number;
  /** Each of them says that it was seen; which one depends on who asked when. */
  readonly expected: readonly string[];
  /** Played at every commit: quick, and seen by nearly every run. */
  readonly isQuick: boolean;
}

/** The words of the command line for one try, from 1 on, without the bug. */
export function processWordsOf({ run }: ProcessCanary, attempt: number): string[] {
  return wordsOf({ run, seed: attempt });
}

/** What a user types to see it, if the first try shows it. */
export function processCommandOf(canary: ProcessCanary): string {
  return ['schism run --bug', canary.bug, ...processWordsOf(canary, 1)].join(' ');
}

export const PROCESS_CANARIES: readonly ProcessCanary[] = [
  {
    bug: 'stale-leader-read',
    run: {
      workload: 'reads',
      nodes: 3,
      rate: 200,
      seconds: 6,
      faults: scheduled('isolate-leader'),
    },
    tries: 3,
    expected: ['stale-read'],
    isQuick: true,
  },
  {
    bug: 'stale-lease-read',
    run: {
      workload: 'reads',
      nodes: 3,
      rate: 200,
      seconds: 5,
      faults: scheduled('pause-and-isolate-leader'),
    },
    tries: 5,
    expected: ['stale-read'],
    isQuick: true,
  },
  {
    bug: 'read-index-retry',
    run: {
      workload: 'reads',
      nodes: 3,
      rate: 200,
      seconds: 15,
      faults: scheduled('slow-then-deaf'),
      options: '-W read-timeout=2000',
    },
    tries: 10,
    expected: ['stale-read', 'split-brain-read', 'non-monotonic-read'],
    isQuick: false,
  },
  {
    bug: 'dirty-read',
    run: {
      workload: 'reads',
      nodes: 3,
      rate: 400,
      seconds: 6,
      faults: scheduled('isolate-leader'),
      options: '--clients 6n -W keys=2',
    },
    tries: 5,
    expected: ['two-values-at-one-revision', 'two-keys-at-one-revision', 'phantom-read'],
    isQuick: false,
  },
  {
    bug: 'ack-before-commit',
    run: {
      workload: 'register',
      nodes: 3,
      rate: 400,
      seconds: 9,
      faults: scheduled('isolate-leader'),
      options: '--clients 8n',
    },
    tries: 5,
    expected: ['lost-write', 'stale-read', 'not-linearizable'],
    isQuick: false,
  },
  {
    bug: 'ack-before-write',
    run: { workload: 'register', nodes: 3, rate: 400, seconds: 7, faults: scheduled('kill-all') },
    tries: 5,
    expected: ['lost-write', 'stale-read'],
    isQuick: false,
  },
  {
    bug: 'stale-log-vote',
    run: {
      workload: 'register',
      nodes: 3,
      rate: 200,
      seconds: 13,
      faults: scheduled('kill-leader-before-heal'),
    },
    tries: 10,
    expected: ['lost-write', 'stale-read', 'replicas-diverge'],
    isQuick: false,
  },
  {
    bug: 'even-quorum',
    run: { workload: 'register', nodes: 4, rate: 200, seconds: 5, faults: scheduled('halves') },
    tries: 3,
    expected: ['stale-read', 'lost-write'],
    isQuick: true,
  },
  {
    bug: 'no-truncate',
    run: {
      workload: 'register,reads',
      nodes: 3,
      rate: 200,
      seconds: 8,
      faults: scheduled('isolate-leader'),
    },
    tries: 3,
    expected: ['two-values-at-one-revision', 'two-keys-at-one-revision', 'replicas-diverge'],
    isQuick: false,
  },
  {
    bug: 'learner-votes',
    run: {
      workload: 'register',
      nodes: 4,
      rate: 100,
      seconds: 8,
      faults: scheduled('learner-then-halves'),
      options: '-O strict-reconfig-check=false',
    },
    tries: 3,
    expected: ['stale-read', 'lost-write'],
    isQuick: false,
  },
  {
    bug: 'removed-member-votes',
    run: {
      workload: 'register',
      nodes: 4,
      rate: 100,
      seconds: 6,
      faults: scheduled('removal-then-halves'),
      options: '-O strict-reconfig-check=false',
    },
    tries: 3,
    expected: ['stale-read', 'lost-write'],
    isQuick: true,
  },
  {
    bug: 'snapshot-tail',
    run: {
      workload: 'register,reads',
      nodes: 3,
      rate: 300,
      seconds: 9,
      faults: scheduled('isolate-leader'),
      options: '-O snapshot-count=50 -O snapshot-catchup-entries=10',
    },
    tries: 4,
    expected: ['two-values-at-one-revision', 'two-keys-at-one-revision', 'replicas-diverge'],
    isQuick: false,
  },
  {
    bug: 'compaction-restart',
    run: {
      workload: 'register,reads',
      nodes: 3,
      rate: 5,
      seconds: 19,
      faults: scheduled('compact-then-restart'),
      options: '--clients 10n -W deletes=90',
    },
    tries: 5,
    expected: ['two-keys-at-one-revision', 'two-values-at-one-revision'],
    isQuick: false,
  },
  {
    bug: 'consistent-index',
    run: {
      workload: 'register',
      nodes: 3,
      rate: 200,
      seconds: 6,
      faults: '--fault kill',
    },
    tries: 3,
    expected: ['replicas-diverge', 'lost-write', 'phantom-read'],
    isQuick: false,
  },
  {
    bug: 'txn-race',
    run: { workload: 'register', nodes: 3, rate: 500, seconds: 6, faults: '--no-faults' },
    tries: 5,
    expected: ['split-brain-cas'],
    isQuick: true,
  },
  {
    bug: 'retry-twice',
    run: {
      workload: 'register',
      nodes: 3,
      rate: 400,
      seconds: 10,
      faults: scheduled('one-way-to-leader'),
      options: '--clients 8n --client-timeout 4s',
    },
    tries: 5,
    expected: ['split-brain-cas', 'lost-write', 'phantom-read', 'stale-read'],
    isQuick: false,
  },
  {
    bug: 'compact-live',
    run: {
      workload: 'register',
      nodes: 3,
      rate: 100,
      seconds: 4,
      faults: '--fault compact --fault-interval 500ms',
    },
    tries: 3,
    expected: ['lost-write', 'stale-read'],
    isQuick: true,
  },
];
