import { describe, expect, test } from 'vitest';
import { realClock, sleep } from '../../../harness/core/clock.ts';
import { FAILURES } from '../failures.ts';
import type { RawStream } from './client-testing.ts';
import { type Serving, serving } from './serving-testing.ts';

const clock = realClock();
const PIECE = Buffer.alloc(32 * 1_024, 1);
const HASH = Buffer.alloc(32, 2);

function ask(s: Serving, metadata: Readonly<Record<string, string>> = {}): RawStream {
  const stream = s.client.stream('Maintenance', 'Snapshot', metadata);
  stream.send({});
  stream.halfClose();
  return stream;
}

/** More pieces than may be on their way, how many were taken, and whether nobody takes more. */
function many(s: Serving): { readonly taken: () => number; readonly isOver: () => boolean } {
  let taken = 0;
  let isOver = false;
  async function* pieces(): AsyncGenerator<Uint8Array> {
    try {
      while (taken < 4_000) {
        taken += 1;
        yield PIECE;
      }
    } finally {
      isOver = true;
    }
  }
  s.node.state.backup = pieces();
  return { taken: () => taken, isOver: () => isOver };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(clock, 2);
}

/** The number, once it has not grown for long. */
async function settled(count: () => number): Promise<number> {
  for (let before = -1; before !== count(); ) {
    before = count();
    await sleep(clock, 100);
  }
  return count();
}

describe('a snapshot', () => {
  test('is streamed piece by piece with what is left, the hash last and not counted', async () => {
    await using s = await serving();
    s.node.state.backup = [PIECE, Buffer.from('end'), HASH];
    s.node.state.backupSize = PIECE.length + 3;
    const stream = ask(s);
    expect(await stream.next()).toEqual({ remainingBytes: '3', blob: PIECE });
    expect(await stream.next()).toEqual({ blob: Buffer.from('end') });
    expect(await stream.next()).toEqual({ blob: HASH });
    expect(await stream.next()).toMatchObject({ code: 'OK' });
    expect(s.server.streams).toBe(0);
  });

  test('is not read faster than the client takes it, and no more once that is gone', async () => {
    await using s = await serving();
    const pieces = many(s);
    const stream = ask(s);
    await stream.next();
    stream.pause();
    const held = await settled(pieces.taken);
    // What is on its way, in windows and buffers.
    expect(held * PIECE.length).toBeLessThan(32 * 1_048_576);
    stream.resume();
    await until(() => pieces.taken() > held);
    stream.cancel();
    await until(pieces.isOver);
    await until(() => s.server.streams === 0);
  });

  test('ends with the server', async () => {
    await using s = await serving();
    const pieces = many(s);
    const stream = ask(s);
    await stream.next();
    const over = s.server[Symbol.asyncDispose]();
    let last = await stream.next();
    while ('blob' in last) last = await stream.next();
    expect(last).toEqual({ code: 'UNAVAILABLE', details: 'etcdserver: server stopped' });
    s.client[Symbol.dispose]();
    await over;
    await until(pieces.isOver);
    expect(s.server.streams).toBe(0);
  });

  test('is refused as the node refuses it', async () => {
    await using s = await serving();
    s.node.state.failure = FAILURES.stopped;
    const code = 'UNAVAILABLE';
    expect(await ask(s).next()).toEqual({ code, details: 'etcdserver: server stopped' });
    s.node.state.failure = undefined;
    await s.advance(1_000);
    s.node.state.isLearner = true;
    const learner = { code, details: 'etcdserver: rpc not supported for learner' };
    expect(await ask(s).next()).toEqual(learner);
    s.node.state.isLearner = false;
    s.node.state.leader = undefined;
    const refused = await ask(s, { hasleader: 'true' }).next();
    expect(refused).toEqual({ code, details: 'etcdserver: no leader' });
    expect(await ask(s).next()).toMatchObject({ code: 'OK' });
  });

  test('a bug on the way ends it, and is told', async () => {
    await using s = await serving();
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield PIECE;
      throw new Error('a bug');
    }
    s.node.state.backup = broken();
    const stream = ask(s);
    await stream.next();
    expect(await stream.next()).toMatchObject({ code: 'INTERNAL' });
    expect(s.errors).toEqual(['a request met a bug']);
  });
});
