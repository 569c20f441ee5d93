/** One direction of a pair of members: what this one says to that one, on a connection it dials. */
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../../../harness/core/clock.ts';
import type { Log } from '../../../harness/core/log.ts';
import { msFromNanos } from '../../../harness/core/units.ts';
import { BODY_BYTES_MAX, type Body, bodyLength, frameOf } from './peer-frames.ts';
import { bodyOf, type Hello } from './peer-talk.ts';
import { addressText, type Dial } from './tcp-address.ts';
import { type Batch, type Haste, SendQueue } from './tcp-queue.ts';
import { dial, whyDialFailed } from './tcp-sockets.ts';

/** Pauses before one dial after the other; the last for all that follow. */
const REDIAL_MS = [50, 100, 200, 400, 500] as const;
const REDIAL_MS_LAST = 500;
/** Dials in vain after which the same reason is mentioned again: those of a minute. */
const SILENT_FAILURES = 120;
/** Reports make raft act, and what it does may be lost again: without a pause this never ends. */
const REPORT_EVERY_MS = 100;

export interface OutgoingOptions extends Dial {
  readonly clock: Clock;
  readonly log: Log;
  readonly hello: Hello;
  /** A connection that takes nothing for so long is given up. */
  readonly stallMs: number;
  readonly queueBytesMax: number;
  /** Something was lost since the last time; never called from within `say`. */
  readonly onLost: () => void;
}

type State =
  | { readonly at: 'waiting'; readonly timer: Timer }
  | { readonly at: 'dialling'; readonly socket: Socket; readonly timer: Timer }
  | { readonly at: 'open'; readonly socket: Socket }
  | { readonly at: 'disposed' };

/**
 * Dials at once, and again for as long as it lives. Nothing flows back: to say something, it is
 * enough that this direction works. So nobody confirms a connection either, and one counts as good
 * only after it has lasted, because a proxy accepts even when there is nobody behind it.
 */
export class OutgoingLink implements Disposable {
  readonly #options: OutgoingOptions;
  readonly #queue: SendQueue;
  #state: State = { at: 'disposed' };
  /** Dials in a row after which no connection lasted. */
  #failures = 0;
  /** Why they failed, as far as it was logged of late. */
  readonly #told = new Set<string>();
  /** What is being written, since when. */
  #writing: { readonly batch: Batch; readonly sinceMs: number } | undefined;
  #isFlushing = false;
  #beat: Timer | undefined;
  #report: Timer | undefined;
  #reportedMs = Number.NEGATIVE_INFINITY;
  /** Who waits to hear that what they gave was refused. */
  #refused: ((sent: boolean) => void)[] = [];

  constructor(options: OutgoingOptions) {
    this.#options = options;
    this.#queue = new SendQueue(options.queueBytesMax);
    this.#dial();
  }

  /** Bytes waiting, and what it costs to hold them. */
  get backlog(): number {
    return this.#queue.cost;
  }

  /**
   * `done` is called once, later, unless this is disposed before: whether all of it was handed to
   * the kernel. What is said within one turn of the event loop is written together.
   */
  say(body: Body, haste: Haste, done?: (sent: boolean) => void): void {
    const { at } = this.#state;
    if (at === 'disposed') return;
    if (at === 'waiting' || !this.#queue.offer(body, haste, done)) {
      if (bodyLength(body) > BODY_BYTES_MAX)
        this.#options.log.error('a message is too long to be sent', this.#fields());
      if (done !== undefined) this.#refused.push(done);
      this.#lose();
      return;
    }
    if (at === 'open') this.#flush();
  }

  /** There is a sign of life from the other side: worth to try at once. */
  wake(): void {
    if (this.#state.at !== 'waiting') return;
    this.#state.timer.cancel();
    this.#dial();
  }

  [Symbol.dispose](): void {
    const state = this.#state;
    // The last words: the kernel takes what it has room for.
    if (state.at === 'open') this.#pump();
    this.#state = { at: 'disposed' };
    this.#writing = undefined;
    this.#beat?.cancel();
    this.#report?.cancel();
    if (state.at === 'waiting' || state.at === 'dialling') state.timer.cancel();
    if (state.at === 'dialling' || state.at === 'open') state.socket.destroy();
  }

  #dial(): void {
    const { socket, opened, withinMs } = dial(this.#options);
    const timer = this.#options.clock.timer(withinMs, () =>
      socket.destroy(new Error('the dial took too long')),
    );
    this.#state = { at: 'dialling', socket, timer };
    let problem: unknown;
    socket.on('error', (error) => {
      problem = error;
    });
    socket.once(opened, () => {
      timer.cancel();
      this.#opened(socket);
    });
    socket.once('close', () => {
      timer.cancel();
      this.#closed(socket, problem);
    });
    // Nothing is expected; but unread, its end would not be seen.
    socket.resume();
  }

  #opened(socket: Socket): void {
    this.#state = { at: 'open', socket };
    socket.write(frameOf(bodyOf({ type: 'hello', ...this.#options.hello })));
    this.#armBeat();
    this.#pump();
  }

  #closed(socket: Socket, problem: unknown): void {
    const state = this.#state;
    if (state.at === 'disposed' || state.at === 'waiting' || state.socket !== socket) return;
    this.#beat?.cancel();
    this.#mention(problem === undefined ? 'closed by the other side' : whyDialFailed(problem));
    const delayMs = REDIAL_MS[this.#failures] ?? REDIAL_MS_LAST;
    this.#failures++;
    const timer = this.#options.clock.timer(delayMs, () => this.#dial());
    this.#state = { at: 'waiting', timer };
    const lost = this.#writing;
    this.#writing = undefined;
    this.#queue.clear();
    lost?.batch.done?.(false);
    this.#lose();
  }

  /** Each reason when it is new, and once in a while. */
  #mention(why: string): void {
    if (this.#failures % SILENT_FAILURES === 0) this.#told.clear();
    if (this.#told.has(why)) return;
    this.#told.add(why);
    this.#options.log.info('no connection to a member', { ...this.#fields(), why });
  }

  #flush(): void {
    if (this.#isFlushing || this.#writing !== undefined) return;
    this.#isFlushing = true;
    process.nextTick(() => {
      this.#isFlushing = false;
      this.#pump();
    });
  }

  /** One batch at a time: what is said while the kernel takes one becomes the next. */
  #pump(): void {
    if (this.#state.at !== 'open' || this.#writing !== undefined) return;
    const { socket } = this.#state;
    const batch = this.#queue.take();
    if (batch === undefined) return;
    const writing = { batch, sinceMs: this.#nowMs() };
    this.#writing = writing;
    socket.write(batch.bytes, (error) => {
      if (this.#writing !== writing || (error !== null && error !== undefined)) return;
      this.#writing = undefined;
      batch.done?.(true);
      this.#pump();
    });
  }

  /** Gives up what does not move; says that we are here when there is nothing else to say. */
  #armBeat(): void {
    const { clock, stallMs } = this.#options;
    this.#beat = clock.timer(stallMs / 4, () => {
      const state = this.#state;
      if (state.at !== 'open') return;
      if (this.#writing !== undefined && this.#nowMs() - this.#writing.sinceMs > stallMs) {
        state.socket.destroy(new Error(`nothing was taken for ${stallMs} ms`));
        return;
      }
      if (this.#failures > 0) {
        this.#failures = 0;
        this.#options.log.info('a connection to a member lasts again', this.#fields());
      }
      this.say(bodyOf({ type: 'alive' }), 'prompt');
      this.#armBeat();
    });
  }

  #lose(): void {
    if (this.#report !== undefined) return;
    const waitMs = this.#reportedMs + REPORT_EVERY_MS - this.#nowMs();
    this.#report = this.#options.clock.timer(Math.max(0, waitMs), () => {
      this.#report = undefined;
      this.#reportedMs = this.#nowMs();
      const refused = this.#refused;
      this.#refused = [];
      for (const done of refused) done(false);
      this.#options.onLost();
    });
  }

  #nowMs(): number {
    return msFromNanos(this.#options.clock.now());
  }

  #fields(): Readonly<Record<string, string>> {
    const { hello, address } = this.#options;
    return { member: hello.to, address: addressText(address) };
  }
}
