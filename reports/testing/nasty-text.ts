/** Texts that a store, a log or a name may hold, and that some output could take for its own. */
import * as fc from 'fast-check';

export const nastyText: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '</script><script>alert(1)</script>',
        '"><img src=x onerror=alert(1)>',
        "' onload='x",
        '--><!--',
        ']]>',
        '&lt;&amp;&#60;',
        '\u001b[31m\u001b]8;;http://x\u0007',
        '\u009b2J',
        '\r\n\t\u0000\u0007\u007f',
        '\n::error::x\n##[error]x',
        '%0A::set-output name=a::b',
        '\n```\n# h\n````',
        '`|`[x](http://x)@nobody',
        '\u202e\u2066\u2028',
        '\ud800',
        '\udc00x',
        '\ufffe\uffff\ufeff',
        '${1}',
        '$&$`',
        'y'.repeat(200),
      ),
      fc.string({ unit: 'binary' }),
      fc.string(),
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.join(''));
