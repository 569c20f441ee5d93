/** Made-up outcomes of runs over the made-up histories, one for each verdict. */
import type { JsonValue } from '../../harness/core/json.ts';
import type { History } from '../../harness/history/history.ts';
import type { CheckResult } from '../../harness/protocols/checker.ts';
import type { AvailabilityWindow } from '../../harness/protocols/details.ts';
import type { RunConfig, RunManifest, RunResult } from '../../harness/protocols/run.ts';
import { type Fixture, type FixtureOptions, fixtureHistory, NODES } from './fixture-history.ts';

export interface FixtureRun {
  readonly result: RunResult;
  readonly history: History;
}

const SMALL: FixtureOptions = {
  seconds: 60,
  clients: 10,
  rate: 50,
  faults: true,
  staleRead: false,
};

type Details = CheckResult['details'];

function details(value: object): Details {
  return value as unknown as Details;
}

function check(checker: string, covered: string, more: Partial<CheckResult> = {}): CheckResult {
  return { checker, verdict: 'valid', anomalies: [], covered, details: {}, ...more };
}

export function fixtureConfig(more: Partial<RunConfig> = {}): RunConfig {
  return {
    system: 'etcd',
    systemOptions: {},
    backend: 'process',
    nodes: NODES,
    workload: 'register',
    workloadOptions: {
      clients: 10,
      nodes: NODES,
      rate: 500,
      clientTimeoutMs: 1000,
      readModes: ['linearizable', 'serializable'],
      capabilities: ['register'],
      own: {},
    },
    faults: ['partition', 'kill', 'pause'],
    requireFaults: false,
    seed: 0x5eed1234,
    durationMs: 60_000,
    quietMs: 3000,
    faultIntervalMs: 5000,
    faultDurationMs: 5000,
    promises: { linearizable: 'linearizable', serializable: 'serializable' },
    checkLimits: { timeoutMs: 300_000, memoryBytes: 2 ** 32 },
    unknown: 'fail',
    ...more,
  };
}

export function fixtureManifest(more: Partial<RunManifest> = {}): RunManifest {
  return {
    schism: 1,
    run: '7f3a',
    version: '0.0.0',
    node: 'v24.21.0',
    platform: 'linux x64',
    argv: ['run', '--system', 'etcd', '--fault', 'partition,kill,pause', '--clients', '10'],
    startedAt: '2026-11-21T01:47:12Z',
    config: fixtureConfig(),
    timing: { heartbeatMs: 100, electionMs: 1000 },
    cluster: { version: '3.4.23', flags: '--heartbeat-interval=100 --election-timeout=1000' },
    ...more,
  };
}

function countsOf(history: History): RunResult['counts'] {
  const counts = { ok: 0, fail: 0, info: 0, open: 0 };
  for (const { completion } of history.operations())
    counts[completion === undefined ? 'open' : (completion.type as 'ok' | 'fail' | 'info')]++;
  return counts;
}

function runOf(fixture: Fixture, more: Partial<RunResult>): FixtureRun {
  return {
    history: fixture.history,
    result: {
      manifest: fixtureManifest(),
      verdict: 'pass',
      exitCode: 0,
      reasons: [],
      checks: [],
      problems: [],
      phases: fixture.phases,
      counts: countsOf(fixture.history),
      wallMs: 66_120,
      ...more,
    },
  };
}

/** Windows cut where a fault begins or ends, with rough figures. */
function availabilityCheck({ bands, phases, history }: Fixture): CheckResult {
  const main = phases.find(({ phase }) => phase === 'main');
  const [start, end] = [main?.startNanos ?? 0, main?.endNanos ?? 0];
  const cuts = [start, end, ...bands.flatMap((band) => [band.beginNanos, band.endNanos ?? end])]
    .filter((time) => time >= start && time <= end)
    .toSorted((a, b) => a - b);
  const windows = cuts.slice(1).flatMap((endNanos, at): AvailabilityWindow[] => {
    const startNanos = cuts[at] ?? 0;
    const active = bands.filter(
      (band) =>
        band.result === 'installed' &&
        band.beginNanos <= startNanos &&
        (band.endNanos ?? end) >= endNanos,
    );
    if (endNanos <= startNanos) return [];
    return [
      {
        label: active.map(({ fault, text }) => `${fault}: ${text}`).join(' + ') || 'no fault',
        faults: active.map(({ fault }) => fault),
        startNanos,
        endNanos,
        ...outcomesIn(history, startNanos, endNanos),
        longestGapMs: active.length === 0 ? 23.4 : 1640.2,
        p50Ms: active.length === 0 ? 2.1 : 40.3,
        p99Ms: active.length === 0 ? 11.8 : 412.9,
      },
    ];
  });
  return check('availability', `${windows.length} windows`, {
    details: details({
      windows,
      longestGapMs: bands.length === 0 ? 23.4 : 1640.2,
      recovery: bands
        .filter(({ result }) => result === 'installed')
        .map(({ fault, text, endNanos }, at) => ({
          fault,
          text,
          endNanos,
          firstOkMs: at === 2 ? null : 310 + at * 120.5,
        })),
      nodes: NODES.map((node, at) => ({ node, firstOkMs: 3.2 + at })),
    }),
  });
}

function outcomesIn(
  history: History,
  start: number,
  end: number,
): Pick<AvailabilityWindow, 'ok' | 'fail' | 'info' | 'rate'> {
  const counts = { ok: 0, fail: 0, info: 0 };
  for (const { invoke, completion } of history.operations())
    if (invoke.time >= start && invoke.time < end)
      counts[(completion?.type ?? 'info') as 'ok' | 'fail' | 'info']++;
  const all = counts.ok + counts.fail + counts.info;
  return { ...counts, rate: all === 0 ? null : counts.ok / all };
}

function evidenceCheck({ bands }: Fixture): CheckResult {
  const kinds = [...new Set(bands.map(({ fault }) => fault))].map((fault) => {
    const own = bands.filter((band) => band.fault === fault);
    const installed = own.filter(({ result }) => result === 'installed').length;
    return { fault, installed, skipped: own.length - installed, failed: 0, healed: installed };
  });
  return check('evidence', `${bands.length} faults of ${kinds.length} kinds, 4 took effect`, {
    details: details({ kinds, events: bands }),
  });
}

const linearizable = check('linearizable', '33 keys, 1 812 operations', {
  details: details({ keys: 33, valid: 33, invalid: [], unknown: [], operations: 1812, states: 9 }),
});

const stats = check('stats', 'read and write succeeded in the main phase', {
  details: details({
    total: {},
    main: {},
    errors: { 'request-timed-out': 122, 'no-leader': 117 },
  }),
});

function readModes(broken: boolean): CheckResult {
  const row = (mode: string, more: { readonly [name: string]: JsonValue }): JsonValue => ({
    mode,
    promise: mode,
    reads: 41_220,
    result: 'kept',
    stale: 0,
    staleMsMax: 0,
    staleMsP50: 0,
    staleVersionsMax: 0,
    backwardsPerNode: 0,
    backwardsAcrossNodes: 0,
    missedOwnWrite: 0,
    strongest: mode,
    ...more,
  });
  const worst = { stale: 1, staleMsMax: 517.3, staleVersionsMax: 1 };
  return check('read-modes', '2 modes, 82 091 reads', {
    ...(broken && { verdict: 'invalid' as const }),
    details: details({
      modes: [
        row(
          'linearizable',
          broken ? { ...worst, result: 'broken', strongest: 'serializable' } : {},
        ),
        row('serializable', {
          reads: 40_871,
          stale: 312,
          staleMsMax: 1310,
          staleMsP50: 12,
          staleVersionsMax: 5,
          backwardsAcrossNodes: 44,
        }),
      ],
    }),
  });
}

/** Faults of three kinds, nothing wrong found. */
export function passRun(options: Partial<FixtureOptions> = {}): FixtureRun {
  const fixture = fixtureHistory({ ...SMALL, ...options });
  return runOf(fixture, {
    checks: [
      linearizable,
      readModes(false),
      stats,
      availabilityCheck(fixture),
      evidenceCheck(fixture),
    ],
  });
}

/** Five seconds, no faults. */
export function shortRun(): FixtureRun {
  const fixture = fixtureHistory({ ...SMALL, seconds: 5, faults: false });
  return runOf(fixture, {
    manifest: fixtureManifest({
      argv: ['run', '--no-faults', '--duration', '5s'],
      config: fixtureConfig({ system: 'memory', backend: 'memory', faults: [], durationMs: 5000 }),
    }),
    checks: [linearizable, { ...stats, details: {} }, availabilityCheck(fixture)],
    wallMs: 5310,
  });
}

/** A stale read between two changes of the leader. */
export function failRun(options: Partial<FixtureOptions> = {}): FixtureRun {
  const fixture = fixtureHistory({ ...SMALL, ...options, staleRead: true });
  const explanation =
    'Client c903 read k99 = 41 at 36.000 s from n3. That value was out of date: c902 had been ' +
    'told that k99 = 42 was stored 506 ms before this read began, and 41 was stored 2.434 s ' +
    'before that write was sent. No order of these three operations explains the read.';
  const broken: CheckResult = {
    ...linearizable,
    verdict: 'invalid',
    covered: '33 keys, 1 815 operations; 32 keys are linearizable',
    details: { ...linearizable.details, valid: 32, invalid: ['k99'] },
    anomalies: [
      {
        kind: 'stale-read',
        key: 'k99',
        ops: fixture.stale,
        certificate: {
          older: fixture.stale[0] ?? 0,
          newer: fixture.stale[1] ?? 0,
          read: fixture.stale[2] ?? 0,
        },
        explanation,
      },
    ],
  };
  return runOf(fixture, {
    verdict: 'fail',
    exitCode: 1,
    reasons: [`linearizable: ${explanation}`],
    checks: [broken, readModes(true), stats, availabilityCheck(fixture), evidenceCheck(fixture)],
  });
}

/** One key that the checker could not decide. */
export function unknownRun(): FixtureRun {
  const fixture = fixtureHistory(SMALL);
  const gaveUp: CheckResult = {
    ...linearizable,
    verdict: 'unknown',
    reason:
      'key k3 was not decided within 300 s: 38 operations of unknown outcome were open at once',
    details: details({
      keys: 33,
      valid: 32,
      invalid: [],
      unknown: [{ key: 'k3', reason: 'time', decidedUpTo: 3010, operations: 412, indefinite: 38 }],
      operations: 1812,
      states: 90_000_000,
    }),
  };
  return runOf(fixture, {
    verdict: 'unknown',
    exitCode: 2,
    reasons: [`linearizable: ${gaveUp.reason ?? ''}`],
    checks: [gaveUp, stats, availabilityCheck(fixture), evidenceCheck(fixture)],
  });
}

/** The cluster never became ready: no history at all. */
export function errorRun(): FixtureRun {
  const fixture = fixtureHistory({ ...SMALL, seconds: 0, faults: false });
  const message = 'n2 was not ready after 90 s: it ended with code 1';
  return runOf(fixture, {
    verdict: 'error',
    exitCode: 3,
    reasons: [message],
    problems: [
      { step: 'teardown', severity: 'warning', message: 'removing the data of n2 took 4 s' },
      {
        step: 'setup',
        severity: 'fatal',
        message,
        details:
          'etcd: listen tcp 127.0.0.1:2380: bind: address already in use\n\u001b[31mexit 1\u001b[0m',
      },
    ],
    phases: [],
    wallMs: 90_400,
  });
}

/** Ctrl-C in the main phase; nothing wrong in what was recorded. */
export function interruptedRun(): FixtureRun {
  const { history, result } = passRun();
  return {
    history,
    result: {
      ...result,
      exitCode: 130,
      interrupted: 'SIGINT',
      reasons: ['interrupted by SIGINT'],
      phases: result.phases.slice(0, 3),
    },
  };
}
