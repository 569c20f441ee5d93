import type { ClientReadableStream } from '@grpc/grpc-js';
import type { Reply } from './client.ts';
import { STATUS } from './status.ts';

/**
 * Hands each message of a call to `take`. Ok only when the server said that these were all of them;
 * what `take` throws ends the call. Never throws.
 */
export function readToEnd<T>(
  call: () => ClientReadableStream<T>,
  take: (message: T) => void,
): Promise<Reply<null>> {
  return new Promise((resolve) => {
    const fail = (error: unknown): void => resolve({ ok: false, error });
    try {
      const stream = call();
      // The status may come before the last messages were read, and an error ends the stream, too.
      const left = new Set(['end', 'status']);
      const seen = (what: string): void => {
        left.delete(what);
        if (left.size === 0) resolve({ ok: true, value: null });
      };
      stream.on('data', (message: T) => {
        try {
          take(message);
        } catch (error) {
          fail(error);
          stream.cancel();
        }
      });
      stream.on('error', fail);
      stream.on('end', () => seen('end'));
      stream.on('status', ({ code }: { readonly code: number }) => {
        if (code === STATUS.OK) seen('status');
      });
    } catch (error) {
      // A call on a closed channel is thrown, not emitted.
      fail(error);
    }
  });
}
