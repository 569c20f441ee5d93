/** The call Maintenance.Snapshot: a backup, piece by piece, as fast as the client takes it. */
import type { ServerDuplexStream, UntypedHandleCall } from '@grpc/grpc-js';
import type { Backup } from '../server/api.ts';
import type { Context } from './context.ts';
import type { Stream, StreamEvents, Streams } from './stream.ts';
import type { WireSnapshotResponse } from './wire.ts';

export function snapshotHandler({ api }: Context, streams: Streams): UntypedHandleCall {
  // To grpc-js it is another kind of call; to us it is one on which no requests come.
  return (call: ServerDuplexStream<object, WireSnapshotResponse>) => {
    streams.open(call, (stream) => {
      const sending = new Sending(stream);
      void sending.send(() => api.snapshot());
      return sending;
    });
  };
}

class Sending implements StreamEvents<object> {
  readonly #stream: Stream<WireSnapshotResponse>;
  #isClosed = false;
  #room: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(stream: Stream<WireSnapshotResponse>) {
    this.#stream = stream;
  }

  async send(take: Context['api']['snapshot']): Promise<void> {
    try {
      const taken = await take();
      if (taken.ok) await this.#sendPieces(taken.value);
      else this.#stream.fail(taken.failure);
    } catch (error) {
      this.#stream.broken(error);
    }
  }

  async #sendPieces({ size, pieces }: Backup): Promise<void> {
    let sent = 0;
    for await (const blob of pieces) {
      if (this.#isClosed) return;
      sent += blob.length;
      // The hash is not counted, as in etcd.
      const remainingBytes = sent < size ? size - sent : undefined;
      this.#room = Promise.withResolvers();
      if (this.#stream.write({ remainingBytes, blob }) === 'full') await this.#room.promise;
    }
    this.#stream.end();
  }

  request(): void {}

  halfClosed(): void {}

  drained(): void {
    this.#room.resolve();
  }

  closed(): void {
    this.#isClosed = true;
    this.#room.resolve();
  }
}
