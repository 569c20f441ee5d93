/** One direction of one connection: source, the stages of its toxics, sink. */
import type { Readable, Writable } from 'node:stream';
import type { Clock } from '../../../harness/core/clock.ts';
import type { Random } from '../../../harness/core/prng.ts';
import type { Toxic } from './toxic-list.ts';
import type { Chunk, Leftover, Stage, StreamName } from './toxics/toxic.ts';

/** Bytes that crossed a proxy, by direction; `sent` counts what was handed to the sink. */
export interface ByteCounters {
  received: number;
  sent: number;
}

export interface PipeOptions {
  readonly stream: StreamName;
  readonly source: Readable;
  readonly sink: Writable;
  readonly clock: Clock;
  readonly random: Random;
  readonly counters: ByteCounters;
  /** Closes the sink: with RST, or with FIN once all is written. */
  readonly close: (how: 'reset' | 'end') => void;
}

interface Slot {
  readonly toxic: Toxic;
  readonly memory: Map<string, number>;
  /** Undefined where toxicity spared this connection. */
  stage: Stage | undefined;
}

const NOTHING: Leftover = { chunks: [], ended: false };

/**
 * Moves bytes in order. Without a stage, a read is written as it came, in the same turn. Stages
 * come and go while it runs; everything a change moves, it moves in one turn, so that no byte can
 * overtake another.
 */
export class DirectionPipe {
  readonly #options: PipeOptions;
  readonly #slots: Slot[] = [];
  #started = false;
  #ended = false;
  #finished = false;

  constructor(options: PipeOptions, toxics: readonly Toxic[]) {
    this.#options = options;
    for (const toxic of toxics) this.add(toxic);
    const { source, sink } = options;
    source.on('data', (bytes: Buffer) => {
      options.counters.received += bytes.length;
      if (this.#slots.length === 0) this.#write(bytes);
      else this.#pushFrom(0, { bytes, arrived: options.clock.now() });
      this.#regulate();
    });
    // A reset source reads like an end; the original does not tell them apart either.
    source.once('end', () => {
      this.#endOfSource();
    });
    source.once('close', () => {
      this.#endOfSource();
    });
    sink.on('drain', () => {
      this.#regulate();
    });
    sink.once('close', () => {
      this.#regulate();
    });
    source.pause();
  }

  /** Begins to read. Until then nothing counts as sent. */
  start(): void {
    this.#started = true;
    this.#regulate();
  }

  /** True while a toxic keeps new connections waiting. */
  get blocksAccept(): boolean {
    return this.#slots.some(({ stage, toxic }) => stage !== undefined && toxic.kind.blocksAccept);
  }

  /** Puts a new toxic behind the others. */
  add(toxic: Toxic): void {
    if (toxic.stream !== this.#options.stream) return;
    const before = this.#slots.at(-1);
    const slot: Slot = { toxic, memory: new Map(), stage: undefined };
    this.#slots.push(slot);
    this.#roll(slot);
    this.#rollAgain(before);
    this.#regulate();
  }

  /** Starts the toxic anew with its changed attributes; the dice are thrown again. */
  update(toxic: Toxic): void {
    const slot = this.#slots.find((candidate) => candidate.toxic === toxic);
    if (slot === undefined) return;
    const before = slot.stage;
    const leftover = before?.stop() ?? NOTHING;
    this.#roll(slot);
    if (before !== undefined && slot.stage === undefined && toxic.kind.onRemove === 'reset')
      this.#reset();
    else this.#hand(leftover, this.#slots.indexOf(slot));
    this.#regulate();
  }

  remove(toxic: Toxic): void {
    const at = this.#slots.findIndex((candidate) => candidate.toxic === toxic);
    const slot = this.#slots[at];
    if (slot === undefined) return;
    const { stage } = slot;
    const leftover = stage?.stop() ?? NOTHING;
    this.#slots.splice(at, 1);
    if (toxic.kind.onRemove === 'close') this.#endFrom(at);
    else if (toxic.kind.onRemove === 'reset' && stage !== undefined) this.#reset();
    else this.#hand(leftover, at);
    this.#rollAgain(this.#slots[at - 1]);
    this.#regulate();
  }

  /** The original throws the dice of a toxic again when the one behind it comes or goes. */
  #rollAgain(slot: Slot | undefined): void {
    if (slot !== undefined && slot.toxic.toxicity > 0 && slot.toxic.toxicity < 1)
      this.update(slot.toxic);
  }

  /** Forgets everything that waits; for when the connection is destroyed. */
  stop(): void {
    this.#finished = true;
    for (const { stage } of this.#slots.splice(0)) stage?.stop();
  }

  #roll(slot: Slot): void {
    const { clock, random } = this.#options;
    const { toxic, memory } = slot;
    slot.stage = undefined;
    if (this.#finished || (toxic.toxicity < 1 && random.float() >= toxic.toxicity)) return;
    const next = (): number => this.#slots.indexOf(slot) + 1;
    slot.stage = toxic.kind.start(toxic.attributes, {
      clock,
      random,
      memory,
      out: {
        push: (chunk) => {
          this.#pushFrom(next(), chunk);
          this.#regulate();
        },
        end: () => {
          this.#endFrom(next());
        },
        reset: () => {
          this.#reset();
        },
      },
    });
  }

  #hand({ chunks, ended }: Leftover, from: number): void {
    for (const chunk of chunks) this.#pushFrom(from, chunk);
    if (ended) this.#endFrom(from);
  }

  #stageFrom(at: number): Stage | undefined {
    for (let i = at; i < this.#slots.length; i++) {
      const stage = this.#slots[i]?.stage;
      if (stage !== undefined) return stage;
    }
    return undefined;
  }

  #pushFrom(at: number, chunk: Chunk): void {
    const stage = this.#stageFrom(at);
    if (stage === undefined) this.#write(chunk.bytes);
    else stage.push(chunk);
  }

  #endFrom(at: number): void {
    const stage = this.#stageFrom(at);
    if (stage === undefined) this.#finish('end');
    else stage.end();
  }

  #write(bytes: Buffer): void {
    const { sink, counters } = this.#options;
    if (this.#finished || !sink.writable) return;
    counters.sent += bytes.length;
    sink.write(bytes);
  }

  #endOfSource(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#endFrom(0);
  }

  #reset(): void {
    this.#finish('reset');
  }

  #finish(how: 'reset' | 'end'): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#options.close(how);
  }

  /** Backpressure: reads only while the sink takes bytes and no stage is full. */
  #regulate(): void {
    const { source, sink } = this.#options;
    const wanted =
      this.#started && !sink.writableNeedDrain && !this.#slots.some(({ stage }) => stage?.full);
    if (wanted === !source.isPaused()) return;
    if (wanted) source.resume();
    else source.pause();
  }
}
