/** One stream of requests and responses, from its refusal or first request to its one end. */
import type { ServerDuplexStream, StatusObject } from '@grpc/grpc-js';
import { FAILURES, type Failure } from '../failures.ts';
import { bugStatus, type Context, requiresLeader, statusOf } from './context.ts';
import type { LeaderRequired } from './leader-required.ts';

export interface StreamEvents<Request> {
  request(request: Request): void;
  /** No more requests. */
  halfClosed(): void;
  /** It takes responses again, after `write` said that it is full. */
  drained(): void;
  /** Once, however it ends. */
  closed(): void;
}

export interface Stream<Response> {
  /** Whether it is full: then the caller should wait for `drained`, though this one is sent. */
  write(response: Response): 'full' | 'ready';
  /** No `request` until `resume`. */
  pause(): void;
  resume(): void;
  /** After what was written. */
  end(): void;
  fail(failure: Failure): void;
  /** A bug: logged, and told to the client. */
  broken(error: unknown): void;
}

/** What is open, so that all can be ended when the server stops. */
export class Streams {
  readonly #context: Context;
  readonly #leaderRequired: LeaderRequired;
  readonly #open = new Set<Stream<never>>();

  constructor(context: Context, leaderRequired: LeaderRequired) {
    this.#context = context;
    this.#leaderRequired = leaderRequired;
  }

  /**
   * Refuses, or asks `begin` for what to do about its events. What `begin` or an event throws ends
   * the stream as a bug does.
   */
  open<Request, Response>(
    call: ServerDuplexStream<Request, Response>,
    begin: (stream: Stream<Response>) => StreamEvents<Request>,
  ): void {
    const { refusal } = this.#context;
    // A client that is gone may still make the call emit; nobody else would listen.
    call.on('error', () => undefined);
    const stream = new CallStream(this.#context, call);
    try {
      const refused = refusal(call.metadata, false);
      if (refused !== undefined) {
        stream.fail(refused);
        return;
      }
      this.#open.add(stream);
      const forget = requiresLeader(call.metadata)
        ? this.#leaderRequired.insist(() => stream.fail(FAILURES.noLeader))
        : () => undefined;
      stream.listen(begin(stream), () => {
        forget();
        this.#open.delete(stream);
      });
    } catch (error) {
      stream.broken(error);
    }
  }

  /** Ends all: the server stops. */
  stop(): void {
    for (const stream of this.#open) stream.fail(FAILURES.stopped);
  }

  get size(): number {
    return this.#open.size;
  }
}

class CallStream<Request, Response> implements Stream<Response> {
  readonly #context: Context;
  readonly #call: ServerDuplexStream<Request, Response>;
  #isOpen = true;
  #isPaused = false;
  #closed: () => void = () => undefined;

  constructor(context: Context, call: ServerDuplexStream<Request, Response>) {
    this.#context = context;
    this.#call = call;
  }

  listen(events: StreamEvents<Request>, closed: () => void): void {
    const guarded =
      <T extends readonly unknown[]>(handle: (...args: T) => void) =>
      (...args: T): void => {
        if (!this.#isOpen) return;
        try {
          handle(...args);
        } catch (error) {
          this.broken(error);
        }
      };
    this.#closed = () => {
      closed();
      events.closed();
    };
    if (!this.#isOpen) this.#closed();
    const call = this.#call;
    call.on(
      'data',
      guarded((request: Request) => events.request(request)),
    );
    call.on(
      'end',
      guarded(() => events.halfClosed()),
    );
    call.on(
      'drain',
      guarded(() => events.drained()),
    );
    call.on('cancelled', () => this.#close());
    call.on('close', () => this.#close());
  }

  write(response: Response): 'full' | 'ready' {
    if (!this.#isOpen) return 'full';
    return this.#call.write(response) ? 'ready' : 'full';
  }

  pause(): void {
    this.#isPaused = true;
    this.#call.pause();
  }

  resume(): void {
    if (!this.#isPaused || !this.#isOpen) return;
    this.#isPaused = false;
    this.#call.resume();
  }

  end(): void {
    if (this.#close()) this.#call.end();
  }

  fail(failure: Failure): void {
    this.#fail(statusOf(failure));
  }

  broken(error: unknown): void {
    this.#fail(bugStatus(this.#context, this.#call.getPath(), error));
  }

  #fail(status: Partial<StatusObject>): void {
    if (this.#close()) this.#call.emit('error', status);
  }

  /** False: it was closed before. */
  #close(): boolean {
    if (!this.#isOpen) return false;
    this.#isOpen = false;
    this.#closed();
    return true;
  }
}
