import { expect, test } from 'vitest';
import { failRun } from '../testing/fixture-result.ts';
import { renderText } from '../text.ts';
import { widthOf } from '../words.ts';
import { refitted } from './refit.ts';

test('what fits stays as it is', () => {
  const lines = [' ✗ x', '', '   one two', '   three'];
  expect(refitted(lines, 20)).toBe(lines);
});

test('paragraphs flow anew, labels keep their place, and commands stay whole', () => {
  const lines = [
    '   one two three four five six',
    '   seven.',
    '',
    ' How often     1 of 64 keys with a violation, 63 linearizable',
    ' Judge again   npx schism check 7f3a --check-timeout 30m \\',
    '                 --config a-very-long-name.config.ts',
    ' Report        .schism/runs/20261121T014712Z-7f3a/report.html',
  ];
  expect(refitted(lines, 34).join('\n')).toMatchInlineSnapshot(`
    "   one two three four five six
       seven.

     How often     1 of 64 keys with a
                   violation, 63
                   linearizable
     Judge again   npx schism check 7f3a --check-timeout 30m \\
                     --config a-very-long-name.config.ts
     Report        .schism/runs/20261121T014712Z-7f3a/report.html"
  `);
});

test('rows lose their bars together, and then their ends', () => {
  const { result, history } = failRun();
  const lines = renderText(result, history, { columns: 100 }).split('\n');
  for (const columns of [60, 70, 80, 90]) {
    const narrow = refitted(lines, columns);
    const wide = narrow.filter((line) => widthOf(line) > columns && !/npx| --/.test(line));
    expect(wide).toEqual([]);
    const bars = narrow.filter((line) => line.includes('├')).length;
    expect([0, 3]).toContain(bars);
    expect(narrow.join('\n').includes('bars show the order')).toBe(bars > 0);
  }
});
