/** What one member has to say to another and has not written yet: in order, and bounded. */
import {
  BODY_BYTES_MAX,
  type Body,
  bodyLength,
  FRAME_BYTES_MAX,
  frameOf,
  PartWriter,
} from './peer-frames.ts';

/** What a queued body costs beside its bytes, so that many small ones are bounded too. */
const COST_OF_ONE = 128;
/** Handed to the kernel at once; its progress is seen only between two such batches. */
const BATCH_BYTES = FRAME_BYTES_MAX;

/** `prompt` may overtake what is long; among those that are `ordered` none overtakes another. */
export type Haste = 'prompt' | 'ordered';

interface LongBody {
  readonly parts: PartWriter;
  readonly cost: number;
  /** How many short ones, counted from the start, must have gone before. */
  readonly after: number;
  readonly done: ((sent: boolean) => void) | undefined;
}

/** Frames to be written at once. */
export interface Batch {
  readonly bytes: Buffer;
  /** To be told whether they were handed to the kernel. */
  readonly done: ((sent: boolean) => void) | undefined;
}

/**
 * Two lanes: short bodies, and those that go in parts. A batch takes from both, so that neither
 * makes the other wait for longer than a batch.
 */
export class SendQueue {
  readonly #bytesMax: number;
  #short: Buffer[] = [];
  #shortCost = 0;
  #shortOffered = 0;
  #long: LongBody[] = [];
  #longCost = 0;

  /** Each lane takes bodies until it holds `bytesMax` or more: one may be longer than that. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get isEmpty(): boolean {
    return this.#short.length === 0 && this.#long.length === 0;
  }

  /** Bytes held, and what it costs to hold them. */
  get cost(): number {
    return this.#shortCost + this.#longCost;
  }

  /**
   * False: there is no room, and `done` is never called. Otherwise it is called once: with true
   * when all of the body was handed to the kernel, with false when that will not be.
   */
  offer(body: Body, haste: Haste, done?: (sent: boolean) => void): boolean {
    const length = bodyLength(body);
    const mustWait = haste === 'ordered' && this.#long.length > 0;
    if (length > FRAME_BYTES_MAX || mustWait || done !== undefined) {
      if (this.#longCost >= this.#bytesMax || length > BODY_BYTES_MAX) return false;
      const cost = length + COST_OF_ONE;
      this.#long.push({ parts: new PartWriter(body), cost, after: this.#shortOffered, done });
      this.#longCost += cost;
      return true;
    }
    if (this.#shortCost >= this.#bytesMax) return false;
    const frame = frameOf(body);
    this.#short.push(frame);
    this.#shortOffered++;
    this.#shortCost += frame.length + COST_OF_ONE;
    return true;
  }

  /** Undefined: there is nothing to write. */
  take(): Batch | undefined {
    const frames = this.#takeShort();
    const [long] = this.#long;
    let done: ((sent: boolean) => void) | undefined;
    if (long !== undefined && this.#shortOffered - this.#short.length >= long.after) {
      frames.push(long.parts.next());
      if (long.parts.isDone) {
        this.#long.shift();
        this.#longCost -= long.cost;
        done = long.done;
      }
    }
    const [first] = frames;
    if (first === undefined) return undefined;
    return { bytes: frames.length === 1 ? first : Buffer.concat(frames), done };
  }

  clear(): void {
    const lost = this.#long;
    this.#short = [];
    this.#shortCost = 0;
    this.#long = [];
    this.#longCost = 0;
    for (const { done } of lost) done?.(false);
  }

  #takeShort(): Buffer[] {
    let count = 0;
    let bytes = 0;
    for (const frame of this.#short) {
      if (count > 0 && bytes + frame.length > BATCH_BYTES) break;
      bytes += frame.length;
      count++;
    }
    this.#shortCost -= bytes + count * COST_OF_ONE;
    const all = this.#short;
    this.#short = count === all.length ? [] : all.slice(count);
    return count === all.length ? all : all.slice(0, count);
  }
}
