/** `schism check` on histories that others wrote: from files and standard input, compressed or not. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { MAIN, type Said, sandbox } from './cli-testing.ts';

const WRITES = `
{"client":0,"op":"write","key":"x","arg":1,"call":0,"ret":1}
{"client":0,"op":"write","key":"x","arg":2,"call":2,"ret":3}
`;
const GOOD = `${WRITES}{"client":1,"op":"read","key":"x","out":2,"call":4,"ret":5}\n`;
const BAD = `${WRITES}{"client":1,"op":"read","key":"x","out":1,"call":4,"ret":5}\n`;
const READS_BACK = `
{"client":1,"op":"read","key":"x","out":2,"call":4,"ret":5}
{"client":1,"op":"read","key":"x","out":1,"call":6,"ret":7}
`;
const QUEUE = `
{"op":"enqueue","arg":1,"call":0,"ret":1}
{"op":"dequeue","out":1,"call":2,"ret":3}
`;

/** With these files, and this on standard input. */
async function check(
  args: readonly string[],
  files: Readonly<Record<string, string | Buffer>>,
  input: string | Buffer = '',
): Promise<Said> {
  await using box = await sandbox();
  for (const [name, content] of Object.entries(files))
    await writeFile(join(box.dir, name), content);
  const { exitCode, stdout, stderr } = await execa(process.execPath, [MAIN, 'check', ...args], {
    cwd: box.dir,
    env: { CI: '', NO_COLOR: '1' },
    reject: false,
    input,
  });
  return { code: exitCode, out: stdout, err: stderr };
}

describe('schism check', () => {
  test('guesses the format of a file, says so, and passes it', async () => {
    const { code, out } = await check(['h.txt'], { 'h.txt': GOOD });
    expect(code).toBe(0);
    expect(out).toContain('h.txt: read as ops (by its content); judged as register');
    expect(out).toMatch(/exit 0: no violation found$/);
  });

  test('explains a violation of a compressed file, whatever its name', async () => {
    const { code, out } = await check(['h'], { h: gzipSync(BAD) });
    expect(code).toBe(1);
    expect(out).toContain('That value was out of date');
  });

  test('reads standard input, plain and compressed', async () => {
    const edn = [
      '{:process 0, :type :invoke, :f :read, :value nil}',
      '{:process 0, :type :ok, :f :read, :value 7}',
    ].join('\n');
    const wrong = await check(['-'], {}, edn);
    expect(wrong.code).toBe(1);
    expect(wrong.out).toContain('stdin: read as edn (by its content); judged as register');
    const right = await check(['-', '--init', '7', '--format', 'edn'], {}, gzipSync(edn));
    expect(right.out).toContain('stdin: read as edn; judged as register');
    expect(right.code).toBe(0);
  });

  test('gives one JSON document, and the text to people', async () => {
    const { code, out, err } = await check(['h.ops', '--json'], { 'h.ops': BAD });
    expect(code).toBe(1);
    const result = JSON.parse(out) as object;
    expect(result).toMatchObject({ verdict: 'fail', input: { format: 'ops', model: 'register' } });
    expect(err).toContain('h.ops: read as ops');
  });

  test('judges our own histories as before, or by a model if one is named', async () => {
    const jsonl = [
      '{"schism":1,"unit":"ns","clock":"monotonic"}',
      '{"i":0,"t":1,"p":0,"e":"invoke","f":"read","k":"x","v":null,"ph":"main"}',
      '{"i":1,"t":2,"p":0,"e":"ok","f":"read","k":"x","v":null,"ph":"main"}',
    ].join('\n');
    const plain = await check(['h.jsonl'], { 'h.jsonl': jsonl });
    expect({ code: plain.code, all: /linearizable.*availability/s.test(plain.out) }).toEqual({
      code: 0,
      all: true,
    });
    const named = await check(['h.jsonl', '--model', 'cas-register'], { 'h.jsonl': jsonl });
    expect(named.out).toContain('judged as cas-register');
    expect(named.out).not.toContain('availability');
  });

  test('judges by a weaker criterion if one is named, with its own explanation', async () => {
    const stale = await check(['h', '--criterion', 'sequential'], { h: BAD });
    expect(stale.code).toBe(0);
    expect(stale.out).toContain('judged as register for sequential consistency of all keys');
    const both = `${WRITES}${READS_BACK}`;
    const back = await check(['h', '--criterion', 'sequential', '--json'], { h: both });
    expect(back.code).toBe(1);
    expect(JSON.parse(back.out)).toMatchObject({
      verdict: 'fail',
      input: { model: 'register', criterion: 'sequential' },
      checks: [{ checker: 'sequential', anomalies: [{ kind: 'not-sequential' }] }],
    });
    expect(back.err).toMatch(/No order that keeps the order of each client/);
    const prefix = await check(['h', '--criterion', 'prefix'], { h: both });
    expect(prefix.code).toBe(1);
    expect(prefix.out).toContain('For c1 at the same node that went back in time');
  });

  test('a criterion alone judges our own histories too, whatever they asked of nodes', async () => {
    const jsonl = [
      '{"schism":1,"unit":"ns","clock":"monotonic"}',
      '{"i":0,"t":1,"p":0,"e":"invoke","f":"read","k":"x","v":null,"ph":"main"}',
      '{"i":1,"t":2,"p":0,"e":"ok","f":"read","k":"x","v":null,"ph":"main"}',
      '{"i":2,"t":3,"p":0,"e":"invoke","f":"hash","v":null,"ph":"final"}',
      '{"i":3,"t":4,"p":0,"e":"ok","f":"hash","v":7,"ph":"final"}',
    ].join('\n');
    const { code, out } = await check(['h.jsonl', '--criterion', 'prefix'], { 'h.jsonl': jsonl });
    expect(out).toContain('judged as register for prefix-consistent reads');
    expect(out).toContain('hash says nothing of objects, left out');
    expect(out).not.toContain('availability');
    expect(code).toBe(0);
  });

  test.each([
    [['h', '--model', 'fifo-queue'], QUEUE, 0, ''],
    [
      ['h', '--criterion', 'sequental'],
      GOOD,
      254,
      /--criterion: 'sequental' \(did you mean 'sequential'\?\); it is linearizable, sequential, pr/,
    ],
    [
      ['h'],
      QUEUE,
      254,
      /h: its operations are enqueue, dequeue, which are not those of a register/,
    ],
    [
      ['h', '--model', 'fifo-qeue'],
      QUEUE,
      254,
      /unknown model 'fifo-qeue' \(did you mean 'fifo-qu/,
    ],
    [['h', '--model', 'stack'], GOOD, 254, /h: it has write, read, which the model stack does not/],
    [['h', '--format', 'op'], GOOD, 254, /--format: 'op' \(did you mean 'ops'\?\); it is one of/],
    [['h', '--format', 'edn'], GOOD, 254, /h:2:1: .*; /],
    [['h'], `${GOOD}{"op":}`, 254, /h:5:7: the line is not JSON near '\{"op":\}'; each line must/],
    [['h'], 'what?', 254, /h:1:1: its beginning looks like no known format; say which it is/],
    [['h'], '', 254, /h:1:1: it is empty/],
    [['h', '--nil-reads', 'no'], GOOD, 254, /--nil-reads: 'no'; it is absent or any/],
    [['nowhere.edn'], '', 254, /no file nowhere\.edn; give a run or a file with a history/],
    [['h'], gzipSync(GOOD.repeat(50)).subarray(0, 60), 254, /h: the compressed data is damaged or/],
    [['-', '--format', 'ops'], '', 254, /stdin:1:1: there is no operation/],
  ] as const)('%j', async (args, content, code, said) => {
    const result = await check(args, { h: content });
    expect(result.code).toBe(code);
    expect(result.err).toMatch(said);
    // One clear line.
    expect(result.err.split('\n')).toHaveLength(1);
  });
});
