import { expect, test } from 'vitest';
import { payloadOf } from './container-watch.ts';

function framed(stream: 1 | 2, text: string): Buffer {
  const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

test('the pieces of a log come out in order, without what the engine puts before them', () => {
  const log = Buffer.concat([framed(1, 'a\n'), framed(2, ''), framed(2, 'é\nc')]);
  expect(payloadOf(log).toString()).toBe('a\né\nc');
  expect(payloadOf(Buffer.alloc(0))).toHaveLength(0);
});

test('a log that breaks off keeps what there is of its last piece', () => {
  const log = Buffer.concat([framed(1, 'one'), framed(1, 'two three')]);
  expect(payloadOf(log.subarray(0, -6)).toString()).toBe('onetwo');
  expect(payloadOf(log.subarray(0, 15)).toString()).toBe('one');
});
