import { expect, test } from 'vitest';
import type { Random } from '../../harness/core/prng.ts';
import { randomOf } from '../testkit/context.ts';
import { columnsOf, type KeyIntervals, NEVER, ranksOf } from './columns.ts';
import { columnsOfPart, partitionOf } from './partition.ts';
import { Room, zeroBytes, zeros } from './room.ts';

type Ops = KeyIntervals['ops'];

/** Reads that begin at 0, 1, 2, ... and end whenever `end` says. */
function reads(count: number, end: (start: number) => number): Ops {
  return Array.from({ length: count }, (_, start) => ({
    call: { f: 'read', input: null, output: start % 3, outcome: 'ok' },
    start,
    end: end(start),
  }));
}

/** Some of unknown outcome, which somebody may have seen. */
function anyOps(random: Random): Ops {
  return reads(random.int(1, 40), (start) => start + random.int(1, 30) - 0.5).map((op) =>
    random.chance(0.8)
      ? op
      : {
          call: { f: 'write', input: 1, output: null, outcome: 'indefinite' },
          start: op.start,
          end: Infinity,
        },
  );
}

/** Many moments between two of these may be those of other keys. */
const DENSE = 1;
const SPARSE = 50;

function expectRanks(ops: Ops, room?: Room): void {
  for (const apart of [DENSE, SPARSE]) {
    room?.clear();
    expectRanksApart(ops, apart, room);
  }
}

function expectRanksApart(ops: Ops, apart: number, room?: Room): void {
  const columns = columnsOf([{ key: 'x', ops }]);
  const stretched = (moments: Int32Array): Int32Array =>
    moments.map((moment) => (moment === NEVER ? NEVER : apart * moment));
  const [call, ret] = [stretched(columns.call), stretched(columns.ret)];
  const moments = apart * columns.moments;
  const parts = partitionOf({ ...columns, call, ret, moments }, Uint8Array.of(1));
  const raw = columnsOfPart(parts, 0, new Room(0), false);
  expect([...raw.calls]).toEqual([...parts.rows()].map((row) => call[row]));
  expect([...raw.returns]).toEqual([...parts.rows()].map((row) => ret[row]));
  const { calls, returns } = columnsOfPart(parts, 0, room);
  const kept = [...parts.rows()].map((row) => ops[row] as Ops[number]);
  const ranks = ranksOf(kept);
  expect([...calls]).toEqual(kept.map((_, at) => ranks[2 * at]));
  expect([...returns]).toEqual(kept.map((_, at) => ranks[2 * at + 1]));
}

test('the moments of a part are numbered without a gap, in whatever order operations end', () => {
  const room = new Room();
  for (let seed = 0; seed < 500; seed++) {
    room.clear();
    expectRanks(anyOps(randomOf(seed)), room);
  }
});

test('so are those of thousands of operations in flight at once', () => {
  expectRanks(reads(3000, (start) => 10_000 - start));
  expectRanks(reads(3000, (start) => (start % 2 === 0 ? 10_000 - start : Infinity)));
});

test('keys that are not wanted have no part, and leave the others as they are', () => {
  const [some, others] = [anyOps(randomOf(1)), anyOps(randomOf(2))];
  const columns = columnsOf(
    [
      { key: 'x', ops: some },
      { key: 'y', ops: others },
    ],
    'call',
  );
  const alone = partitionOf(columnsOf([{ key: 'y', ops: others }]), Uint8Array.of(1));
  const parts = partitionOf(columns, Uint8Array.of(0, 1));
  expect([...parts.keys]).toEqual([1]);
  expect(columnsOfPart(parts, 0)).toEqual(columnsOfPart(alone, 0));
  const rows = parts.rows();
  expect(rows.length).toBe(parts.first[1]);
  expect([...rows].every((row) => columns.key[row] === 1)).toBe(true);
});

test('columns from one room do not overlap until it is cleared', () => {
  const room = new Room(64);
  const columns = [8, 8, 8, 8, 8, 8, 8, 8, 8, 100].map((length, at) =>
    room.column(length).fill(at),
  );
  expect(columns.map((column) => new Set(column))).toEqual(columns.map((_, at) => new Set([at])));
  room.clear();
  expect(room.column(8).length).toBe(8);
});

test('short columns are of zeros, their own, and as long as was asked for', () => {
  const lengths = Array.from({ length: 3000 }, (_, at) => (at * 7919) % 300);
  const columns = [...lengths.map((length) => zeros(length)), ...[0, 5000].map(zeros)];
  const bytes = lengths.map((length) => zeroBytes(length));
  expect(columns.map(({ length }) => length)).toEqual([...lengths, 0, 5000]);
  expect(bytes.map(({ length }) => length)).toEqual(lengths);
  for (const all of [columns, bytes])
    for (const [at, column] of all.entries()) {
      expect(column.every((number) => number === 0)).toBe(true);
      column.fill(at + 1);
    }
  expect(columns.every((column, at) => column.every((number) => number === at + 1))).toBe(true);
  expect(() => zeros(-1)).toThrow(RangeError);
  expect(zeros(3)).toHaveLength(3);
});

test('what never ends stays so', () => {
  const ops: Ops = [
    {
      call: { f: 'write', input: 1, output: null, outcome: 'indefinite' },
      start: 0,
      end: Infinity,
    },
    { call: { f: 'read', input: null, output: 1, outcome: 'ok' }, start: 1, end: 2 },
  ];
  const parts = partitionOf(columnsOf([{ key: 'x', ops }]), Uint8Array.of(1));
  expect([...columnsOfPart(parts, 0).returns]).toEqual([NEVER, 2]);
});

test('the only key is searched in the columns as they are, which says the same as to cut it out', () => {
  let wholes = 0;
  for (let seed = 0; seed < 300; seed++) {
    const ops = anyOps(randomOf(seed));
    const { whole, ...cut } = partitionOf(columnsOf([{ key: 'x', ops }]), Uint8Array.of(1));
    if (whole === undefined) continue;
    wholes++;
    const before = structuredClone(whole);
    for (const isRanked of [false, true])
      expect(columnsOfPart({ ...cut, whole }, 0, new Room(), isRanked)).toEqual(
        columnsOfPart(cut, 0, new Room(), isRanked),
      );
    expect(whole).toEqual(before);
  }
  expect(wholes).toBeGreaterThan(20);
});

test('beside a key without operations the values of the other one have numbers of their own', () => {
  const ops = reads(9, (start) => start + 2.5);
  const columns = columnsOf([
    { key: 'x', ops: [] },
    { key: 'y', ops },
  ]);
  const parts = partitionOf(columns, Uint8Array.of(0, 1));
  const alone = partitionOf(columnsOf([{ key: 'y', ops }]), Uint8Array.of(1));
  expect(columnsOfPart(parts, 0, new Room(), false)).toEqual(
    columnsOfPart(alone, 0, new Room(), false),
  );
  expect(parts.whole).toBeUndefined();
});
