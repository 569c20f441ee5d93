import { open } from 'node:fs/promises';
import type { Clock, Timer } from '../core/clock.ts';
import { HarnessError, messageOf } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import { type Nanos, nanos } from '../core/units.ts';
import { encodeOp, HEADER } from './codec.ts';
import { type History, HistoryBuilder } from './history.ts';
import type { Op, OpDraft } from './op.ts';

/** Where lines go; a `FileHandle` is one. The recorder closes it. */
export interface HistoryFile {
  appendFile(text: string): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Gives each entry its index and time, keeps it in memory and appends it to a file. Nobody waits
 * for the disk: lines are written 64 KB or 100 ms after they were recorded, and at the end. When
 * the disk fails, recording in memory goes on and `failure` says why.
 */
export class Recorder implements AsyncDisposable {
  /** The first error of the file, such as a full disk; what it holds is whole up to some entry. */
  failure: Error | undefined;
  readonly #clock: Clock;
  readonly #flushClock: Clock;
  readonly #bufferBytesMax: number;
  readonly #builder: HistoryBuilder = new HistoryBuilder();
  #file: HistoryFile | undefined;
  #buffer = '';
  #last: Nanos = nanos(0);
  #timer: Timer | undefined;
  /** Ends when everything that was taken from the buffer is written. Never rejects. */
  #writing: Promise<void> | undefined;

  /** Use `open` or `inMemory`; the file must be empty. */
  constructor(clock: Clock, file?: HistoryFile, flushClock: Clock = clock) {
    this.#clock = clock;
    this.#flushClock = flushClock;
    this.#bufferBytesMax =
      flushClock === clock ? LIMITS.recorderBufferBytes : LIMITS.recorderBufferBytesVirtual;
    this.#file = file;
    if (file !== undefined) this.#buffer = `${HEADER}\n`;
  }

  /**
   * Makes the file, which must not exist yet. Throws `store-failed`. Where `clock` is virtual, lines
   * are written by `flushClock`, the machine's: files know no other.
   */
  static async open(path: string, clock: Clock, flushClock: Clock = clock): Promise<Recorder> {
    try {
      const recorder = new Recorder(clock, await open(path, 'wx'), flushClock);
      await recorder.flush();
      return recorder;
    } catch (error) {
      throw new HarnessError('store-failed', `cannot record to ${path}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  /** Records without a file. */
  static inMemory(clock: Clock): Recorder {
    return new Recorder(clock);
  }

  /** Stamps and appends an entry: index order is real-time order. */
  record(draft: OpDraft): Op {
    const now = this.#clock.now();
    if (now > this.#last) this.#last = now;
    const op = this.#builder.append(draft, this.#last);
    if (this.#file === undefined || this.failure !== undefined) return op;
    this.#buffer += `${encodeOp(op)}\n`;
    if (this.#buffer.length >= this.#bufferBytesMax) this.#write();
    else
      this.#timer ??= this.#flushClock.timer(LIMITS.recorderFlushMs, () => {
        this.#timer = undefined;
        this.#write();
      });
    return op;
  }

  /** What was recorded until now; what follows does not change it. */
  history(): History {
    return this.#builder.build();
  }

  /** Resolves when everything recorded until now was handed to the system, or failed. */
  async flush(): Promise<void> {
    this.#write();
    await this.#writing;
  }

  /** Writes what is left, makes sure of the disk and closes the file. Never throws. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush();
    const file = this.#file;
    this.#file = undefined;
    if (file === undefined) return;
    await this.#attempt(() => file.sync());
    await this.#attempt(() => file.close());
  }

  /** Begins to write the buffer, unless a write is under way: that one takes it along. */
  #write(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#writing !== undefined || this.#buffer === '' || this.failure !== undefined) return;
    this.#writing = this.#drain();
  }

  async #drain(): Promise<void> {
    while (this.#buffer !== '' && this.failure === undefined) {
      const text = this.#buffer;
      this.#buffer = '';
      await this.#attempt(() => this.#file?.appendFile(text));
    }
    this.#buffer = '';
    // In the same turn as the last look at the buffer, so that no line is forgotten in between.
    this.#writing = undefined;
  }

  async #attempt(action: () => Promise<void> | undefined): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.failure ??= error instanceof Error ? error : new Error(messageOf(error));
    }
  }
}
