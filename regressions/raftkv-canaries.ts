/**
 * How each planted bug of raftkv is seen from outside: recorded runs of the simulator, each with the
 * words of its command line. What finds them knows the workload and the faults, never the bug.
 */
import type { Bug } from '../cluster/raftkv/bugs.ts';

export interface Canary {
  readonly bug: Bug;
  /** What `schism run --backend sim` is told beside bug and seed; paths are from the repository. */
  readonly run: {
    readonly workload: 'register' | 'reads' | 'register,reads';
    readonly nodes: number;
    /** Operations each second. */
    readonly rate: number;
    /** Simulated seconds of the main phase. */
    readonly seconds: number;
    /** A recorded schedule, or flags of a random one. */
    readonly faults: string;
    /** Options of workload and system. */
    readonly options?: string;
  };
  readonly seed: number;
  /** Each of these is among what the checkers report. */
  readonly expected: readonly string[];
}

/** The words of the command line, without the bug. */
export function wordsOf({ run, seed }: Canary): string[] {
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

const scheduled = (name: string): string => `--schedule regressions/schedules/${name}.json`;

export const CANARIES: readonly Canary[] = [
  {
    bug: 'stale-leader-read',
    run: {
      workload: 'reads',
      nodes: 3,
      rate: 200,
      seconds: 4,
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
    seed: 2,
    expected: ['stale-read'],
  },
  {
    bug: 'dirty-read',
    run: {
      workload: 'reads',
      nodes: 3,
      rate: 200,
      seconds: 4,
      faults: scheduled('isolate-leader'),
      options: '-W keys=2',
    },
    seed: 1,
    expected: ['two-values-at-one-revision'],
  },
  {
    bug: 'ack-before-commit',
    run: {
      workload: 'register',
      nodes: 3,
      rate: 200,
      seconds: 4,
      faults: scheduled('isolate-leader'),
    },
    seed: 3,
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
    seed: 2,
    expected: ['lost-write'],
  },
  {
    bug: 'vote-not-persisted',
    run: { workload: 'register', nodes: 5, rate: 200, seconds: 10, faults: scheduled('kill-all') },
    seed: 51,
    expected: ['stale-read'],
  },
  {
    bug: 'stale-log-vote',
    run: {
      workload: 'register',
      nodes: 3,
      rate: 200,
      seconds: 8,
      faults: scheduled('kill-leader-before-heal'),
    },
    seed: 1,
    expected: ['stale-read', 'lost-write'],
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
    expected: ['two-values-at-one-revision'],
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
    bug: 'consistent-index',
    run: { workload: 'register', nodes: 3, rate: 200, seconds: 6, faults: '--fault kill' },
    seed: 1,
    expected: ['phantom-read', 'lost-write'],
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
      nodes: 5,
      rate: 400,
      seconds: 5,
      faults: scheduled('one-way-to-leader'),
    },
    seed: 5,
    expected: ['split-brain-cas', 'lost-write'],
  },
];
