import { EventEmitter } from 'node:events';
import type { ClientReadableStream } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { readToEnd } from './stream.ts';

/** What grpc-js emits; `cancelled` counts. */
class FakeStream extends EventEmitter {
  cancelled = 0;
  cancel(): void {
    this.cancelled++;
  }
  as<T>(): ClientReadableStream<T> {
    return this as unknown as ClientReadableStream<T>;
  }
}

function reading(take: (n: number) => void = () => undefined) {
  const stream = new FakeStream();
  const reply = readToEnd(() => stream.as<number>(), take);
  return { stream, reply };
}

const FINE = { code: 0 };

test.each([['end', 'status'] as const, ['status', 'end'] as const])(
  'a stream is whole after both its %s and its %s',
  async (first, second) => {
    const seen: number[] = [];
    const { stream, reply } = reading((n) => seen.push(n));
    stream.emit('data', 1);
    stream.emit(first, FINE);
    const soon = Promise.resolve('not yet');
    expect(await Promise.race([reply, soon])).toBe('not yet');
    stream.emit('data', 2);
    stream.emit(second, FINE);
    expect(await reply).toEqual({ ok: true, value: null });
    expect(seen).toEqual([1, 2]);
  },
);

test('a stream that breaks ends with its error, though grpc-js ends it before', async () => {
  const { stream, reply } = reading();
  stream.emit('data', 1);
  stream.emit('end');
  stream.emit('error', 'broken');
  stream.emit('status', { code: 14 });
  expect(await reply).toEqual({ ok: false, error: 'broken' });
});

test('whoever cannot take more ends the call', async () => {
  const { stream, reply } = reading(() => {
    throw new RangeError('too many');
  });
  stream.emit('data', 1);
  expect(await reply).toEqual({ ok: false, error: new RangeError('too many') });
  expect(stream.cancelled).toBe(1);
});

test('a call on a closed channel is an error like any other', async () => {
  const closed = new Error('Channel has been shut down');
  const reply = readToEnd(
    () => {
      throw closed;
    },
    () => undefined,
  );
  expect(await reply).toEqual({ ok: false, error: closed });
});
