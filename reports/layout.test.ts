import { describe, expect, test } from 'vitest';
import { commandLines, table, wrap } from './layout.ts';

test('wraps at spaces and cuts words that are longer than a line', () => {
  expect(wrap('one two three four', 9)).toEqual(['one two', 'three', 'four']);
  expect(wrap('abcdefghij kl', 4)).toEqual(['abcd', 'efgh', 'ij', 'kl']);
  expect(wrap('', 10)).toEqual(['']);
});

test('a command can be pasted, whatever its length', () => {
  const lines = commandLines('npx schism run --system etcd --fault partition,kill --seed 0x1', 30);
  expect(lines).toMatchInlineSnapshot(`
    [
      "npx schism run --system etcd \\",
      "  --fault partition,kill \\",
      "  --seed 0x1",
    ]
  `);
  expect(lines.slice(0, -1).every((line) => line.endsWith(' \\'))).toBe(true);
});

describe('tables', () => {
  const rows = [
    ['partition', '12', 'a text that needs more than the room there is'],
    ['kill', '3', 'short'],
  ];
  const heads = [
    { title: 'fault' },
    { title: 'count', align: 'right' as const },
    { title: 'why', wraps: true },
  ];

  test('align and wrap', () => {
    expect(table(heads, rows, { columns: 44, indent: 2 }).join('\n')).toMatchInlineSnapshot(`
      "  fault      count  why
        partition     12  a text that needs more
                          than the room there is
        kill           3  short"
    `);
  });

  test('never wider than asked, down to a floor', () => {
    for (const columns of [30, 40, 60, 100]) {
      const widest = Math.max(
        ...table(heads, rows, { columns, indent: 2 }).map((line) => line.length),
      );
      expect(widest).toBeLessThanOrEqual(columns);
    }
  });
});
