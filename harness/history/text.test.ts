import { expect, test } from 'vitest';
import { parseHistory } from './notation.ts';
import { formatHistory, formatOp } from './text.ts';

const history = parseHistory(`
  0 invoke write k1 41 @n1; 12 invoke read k17 @n2 mode=serializable
  0 ok rev=9 mod=9
  12 info err=request-timed-out?"no\\nanswer" t=1234567us
  nemesis invoke partition - {"stage":"begin"} lane=links ph=heal
  2 invoke cas k1 41>42; 2 fail err=compare-failed! seen=40
`);

test('columns', () => {
  expect(formatHistory(history)).toMatchInlineSnapshot(`
    "0  0.000  0        invoke  write      k1   41                 @n1
    1  0.001  12       invoke  read       k17                     @n2 serializable
    2  0.002  0        ok      write      k1   41                 @n1 rev 9 mod 9
    3  1.235  12       info    read       k17  _                  @n2 serializable request-timed-out? (no\\nanswer)
    4  1.235  nemesis  invoke  partition       {"stage":"begin"}  lane links heal
    5  1.235  2        invoke  cas        k1   41>42
    6  1.235  2        fail    cas        k1   41>42              compare-failed saw 40
    "
  `);
});

test('some entries', () => {
  expect(formatHistory(history, ({ key }) => key === 'k17').split('\n')).toHaveLength(3);
});

test('one entry', () => {
  expect(formatOp(history.op(6))).toBe('6  1.235  2  fail  cas  k1  41>42  compare-failed saw 40');
});

test('control characters never reach the terminal', () => {
  const nasty = parseHistory('0 invoke write "k\\u001b[31m" "\\u001b]0;x\\u0007\\u009b\\u202e"');
  // oxlint-disable-next-line no-control-regex
  expect(formatHistory(nasty).trimEnd()).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
});
