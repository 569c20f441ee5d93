/**
 * How each planted bug of raftkv is seen from outside: recorded runs of the simulator, each with
 * the words of its command line. What finds them knows the workload and the faults, never the bug.
 */
import type { Bug } from '../cluster/raftkv/bugs.ts';

/** What `schism run` is told beside backend, bug and seed; paths are from the repository. */
export interface CanaryRun {
  readonly workload: 'register' | 'reads' | 'register,reads';
  readonly nodes: number;
  /** Operations each second. */
  readonly rate: number;
  /** Seconds of the main phase, in the time of the run. */
  readonly seconds: number;
  /** A recorded schedule, or flags of a random one. */
  readonly faults: string;
  /** Clients, and options of workload and system. */
  readonly options?: string;
}

export interface Canary {
  readonly bug: Bug;
  readonly run: CanaryRun;
  readonly seed: number;
  /** Each of these is among what the checkers report. */
  readonly expected: readonly string[];
}

/** The words of the command line, without the bug. */
export function wordsOf({ run, seed }: Pick<Canary, 'run' | 'seed'>): string[] {
  const { workload, nodes, rate, seconds, faults, options = '' } = run;
  const text =
    `--workload ${workload} --nodes ${nodes} --rate ${rate} --quiet-start 500ms ` +
    `--duration ${seconds}s ${options} ${faults} --seed ${seed}`;
  return text.split(' ').filter((word) => word !== '');
}

/** What a user types to see it. */
export function commandOf(canary: Canary): string {
  return ['schism run --backend sim --bug', canary.bug, ...wordsOf(canary)].join(' ');
}

/** The flags of a recorded schedule. */
export const scheduled = (name: string): string => `--schedule regressions/schedules/${name}.json`;

export const CANARIES: readonly Canary[] = [
  {
    bug: 'stale-leader-read',
    run: {
      workload: 'reads',
      nodes: 3,
      rate: 200,
      seconds: 5,
      faults: scheduled('isolate-leader'),
    },
    seed: 1,
    expected: ['stale-read'],
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
    seed: 1,
    expected: ['stale-read'],
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
    seed: 1,
    expected: ['stale-read'],
  },
  {
    bug: 'dirty-read',
    run: {
      workload: 'reads',
      nodes: 3,
      rate: 400,
      seconds: 5,
      faults: scheduled('isolate-leader'),
      options: '--clients 6n -W keys=2',
    },
    seed: 1,
    expected: ['two-keys-at-one-revision'],
  },
  {
    bug: 'ack-before-commit',
    run: {
      workload: 'register',
      nodes: 3,
      rate: 400,
      seconds: 5,
      faults: scheduled('isolate-leader'),
      options: '--clients 8n',
    },
    seed: 1,
    expected: ['lost-write'],
  },
  {
    bug: 'ack-before-write',
    run: { workload: 'register', nodes: 3, rate: 200, seconds: 6, faults: scheduled('kill-all') },
    seed: 1,
    expected: ['lost-write'],
  },
  {
    bug: 'ack-before-fsync',
    run: {
      workload: 'register',
      nodes: 3,
      rate: 500,
      seconds: 6,
      faults: '--fault power --fault-interval 400ms --fault-duration 300ms',
    },
    seed: 3,
    expected: ['lost-write'],
  },
  {
    bug: 'vote-not-persisted',
    run: {
      workload: 'register,reads',
      nodes: 3,
      rate: 300,
      seconds: 5,
      faults: scheduled('restart-followers'),
      options: '--clients 6n',
    },
    seed: 1,
    expected: ['stale-read', 'replicas-diverge'],
  },
  {
    bug: 'stale-log-vote',
    run: {
      workload: 'register',
      nodes: 3,
      rate: 200,
      seconds: 12,
      faults: scheduled('kill-leader-before-heal'),
    },
    seed: 4,
    expected: ['stale-read', 'lost-write'],
  },
  {
    bug: 'figure-8',
    run: {
      workload: 'register,reads',
      nodes: 5,
      rate: 200,
      seconds: 22,
      faults: scheduled('leaders-in-turn'),
      options: '-O max-append-entries=1 --client-timeout 8s',
    },
    seed: 3,
    expected: ['two-values-at-one-revision', 'replicas-diverge'],
  },
  {
    bug: 'even-quorum',
    run: { workload: 'register', nodes: 4, rate: 200, seconds: 5, faults: scheduled('halves') },
    seed: 1,
    expected: ['stale-read', 'lost-write'],
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
    seed: 1,
    expected: ['two-values-at-one-revision', 'replicas-diverge'],
  },
  {
    bug: 'two-changes',
    run: {
      workload: 'register',
      nodes: 3,
      rate: 100,
      seconds: 10,
      faults: scheduled('overlapping-removals'),
      options: '-O strict-reconfig-check=false',
    },
    seed: 1,
    expected: ['stale-read', 'lost-write'],
  },
  {
    bug: 'early-change',
    // n1 leads, and alone removes n4. n3 votes for n2, and goes down before it hears more of it. n2
    // is asked to remove n1. Then n2 and n4 are cut from n1 and n3: two of three on either side.
    run: {
      workload: 'register',
      nodes: 4,
      rate: 100,
      seconds: 11,
      faults: scheduled('removals-by-two-leaders'),
      options: '-O strict-reconfig-check=false',
    },
    seed: 1,
    expected: ['stale-read', 'lost-write'],
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
    seed: 1,
    expected: ['stale-read', 'lost-write'],
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
    seed: 1,
    expected: ['stale-read', 'lost-write'],
  },
  {
    bug: 'snapshot-tail',
    run: {
      workload: 'register,reads',
      nodes: 3,
      rate: 200,
      seconds: 8,
      faults: scheduled('isolate-leader'),
      options: '-O snapshot-count=50 -O snapshot-catchup-entries=10',
    },
    seed: 1,
    expected: ['stale-read', 'two-values-at-one-revision'],
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
    seed: 1,
    expected: ['two-keys-at-one-revision'],
  },
  {
    bug: 'consistent-index',
    run: { workload: 'register', nodes: 3, rate: 200, seconds: 6, faults: '--fault kill' },
    seed: 1,
    expected: ['replicas-diverge'],
  },
  {
    bug: 'txn-race',
    run: { workload: 'register', nodes: 3, rate: 500, seconds: 3, faults: '--no-faults' },
    seed: 5,
    expected: ['split-brain-cas'],
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
    seed: 2,
    expected: ['phantom-read', 'lost-write'],
  },
  {
    bug: 'compact-live',
    run: {
      workload: 'register',
      nodes: 3,
      rate: 100,
      seconds: 8,
      faults: '--fault compact --fault-interval 500ms',
    },
    seed: 1,
    expected: ['lost-write', 'stale-read'],
  },
];
