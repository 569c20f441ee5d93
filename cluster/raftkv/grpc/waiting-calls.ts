/** Calls of the services Lock and Election, which may wait for as long as somebody holds a lock. */
import type { UntypedHandleCall } from '@grpc/grpc-js';
import { FAILURES, type Failure, failed, type Result } from '../failures.ts';
import { type Context, unary } from './context.ts';

export type WaitingHandle<Request, Response> = (
  request: Request,
  signal: AbortSignal,
) => Promise<Result<Response>>;

/** What waits, so that each ends when its client goes, and all when the server stops. */
export class WaitingCalls {
  readonly #context: Context;
  readonly #waiting = new Set<AbortController>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** The signal is aborted when nobody waits for the answer any more. */
  unary<Request, Response>(handle: WaitingHandle<Request, Response>): UntypedHandleCall {
    return unary<Request, Response>(this.#context, async (request, call) => {
      const over = new AbortController();
      call.on('cancelled', () => over.abort());
      if (call.cancelled) over.abort();
      this.#waiting.add(over);
      try {
        const result = await handle(request, over.signal);
        return result.ok ? result : failed(withoutCode(result.failure));
      } finally {
        this.#waiting.delete(over);
      }
    });
  }

  stop(): void {
    for (const over of this.#waiting) over.abort();
  }
}

/** In etcd a client within the server asks it, and what it is refused loses its code on the way. */
function withoutCode(failure: Failure): Failure {
  // There the connection ends before anything could be said.
  if (failure === FAILURES.stopped) return failure;
  return { status: 'UNKNOWN', message: failure.message };
}
