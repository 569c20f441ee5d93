/** What a store that means harm would answer and log. */

/** Each does harm somewhere: in a terminal, a browser, a spreadsheet, a log that GitHub reads. */
export const HOSTILE: readonly string[] = [
  '</script><script>alert(1)</script>',
  '<img src="http://127.0.0.1:9/leak" onerror="alert(2)">',
  '\u001b]0;owned\u0007\u001b[2J\u001b[31mred\u001b]8;;http://127.0.0.1:9\u0007link',
  '\n::error::owned\n##[error]owned\n::set-output name=owned::1\r\n',
  '%0A::stop-commands::owned',
  '=cmd|"/c calc"!A1',
  '@SUM(1+1)*cmd',
  '\u202eesrever\u2066\u2028\u2029\u0085\u0000\u0008\u009b2K',
  ']]><x a="--><!--"/>&lt;&amp;&#0;',
  '`code` | [link](javascript:alert(3)) <details open>\n```\n# owned',
  '$(touch owned) `touch owned` ; touch owned #',
  '\ud800 \udfff \ufffe\uffff',
];

/** A megabyte, with an end that shows whether it was shortened. */
export const HUGE: string = `${'<b>huge</b> '.repeat(87_000)}END-OF-HUGE`;

/** Lines of a node's log, with bytes that are no text. */
export function hostileLog(): Buffer {
  const json = HOSTILE.map((word) => JSON.stringify({ level: 'error', msg: word, ts: word }));
  return Buffer.concat([
    Buffer.from(`${[...HOSTILE, ...json].join('\n')}\n`, 'utf8'),
    Buffer.from([0xff, 0xfe, 0xc0, 0x80, 0xed, 0xa0, 0x80, 0x0a]),
    Buffer.from(`${HUGE}\n`),
  ]);
}
