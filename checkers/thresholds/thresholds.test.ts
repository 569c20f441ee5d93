import { expect, test } from 'vitest';
import { parseHistory } from '../../harness/history/notation.ts';
import type { CheckResult } from '../../harness/protocols/checker.ts';
import type { ThresholdsDetails } from '../../harness/protocols/details.ts';
import { checkContext, provenKinds } from '../testkit/context.ts';
import { thresholds } from './thresholds.ts';

type Spec = Readonly<Record<string, readonly string[]>>;

/** A fault event, sent and done at once. */
function fault(at: number, stage: 'begin' | 'end', result = 'installed'): string {
  const evidence = result === 'installed' ? { result, probe: 'gone' } : { result, why: 'no' };
  const value = { stage, fault: 'kill', text: 'kill n1', targets: ['n1'], evidence };
  const tail = `lane=kill id=k t=${at}ms`;
  return `nemesis invoke kill ${tail}\nnemesis info kill - ${JSON.stringify(value)} ${tail}`;
}

/** Entries at their times: a read before the fault, one during it, and others after it. */
const RUN: Readonly<Record<string, readonly string[]>> = {
  first: ['0 invoke write x 1 @n2 t=0ms', '0 ok t=10ms'],
  second: ['0 invoke read x @n1 t=20ms', '0 ok read x 1 t=22ms'],
  begin: [fault(100, 'begin')],
  during: ['1 invoke read x @n1 t=110ms', '1 fail t=115ms err=connection-refused!'],
  refused: ['0 invoke cas x 7>8 @n2 t=120ms', '0 fail t=130ms err=cas-mismatch! seen=1'],
  end: [fault(200, 'end')],
  back: ['1 invoke read x @n1 t=240ms', '1 ok read x 1 t=250ms'],
  newer: ['0 invoke write x 2 @n2 t=260ms', '0 ok t=270ms'],
  local: ['2 invoke read x @n1 mode=serializable t=280ms', '2 ok read x 2 t=282ms'],
  last: ['0 invoke read x @n2 t=390ms', '0 ok read x 2 t=400ms'],
  final: ['3 invoke read x @n1 t=450ms ph=final', '3 ok read x 2 t=460ms'],
};

function textOf(changes: Readonly<Record<string, readonly string[]>>): string {
  return Object.values({ ...RUN, ...changes })
    .flat()
    .join('\n');
}

async function check(
  spec: Spec,
  changes: Readonly<Record<string, readonly string[]>> = {},
): Promise<CheckResult & { readonly rows: ThresholdsDetails['rows'] }> {
  const history = parseHistory(textOf(changes));
  const result = await thresholds(spec).check(history, checkContext());
  expect(provenKinds(result, history)).toEqual(result.verdict === 'invalid' ? ['threshold'] : []);
  return { ...result, rows: (result.details as unknown as ThresholdsDetails).rows };
}

const VALUES: readonly (readonly [string, string, number])[] = [
  ['availability', 'rate>0.85', 7 / 8],
  ['availability{window:none}', 'rate==1', 1],
  ['availability{window:fault}', 'rate>=0.5', 0.5],
  ['availability{window:kill,kind:cas}', 'rate==1', 1],
  ['availability{window:recover}', 'rate==1', 1],
  ['ops_failed', 'count<2', 1],
  ['ops_failed{kind:read}', 'rate<0.21', 0.2],
  ['ops_unknown', 'rate==0', 0],
  ['throughput', 'rate>17', 7 / 0.4],
  ['throughput{window:fault}', 'rate>9', 1 / 0.1],
  ['latency_ms', 'p(50)<=10', 10],
  ['latency_ms{kind:read}', 'min==2', 2],
  ['latency_ms', 'avg<8', 54 / 7],
  ['latency_ms{mode:serializable}', 'max<3', 2],
  ['longest_gap_ms', 'value<=120', 120],
  ['longest_gap_ms{window:fault}', 'value<100', 70],
  ['recovery_ms', 'p(95)<51', 50],
  ['recovery_ms{fault:kill}', 'max<0.1s', 50],
  ['staleness_ms', 'max==0', 0],
  ['faults_effective', 'count>=1', 1],
  ['faults_effective{fault:kill}', 'rate==1', 1],
];

test.for(VALUES)('%s %s holds, and its value is said', async ([metric, expression, value]) => {
  const { verdict, rows } = await check({ [metric]: [expression] });
  expect(verdict).toBe('valid');
  expect(rows).toMatchObject([{ metric, expression, passed: true }]);
  expect(rows[0]?.value).toBeCloseTo(value, 9);
});

/** Each holds in the run as it is; what breaks it breaks no other. */
const ALL: Spec = {
  'availability{window:none}': ['rate>0.999'],
  ops_unknown: ['rate<0.2'],
  'ops_failed{window:recover}': ['count==0'],
  throughput: ['rate>14.9'],
  'latency_ms{kind:write}': ['p(99)<11'],
  'longest_gap_ms{window:none}': ['value<131'],
  'recovery_ms{fault:kill}': ['max<60'],
  'staleness_ms{mode:serializable}': ['max<5'],
  faults_effective: ['rate==1'],
};

const BROKEN: readonly (readonly [string, Readonly<Record<string, readonly string[]>>, string])[] =
  [
    [
      'availability{window:none}',
      { second: ['0 invoke read x @n1 t=20ms', '0 fail t=22ms err=no-leader!'] },
      'Availability outside faults was 0.83333; rate>0.999 was asked.',
    ],
    [
      'ops_unknown',
      {
        during: ['1 invoke read x @n1 t=110ms', '1 info t=115ms err=timeout?'],
        refused: ['0 invoke write x 9 @n2 t=120ms', '0 info t=130ms err=timeout?'],
        back: ['4 invoke read x @n1 t=240ms', '4 ok read x 1 t=250ms'],
        newer: ['5 invoke write x 2 @n2 t=260ms', '5 ok t=270ms'],
        last: ['5 invoke read x @n2 t=390ms', '5 ok read x 2 t=400ms'],
      },
      'The share of operations of unknown outcome was 0.25; rate<0.2 was asked.',
    ],
    [
      'ops_failed{window:recover}',
      { final: ['3 invoke read x @n1 t=450ms ph=final', '3 fail t=460ms err=no-leader!'] },
      'The number of failed operations after all faults were healed was 1; count==0 was asked.',
    ],
    [
      'throughput',
      {
        during: [],
        refused: ['0 invoke cas x 7>8 @n2 t=120ms', '0 fail t=130ms err=no-leader!'],
        last: ['0 invoke read x @n2 t=401ms', '0 ok read x 2 t=403ms'],
      },
      'Throughput was 14.888 a second; rate>14.9 was asked.',
    ],
    [
      'latency_ms{kind:write}',
      { first: ['0 invoke write x 1 @n2 t=0ms', '0 ok t=11500us'] },
      'p(99) of the latency of write operations was 11.5 ms; p(99)<11 was asked.',
    ],
    [
      'longest_gap_ms{window:none}',
      { last: ['0 invoke read x @n2 t=403ms', '0 ok read x 2 t=414ms'] },
      'The longest time without a success outside faults was 132 ms; value<131 was asked.',
    ],
    [
      'recovery_ms{fault:kill}',
      {
        back: ['1 invoke read x @n1 t=250ms', '1 ok read x 1 t=261ms'],
        newer: ['0 invoke write x 2 @n2 t=262ms', '0 ok t=270ms'],
      },
      'Max of the recovery from kill was 61 ms; max<60 was asked.',
    ],
    [
      'staleness_ms{mode:serializable}',
      { local: ['2 invoke read x @n1 mode=serializable t=280ms', '2 ok read x 1 t=282ms'] },
      'Max of the staleness of serializable reads was 10 ms; max<5 was asked.',
    ],
    [
      'faults_effective',
      { begin: [fault(90, 'begin', 'skipped'), ...(RUN['begin'] ?? [])] },
      'The share of faults that took effect was 0.5; rate==1 was asked.',
    ],
  ];

test('all of them hold in the run as it is', async () => {
  const { verdict, covered } = await check(ALL);
  expect(verdict).toBe('valid');
  expect(covered).toMatch(/^9 of 9: availability\{window:none\} rate>0\.999 \(1\), ops_unknown /);
});

test.for(BROKEN)(
  '%s alone fails where its figure is worse',
  async ([metric, changes, sentence]) => {
    const { verdict, rows, anomalies } = await check(ALL, changes);
    expect(rows.filter(({ passed }) => passed !== true).map((row) => row.metric)).toEqual([metric]);
    expect(verdict).toBe('invalid');
    expect(anomalies.map(({ explanation }) => explanation)).toEqual([sentence]);
  },
);

const NO_DATA: readonly (readonly [string, string, RegExp])[] = [
  ['availability{window:partition}', 'rate>0.9', /no partition took effect in the main phase/],
  ['latency_ms{kind:append}', 'max<9', /no append operation was invoked.*; there were write, read/],
  ['latency_ms{window:kill,kind:read}', 'max<9', /none of 1 operations was served/],
  ['recovery_ms{fault:pause}', 'max<9', /no pause that took effect came to its end/],
  ['throughput{window:kill,kind:write}', 'rate>1', /no write operation was invoked in that window/],
  ['faults_effective{fault:pause}', 'rate>0.5', /no pause was tried/],
];

test.for(NO_DATA)('%s %s is unknown where there is no data', async ([metric, expression, why]) => {
  const { verdict, reason, rows } = await check({
    [metric]: [expression],
    ops_failed: ['count<9'],
  });
  expect(verdict).toBe('unknown');
  expect(reason).toMatch(why);
  expect(rows[0]).toMatchObject({ value: null, shown: 'no data', passed: null });
});

test('a run without a main phase or an end has no figures for them', async () => {
  const quiet = parseHistory('0 invoke read x ph=quiet; 0 ok');
  for (const metric of ['ops_failed', 'ops_failed{window:recover}', 'ops_failed{window:none}']) {
    const result = await thresholds({ [metric]: ['count==0'] }).check(quiet, checkContext());
    expect(result).toMatchObject({ verdict: 'unknown', details: { rows: [{ metric }] } });
  }
});

test('a node that was not seen to come back fails only what took too long already', async () => {
  const silent = {
    back: ['1 invoke read x @n1 t=240ms', '1 fail t=250ms err=connection-refused!'],
    local: [],
    final: [],
  };
  const spec = { recovery_ms: ['max<50', 'max<60', 'p(0)>10'] };
  const { verdict, rows, anomalies, reason } = await check(
    { recovery_ms: ['max<60', 'p(0)>10'] },
    silent,
  );
  expect(verdict).toBe('unknown');
  expect(reason).toBe(
    'recovery_ms max<60 was not decided: it was more than 50 when the history ended.',
  );
  expect(rows.map(({ passed }) => passed)).toEqual([null, true]);
  expect(anomalies).toEqual([]);
  const history = parseHistory(textOf(silent));
  const broken = await thresholds(spec).check(history, checkContext());
  expect(broken).toMatchObject({
    verdict: 'invalid',
    anomalies: [{ explanation: 'Max of the recovery was more than 50 ms; max<50 was asked.' }],
  });
});

test('a value that lies close to its limit has as many digits as show the side', async () => {
  const { rows } = await check({ throughput: ['rate>17.499999', 'rate<17.6'] });
  expect(rows.map(({ shown }) => shown)).toEqual(['17.5', '17.5']);
  const close = await check(
    { 'latency_ms{kind:write}': ['avg<10.0000004'] },
    {
      newer: ['0 invoke write x 2 @n2 t=260ms', '0 ok t=270000001ns'],
    },
  );
  expect(close.rows[0]).toMatchObject({ shown: '10.0000005', passed: false });
});
