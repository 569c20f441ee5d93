/** Tests of what is read from fault events: bands, evidence and availability. */
import { expect, test } from 'vitest';
import { parseHistory } from '../harness/history/notation.ts';
import type { CheckContext, CheckResult } from '../harness/protocols/checker.ts';
import type { AvailabilityDetails, EvidenceDetails } from '../harness/protocols/details.ts';
import { availability } from './availability.ts';
import { evidence } from './evidence.ts';
import { faultBands } from './fault-bands.ts';
import { checkContext } from './testkit/context.ts';

interface FaultText {
  readonly at: number;
  readonly stage: 'begin' | 'end';
  readonly fault?: string;
  readonly id?: string;
  readonly targets?: readonly string[];
  readonly evidence?: object;
  readonly matrix?: object;
}

/** One nemesis event as two entries of the notation: sent, and done a millisecond later. */
function event(options: FaultText): string {
  const { at, stage, fault = 'kill', id = 'f1', targets = ['n1'], matrix } = options;
  const { evidence: shown = { result: 'installed', probe: 'pid 7 is gone' } } = options;
  const text = `${fault} ${targets.join()}`;
  const value = { stage, fault, text, targets, evidence: shown, ...(matrix && { matrix }) };
  return (
    `nemesis invoke ${fault} - {"stage":"${stage}"} lane=${fault} id=${id} t=${at - 1}ms\n` +
    `nemesis info ${fault} - ${JSON.stringify(value)} lane=${fault} id=${id} t=${at}ms`
  );
}

/** A read at a node that is answered, or fails, after a millisecond. */
function read(process: number, at: number, node: string, type: string = 'ok'): string {
  return `${process} invoke read x @${node} t=${at}ms; ${process} ${type} t=${at + 1}ms`;
}

const failed = { result: 'failed', why: 'the process still answers' };
const skipped = { result: 'skipped', why: 'no leader was known' };

function checkEvidence(lines: readonly string[], faults: readonly string[]): Promise<CheckResult> {
  return evidence().check(parseHistory(lines.join('\n')), checkContext({ faults }));
}

test('bands reach from the end of the begin event to the end of the end event', () => {
  const bands = faultBands(
    parseHistory(
      [
        event({
          at: 10,
          stage: 'begin',
          fault: 'partition',
          matrix: { 'n1>n2': 'cut', 'n2>n1': 'open' },
        }),
        event({ at: 20, stage: 'begin', fault: 'kill', id: 'f2' }),
        event({ at: 30, stage: 'end', fault: 'partition' }),
      ].join('\n'),
    ),
  );
  expect(bands).toMatchObject([
    {
      band: { id: 'f1', fault: 'partition', beginNanos: 10e6, endNanos: 30e6, cut: ['n1>n2'] },
      healed: { result: 'installed' },
    },
    { band: { id: 'f2', lane: 'kill', beginNanos: 20e6, evidence: 'pid 7 is gone' } },
  ]);
  expect(bands[1]?.band).not.toHaveProperty('endNanos');
});

test('an end event with an id of its own ends everything that is open in its lane', () => {
  const bands = faultBands(
    parseHistory(
      [
        event({ at: 10, stage: 'begin', id: 'a' }),
        event({ at: 20, stage: 'begin', id: 'b' }),
        event({ at: 30, stage: 'end', id: 'heal' }),
      ].join('\n'),
    ),
  );
  expect(bands.map(({ band }) => band.endNanos)).toEqual([30e6, 30e6]);
});

test('events of another shape are no bands', () => {
  const text = 'nemesis info kill - {"stage":"begin","fault":"kill"} lane=kill';
  expect(faultBands(parseHistory(text))).toEqual([]);
});

test('evidence: each kind took effect and was undone', async () => {
  const result = await checkEvidence(
    [
      event({ at: 10, stage: 'begin' }),
      event({ at: 20, stage: 'end' }),
      event({ at: 30, stage: 'begin', id: 'f2', evidence: skipped }),
    ],
    ['kill'],
  );
  expect(result).toMatchObject({ verdict: 'valid', covered: 'kill 1 time (1 skipped)' });
  expect((result.details as unknown as EvidenceDetails).kinds).toEqual([
    { fault: 'kill', installed: 1, skipped: 1, failed: 0, healed: 1 },
  ]);
});

const NO_EVIDENCE: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['never tried', [], /kill was asked for, but was never tried/],
  [
    'never took effect',
    [event({ at: 10, stage: 'begin', evidence: skipped })],
    /never took effect \(1 skipped, 0 failed; the last time: no leader was known\)/,
  ],
  [
    'failed',
    [event({ at: 10, stage: 'begin', evidence: failed })],
    /0 skipped, 1 failed; the last time: the process still answers/,
  ],
  [
    'never ended',
    [event({ at: 10, stage: 'begin' })],
    /kill \(kill n1\) was not seen to be undone/,
  ],
  [
    'not undone',
    [event({ at: 10, stage: 'begin' }), event({ at: 20, stage: 'end', evidence: failed })],
    /not seen to be undone: the process still answers/,
  ],
];

test.for(NO_EVIDENCE)(
  'evidence: a fault that %s makes the verdict unknown',
  async ([, lines, why]) => {
    const result = await checkEvidence(lines, ['kill']);
    expect(result.verdict).toBe('unknown');
    expect(result.reason).toMatch(why);
  },
);

test('evidence: no faults asked for is said, not hidden', async () => {
  const result = await checkEvidence([], []);
  expect(result).toMatchObject({ verdict: 'valid', covered: 'no faults were asked for' });
});

async function measure(
  lines: readonly string[],
  ctx: Partial<CheckContext> = {},
): Promise<{ readonly result: CheckResult; readonly details: AvailabilityDetails }> {
  const result = await availability().check(parseHistory(lines.join('\n')), checkContext(ctx));
  return { result, details: result.details as unknown as AvailabilityDetails };
}

const RUN: readonly string[] = [
  read(0, 0, 'n1'),
  read(0, 5, 'n2'),
  event({ at: 10, stage: 'begin', targets: ['n1', 'n2'] }),
  read(0, 12, 'n2', 'fail err=connection-refused!'),
  '1 invoke cas x 1>2 @n3 t=15ms; 1 fail t=16ms err=cas-mismatch! seen=7',
  event({ at: 40, stage: 'end', targets: ['n1', 'n2'] }),
  read(0, 45, 'n1'),
  '1 invoke read x @n2 t=50ms',
  '1 ok t=90ms',
  '0 invoke read x @n1 t=95ms ph=heal; 0 ok t=100ms',
  '0 invoke read x @n3 t=110ms ph=recover; 0 ok t=111ms',
];

test('availability by window, with the faults that lasted', async () => {
  const { result, details } = await measure(RUN);
  expect(result).toMatchObject({ verdict: 'valid', anomalies: [] });
  expect(details.windows).toEqual([
    {
      label: 'no fault',
      faults: [],
      startNanos: 0,
      endNanos: 10e6,
      ok: 2,
      fail: 0,
      info: 0,
      rate: 1,
      longestGapMs: 5,
      p50Ms: 1,
      p99Ms: 1,
    },
    {
      label: 'kill n1,n2',
      faults: ['kill'],
      startNanos: 10e6,
      endNanos: 40e6,
      ok: 1,
      fail: 1,
      info: 0,
      rate: 0.5,
      longestGapMs: 24,
      p50Ms: 1,
      p99Ms: 1,
    },
    {
      label: 'no fault',
      faults: [],
      startNanos: 40e6,
      endNanos: 90e6,
      ok: 2,
      fail: 0,
      info: 0,
      rate: 1,
      longestGapMs: 44,
      p50Ms: 1,
      p99Ms: 40,
    },
  ]);
  expect(details.longestGapMs).toBe(44);
});

test('recovery: the slowest of the nodes that were hit, and each node after heal', async () => {
  const { details } = await measure(RUN);
  expect(details.recovery).toEqual([
    { fault: 'kill', text: 'kill n1,n2', endNanos: 40e6, firstOkMs: 50 },
  ]);
  expect(details.nodes).toEqual([
    { node: 'n1', firstOkMs: 0 },
    { node: 'n2', firstOkMs: null },
    { node: 'n3', firstOkMs: 11 },
  ]);
});

test('a node that never came back has no recovery time', async () => {
  const { details } = await measure([...RUN.slice(0, 6), read(0, 45, 'n1')]);
  expect(details.recovery[0]?.firstOkMs).toBeNull();
});

test('faults that were not seen to take effect open no window', async () => {
  const { details } = await measure([
    read(0, 0, 'n1'),
    event({ at: 10, stage: 'begin', evidence: failed }),
    read(0, 20, 'n1'),
  ]);
  expect(details.windows.map(({ label }) => label)).toEqual(['no fault']);
});

test('a window in which nothing was asked has no rate', async () => {
  const { details } = await measure([
    read(0, 0, 'n1'),
    event({ at: 10, stage: 'begin' }),
    event({ at: 20, stage: 'end' }),
    read(0, 30, 'n1'),
  ]);
  expect(details.windows[1]).toMatchObject({ rate: null, p50Ms: null, longestGapMs: 10 });
});

test('nothing asked in the main phase is unknown', async () => {
  const { result } = await measure(['0 invoke read x ph=final; 0 ok']);
  expect(result.verdict).toBe('unknown');
  expect(result.reason).toContain('nothing to measure');
});
