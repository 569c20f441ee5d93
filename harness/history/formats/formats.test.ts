/** Every format by hand-made files: what is read, what is left out, and how mistakes are named. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { printHistory } from '../notation.ts';
import type { Format, ReadOptions } from './format.ts';
import { guessFormat, importHistory, parseFormat } from './import.ts';

const DATA = new URL('./testdata/', import.meta.url);

function file(name: string): string {
  return readFileSync(new URL(name, DATA), 'utf8');
}

/** The history in the short notation without its times, and the notes. */
function read(text: string, format: Format, options: ReadOptions = {}): readonly string[] {
  const { history, notes } = importHistory(text, format, options);
  const lines = printHistory(history).trimEnd().split('\n');
  return [...lines.map((line) => line.replace(/ t=\S+$/, '')), ...notes.map((note) => `(${note})`)];
}

const FILES: readonly (readonly [name: string, format: Format, options: ReadOptions])[] = [
  ['bare-maps.edn', 'edn', {}],
  ['vector.edn', 'edn', {}],
  ['list.edn', 'edn', {}],
  ['tagged.edn', 'edn', {}],
  ['comments.edn', 'edn', {}],
  ['odd-index.edn', 'edn', {}],
  ['doubled-index.edn', 'edn', {}],
  ['keyed.edn', 'edn', {}],
  ['keyed-cas-only.edn', 'edn', {}],
  ['pairs-that-are-no-keys.edn', 'edn', { keyed: false }],
  ['nil-reads.edn', 'edn', {}],
  ['nil-reads-say-nothing.edn', 'edn', { nilReads: 'any' }],
  ['reused-process.edn', 'edn', {}],
  ['values.edn', 'edn', {}],
  ['etcd.log', 'porcupine', {}],
  ['noisy.log', 'porcupine', {}],
  ['kv.txt', 'porcupine-kv', {}],
  ['simple.ops', 'ops', {}],
  ['unordered.ops', 'ops', {}],
  ['parallel-client.ops', 'ops', {}],
  ['seconds.ops', 'ops', {}],
  ['other-functions.ops', 'ops', {}],
  ['ours.jsonl', 'jsonl', {}],
];

describe('hand-made files', () => {
  test.each(FILES)('%s', async (name, format, options) => {
    const text = file(name);
    expect(guessFormat(text, name)).toBe(format);
    const lines = read(text, format, options);
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`./testdata/${name}.expected`);
  });

  test('line ends of Windows and a byte order mark change nothing', () => {
    for (const [name, format, options] of FILES) {
      const text = `\uFEFF${file(name).replaceAll('\n', '\r\n')}`;
      expect(guessFormat(text)).toBe(format);
      expect(read(text, format, options)).toEqual(read(file(name), format, options));
    }
  });
});

const INVOKE = '{:process 0, :type :invoke, :f :read, :value nil}\n';

const MISTAKES: readonly (readonly [format: Format, text: string, said: string])[] = [
  ['edn', '', 'f:1:1: there is no operation; give'],
  [
    'edn',
    `${INVOKE}{:process 0, :type :ok, :f`,
    'f:2:27: the text ends where a value should be; the file may have been cut short',
  ],
  ['edn', `${INVOKE}{:process 0 :f}`, 'f:2:13: the map has no value for "f"; this is not EDN'],
  [
    'edn',
    `[${INVOKE}`,
    'f:1:1: the list of operations is never closed; the file may have been cut',
  ],
  ['edn', `${INVOKE}]`, "f:2:1: ']' closes nothing; this is not EDN"],
  ['edn', '{:a [1 2}', "f:1:9: '}' stands where ']' should; this is not EDN"],
  ['edn', '{:a "x}', 'f:1:5: a quote is never closed; the file may have been cut'],
  ['edn', String.raw`{:a "\q"}`, String.raw`f:1:6: '\q' is not an escape of EDN`],
  ['edn', '{:a 12x}', "f:1:5: '12x' is not a number"],
  ['edn', '{:a # }', "f:1:5: '#' is followed by no tag"],
  ['edn', '['.repeat(600), 'f:1:502: values are nested more than 500 deep'],
  ['edn', `${INVOKE}  7`, "f:2:3: '7' is not a map; an operation is {:process 0,"],
  ['edn', '{:results {:valid? true}}', 'f:1:1: the map has no :process; an operation is'],
  ['edn', '{:process 0, :f :read}', 'f:1:1: the map has no :type; it must be :invoke, :ok,'],
  ['edn', '{:process 0,\n :type :done, :f :read}', 'f:2:8: :type is done; it must be :invoke,'],
  ['edn', '{:process 0 :type :ok :f 7}', 'f:1:26: :f is 7; it must name what was done'],
  [
    'edn',
    '{:process 0, :type :ok, :f :read, :value 1}',
    'f:1:1: process 0 completes read, which it did not invoke; an operation is missing',
  ],
  ['edn', INVOKE + INVOKE, 'f:2:1: process 0 invokes read while its read is under way'],
  [
    'edn',
    `${INVOKE}{:process 0, :type :ok, :f :write, :value 1}`,
    'f:2:1: process 0 completes write, but read is under way',
  ],
  [
    'porcupine-kv',
    '{:process 0, :type :invoke, :f :get, :key "1"}\n{:process 0, :type :ok, :f :get, :key "2"}',
    'f:2:1: process 0 completes get of 2, but invoked it of 1',
  ],
  ['porcupine', 'hello\n', 'f:1:1: no line is an entry of a Jepsen log; an entry is "INFO'],
  [
    'porcupine',
    'INFO  jepsen.util - 0\t:invoke\t:read\tnil\nINFO  jepsen.util - 0\t:done\t:read\t1\n',
    'f:2:23: process 0 is not followed by what it did; it must be :invoke',
  ],
  [
    'porcupine',
    'INFO  jepsen.util - 0\t:invoke\t:cas\t[1 2\n',
    "f:1:36: '[' is never closed; the file may have been cut short",
  ],
  [
    'porcupine',
    'INFO  jepsen.util - 0\t:ok\t:read\t1\n',
    'f:1:1: process 0 completes read, which it did not invoke',
  ],
  ['ops', '\n', 'f:1:1: there is no operation; give'],
  ['ops', '\n{"op":"read",}', 'f:2:14: the line is not JSON near'],
  ['ops', '{"op":"read"', 'f:1:13: the line is not JSON near'],
  ['ops', '[1]', 'f:1:1: the line is not a JSON object; each line must be one operation such as'],
  ['ops', '{"client":[],"op":"read"}', 'f:1:11: "client" is []; it must be a number or a name'],
  ['ops', '{"client":1}', 'f:1:1: "op" is missing; it must be read, write, cas or append'],
  ['ops', '{"op":"write","arg":1}', 'f:1:1: "call" is missing; it must be a number: when'],
  ['ops', '{"op":"write","call":1,"ret":"x"}', 'f:1:30: "ret" is "x"; it must be a number, or -1'],
  [
    'ops',
    '{"op":"write","call":5, "ret": 4}',
    'f:1:32: "ret" is 4; it must be no earlier than "call"',
  ],
  ['ops', '{"op":"read","call":1,"ret":2}', 'f:1:1: "out" is missing; it must be the value read'],
  ['ops', '{"op":"cas","arg":3,"call":1,"ret":2}', 'f:1:19: "arg" is 3; it must be [from, to]'],
  [
    'ops',
    '{"op":"cas","arg":[1,2],"out":1,"call":1,"ret":2}',
    'f:1:31: "out" is 1; it must be true or false',
  ],
  ['ops', '{"op":"read","key":[],"call":1}', 'f:1:20: "key" is []; it must be a text or a number'],
  ['jsonl', '', 'f:1:1: there is no header line; this is not a history of ours'],
  ['jsonl', '{"client":1}', 'f:1: the first line is not the header'],
];

describe('mistakes', () => {
  test.each(MISTAKES)('%s %j: %s', (format, text, said) => {
    let message = '';
    try {
      importHistory(text, format, { name: 'f' });
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message.slice(0, said.length)).toBe(said);
    expect(message).not.toContain('\n');
  });

  test('an entry that does not fit to the first ones names the way out', () => {
    const pair = '{:process 0, :type :invoke, :f :write, :value [1 2]}\n';
    const text = `${pair}${pair.replace(':invoke', ':ok')}`.repeat(600);
    const single = '{:process 0, :type :invoke, :f :write, :value 3}';
    expect(() => importHistory(text + single, 'edn', { name: 'f' })).toThrow(
      'f:1201:47: :value is 3, but those before were [key value]; if they only look like keys, say --no-keyed',
    );
  });

  test('a format that nobody knows, and a text that looks like none', () => {
    expect(() => parseFormat('end')).toThrow(
      "'end' (did you mean 'edn'?); it is one of jsonl, edn",
    );
    expect(() => guessFormat('time,op\n1,read', 'f')).toThrow('f:1:1: its beginning looks like no');
    expect(() => guessFormat(' \n', 'f')).toThrow('f:1:1: it is empty');
  });
});
