import { describe, expect, test } from 'vitest';
import { parseDiagram } from './diagram.ts';
import { parseHistory, printHistory } from './notation.ts';

describe('notation', () => {
  test('completions repeat what they do not say', () => {
    const history = parseHistory(`
      0 invoke write x 1 @n2   # a comment
      1 invoke read x mode=serializable ph=final; 0 ok
      1 ok read x 1 rev=7 mod=5
      2 invoke cas x _>2; 2 fail err=compare-failed!"it was 1" seen=1
      nemesis invoke partition - {"stage": "begin"} lane=links id=f1
      nemesis info partition - {"stage": "begin; #1"} lane=links
      observer info roles - "n1 leads"  t=1s
    `);
    expect(printHistory(history)).toMatchInlineSnapshot(`
      "0 invoke write x 1 @n2
      1 invoke read x mode=serializable ph=final
      0 ok write x 1
      1 ok read x 1 rev=7 mod=5
      2 invoke cas x _>2
      2 fail cas x _>2 err=compare-failed!"it was 1" seen=1
      nemesis invoke partition - {"stage":"begin"} id=f1 lane=links
      nemesis info partition - {"stage":"begin; #1"} lane=links
      observer info roles - "n1 leads" t=1000000000ns
      "
    `);
    expect(history.op(3)).toEqual({
      index: 3,
      time: 3_000_000,
      process: 1,
      type: 'ok',
      f: 'read',
      key: 'x',
      value: 1,
      phase: 'final',
      mode: 'serializable',
      server: { revision: 7, modRevision: 5 },
    });
    expect([0, 1, 2, 3, 4, 5, 6, 7, 8].map((at) => history.pairOf(at))).toEqual([
      2, 3, 0, 1, 5, 4, 7, 6, -1,
    ]);
  });

  test.each([
    ['0 begin write x 1', /'begin' is not one of invoke, ok, fail, info/],
    ['zero invoke write x 1', /'zero' is not a process/],
    ['0 ok', /it needs an f, as no invocation is open/],
    ['0 invoke write x 1 2', /'2' is too much/],
    ['0 invoke write x {]', /is not a value/],
    ['0 invoke write x "1', /a quote is not closed/],
    ['0 invoke read x mode=fast', /'fast' is not one of linearizable, serializable/],
    ['0 invoke read x rev=seven', /'seven' is not a whole number/],
    ['0 invoke read x err=gone', /does not end in ! \(definite\) or \? \(indefinite\)/],
    ['0 invoke read x t=12', /'t=12' is not a time/],
    ['0 invoke read x t=9ms; 0 ok t=8ms', /lies before the entry above/],
  ])('%s is refused', (text, message) => {
    expect(() => parseHistory(text)).toThrow(message);
  });
});

describe('diagrams', () => {
  test('columns are time; overlap is concurrency', () => {
    const history = parseDiagram(`
      0  [write x 1    ]   [w x 2 !]
      1       [read x 1]
      2         [cas x 1>3      ?]
      3                     [r x 2 mode=serializable rev=4]  [r x ...
    `);
    expect(printHistory(history)).toMatchInlineSnapshot(`
      "0 invoke write x 1
      1 invoke read x
      2 invoke cas x 1>3
      0 ok write x 1
      1 ok read x 1
      0 invoke write x 2
      3 invoke read x mode=serializable
      2 info cas x 1>3 err=unknown?
      0 fail write x 2 err=failed!
      3 ok read x 2 rev=4
      3 invoke read x
      "
    `);
  });

  test('entries of one column: invocations first, so that they overlap', () => {
    const history = parseDiagram(`
      0 [w x 1]
      1       [r x 1]
    `);
    expect(history.pairOf(0)).toBe(2);
  });

  test.each([
    ['0 [w x 1', /has no end/],
    ['0 w x 1]', /no operation/],
    ['0 [w x 1 [r x 1]', /begins before/],
    ['a [w x 1]', /'a' is not a process/],
  ])('%s is refused', (text, message) => {
    expect(() => parseDiagram(text)).toThrow(message);
  });
});
