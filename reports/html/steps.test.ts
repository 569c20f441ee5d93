import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../harness/core/json.ts';
import { nanos } from '../../harness/core/units.ts';
import { type History, historyOf } from '../../harness/history/history.ts';
import type { Op } from '../../harness/history/op.ts';
import { provenSteps, waysOf } from './steps.ts';

type Call = readonly [f: string, given: JsonValue, got?: JsonValue];

/** One operation after the other, each by a client of its own; entries 0 and 1 are the first. */
function historyAfter(...calls: readonly Call[]): History {
  const ops = calls.flatMap(([f, given, got], at): Op[] => {
    const base = { process: at, f, key: 'k', phase: 'main' } as const;
    const type = got === 'failed' ? 'fail' : got === 'unknown' ? 'info' : 'ok';
    const value = type === 'ok' && f === 'read' ? (got ?? null) : given;
    return [
      { ...base, index: 2 * at, time: nanos(2000 * at), type: 'invoke', value: given },
      { ...base, index: 2 * at + 1, time: nanos(2000 * at + 1000), type, value },
    ];
  });
  return historyOf(ops);
}

function columns(steps: ReturnType<typeof provenSteps>): readonly (readonly string[])[] {
  return steps.map(({ text, after, next }) => [text, after, next]);
}

const STALE = historyAfter(['write', 41], ['write', 42], ['read', null, 41]);

describe('what a short proof says step by step', () => {
  test('a stale read: neither of the two values may go back', () => {
    const anomaly = {
      kind: 'stale-read',
      ops: [0, 1, 2, 3, 4, 5],
      certificate: { older: 0, newer: 2, read: 4 },
    };
    expect(columns(provenSteps(anomaly, STALE))).toEqual([
      ['c0 write 41, ok', '41, or newer', 'read → 41 or newer; any write'],
      ['c1 write 42, ok', '42, or newer', 'read → 42 or newer, not 41; any write'],
      ['c2 read → 41, ok', '42, or newer', '✗ it finds 41, which is older'],
    ]);
    expect(provenSteps(anomaly, STALE).map(({ entry }) => entry)).toEqual([0, 2, 4]);
  });

  test('a value that was there from the start, and a deletion, are values too', () => {
    const history = historyAfter(['write', 1], ['write', null], ['cas', [1, 2]]);
    const anomaly = {
      kind: 'stale-read',
      ops: [],
      certificate: { older: null, newer: 2, read: 4 },
    };
    expect(columns(provenSteps(anomaly, history))).toEqual([
      ['at the start', '1, or newer', 'read → 1 or newer; any write'],
      ['c1 write, ok', 'absent, or newer', 'read → absent or newer, not 1; any write'],
      ['c2 cas 1 → 2, ok', 'absent, or newer', '✗ it finds 1, which is older'],
    ]);
  });

  test('two that won from one value', () => {
    const history = historyAfter(['write', 1], ['cas', [1, 2]], ['cas', [1, 3]]);
    const certificate = { write: 0, first: 2, second: 4 };
    const anomaly = { kind: 'split-brain-cas', ops: [], certificate };
    expect(columns(provenSteps(anomaly, history)).map(([, after, next]) => [after, next])).toEqual([
      ['1, or newer', 'one cas from 1'],
      ['2, or newer', 'any write; no cas from 1'],
      ['2, or newer', '✗ it finds 1; the same in the other order'],
    ]);
  });

  test.each([
    ['of revisions', { by: 'revision', newer: 2, read: 4 }],
    ['that names a completion', { older: 0, newer: 3, read: 4 }],
    ['that names what is not there', { older: 0, newer: 2, read: 400 }],
    ['of an observation that failed', { older: 0, newer: 2, read: 6 }],
  ] as const)('nothing of a certificate %s', (_, certificate) => {
    const history = historyAfter(
      ['write', 41],
      ['write', 42],
      ['read', null, 41],
      ['read', null, 'failed'],
    );
    const anomaly = { kind: 'stale-read', ops: [], certificate };
    expect(provenSteps(anomaly, history)).toEqual([]);
    expect(provenSteps({ ...anomaly, kind: 'replicas-diverge' }, STALE)).toEqual([]);
  });
});

describe('the ways that a search has tried', () => {
  const history = historyAfter(['write', 1], ['cas', [1, 2], 'unknown'], ['read', null, 3]);
  const certificate = {
    model: 'register',
    init: null,
    from: -1,
    upTo: 5,
    ways: [
      [[0], 'the register held 1, not 3', 1],
      [[0, 2], 'the register held 2, not 3', 2],
    ],
  };
  const anomaly = { kind: 'not-linearizable', ops: [0, 1, 2, 4, 5], certificate };

  test('have the state after each step, and why the last operation does not fit', () => {
    const [, second] = waysOf(anomaly, history);
    expect(columns(second?.steps ?? [])).toEqual([
      ['c0 write 1, ok', '1', ''],
      ['c1 cas 1 → 2, unknown', '2', ''],
      ['c2 read → 3, ok', '2', '✗ the register held 2, not 3'],
    ]);
    // What is so on one way need not have been so.
    expect(provenSteps(anomaly, history)).toEqual([]);
  });

  test.each([
    ['of another model', { model: 'fifo-queue' }],
    ['that begin in the midst', { from: 2 }],
    ['whose steps lead elsewhere', { init: 7, ways: [[[2], 'why', 9]] }],
  ])('%s: only the state that the checker told', (_, change) => {
    const changed = { ...anomaly, certificate: { ...certificate, ...change } };
    const [way] = waysOf(changed, history).slice(-1);
    const states = way?.steps.map(({ after }) => after) ?? [];
    const told = 'ways' in change ? '9' : '2';
    expect(states.slice(-2)).toEqual([told, told]);
    expect(states.slice(0, -2).every((state) => state === '')).toBe(true);
  });

  test.each([
    ['no ways', { ways: null }],
    ['a way that names no operation', { ways: [[[1], 'why', 1]] }],
    ['a way without a state', { ways: [[[0], 'why']] }],
    ['no end', { upTo: null }],
  ])('are none with %s', (_, change) => {
    const changed = { ...anomaly, certificate: { ...certificate, ...change } };
    expect(waysOf(changed as typeof anomaly, history)).toEqual([]);
  });
});
