import { describe, expect, test } from 'vitest';
import { nanos } from '../core/units.ts';
import { HistoryBuilder, historyOf } from './history.ts';
import { parseHistory } from './notation.ts';
import type { Op } from './op.ts';

const history = parseHistory(`
  0 invoke write x 1; nemesis invoke kill - "n1" lane=kill; 1 invoke read y
  nemesis invoke cut - "n2" lane=cut; 0 ok; nemesis info kill - "n1" lane=kill
  observer info roles; nemesis info cut - "n2" lane=cut
`);

describe('history', () => {
  test('pairs by process and by lane', () => {
    expect(Array.from({ length: history.length }, (_, at) => history.pairOf(at))).toEqual([
      4, 5, -1, 7, 0, 1, -1, 3,
    ]);
  });

  test('operations are those of clients, open ones too', () => {
    expect(
      [...history.operations()].map(({ invoke, completion }) => [invoke.index, completion?.index]),
    ).toEqual([
      [0, 4],
      [2, undefined],
    ]);
    expect([...history.operationsByKey().keys()]).toEqual(['x', 'y']);
  });

  test('faults and observations', () => {
    expect([...history.faults()].map(({ index }) => index)).toEqual([1, 3, 5, 7]);
    expect([...history.observations()].map(({ index }) => index)).toEqual([6]);
  });

  test('single fields agree with whole entries', () => {
    for (const op of history.ops()) {
      expect(history.time(op.index)).toBe(op.time);
      expect(history.type(op.index)).toBe(op.type);
      expect(history.process(op.index)).toBe(op.process);
      expect(history.isClient(op.index)).toBe(typeof op.process === 'number');
    }
    expect(() => history.op(8)).toThrow('there is no entry 8 of 8');
  });

  test('an index that is not the next, or a time that goes back, is a bug', () => {
    const op: Op = {
      index: 0,
      time: nanos(5),
      process: 0,
      type: 'invoke',
      f: 'read',
      value: null,
      phase: 'main',
    };
    expect(() => historyOf([{ ...op, index: 1 }])).toThrow('index 1 is not the next one');
    expect(() => historyOf([op, { ...op, index: 1, time: nanos(4) }])).toThrow('time went back');
  });

  test('a history that was built stays as it is while the builder goes on', () => {
    const builder = new HistoryBuilder();
    for (const op of [...history.ops()].slice(0, 4)) builder.add(op);
    const early = builder.build();
    for (const op of [...history.ops()].slice(4)) builder.add(op);
    expect([early.length, early.pairOf(0), [...early.ops()].length]).toEqual([4, -1, 4]);
    expect(builder.build().pairOf(0)).toBe(4);
  });

  test('numbers too large for the columns are kept as they are, across many entries', () => {
    const builder = new HistoryBuilder();
    const stamp = (n: number) => ({ revision: n % 7 === 0 ? 2 ** 52 + n : n, term: n % 3 });
    for (let n = 0; n < 40_000; n++)
      builder.append(
        { process: n, type: 'ok', f: 'read', value: n * 1e6, phase: 'main', server: stamp(n) },
        nanos(n * 1e9),
      );
    const built = builder.build();
    for (let n = 0; n < 40_000; n += 997) {
      expect(built.op(n).server).toEqual(stamp(n));
      expect([built.op(n).value, built.time(n)]).toEqual([n * 1e6, n * 1e9]);
    }
  });
});
