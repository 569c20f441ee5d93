/** One direction between two nodes: its stream of messages, and the faults on it. */
import type { VirtualClock } from '../../../harness/core/clock.ts';
import { invariant } from '../../../harness/core/invariant.ts';
import type { Random } from '../../../harness/core/prng.ts';
import { msFromNanos, type Nanos, type NodeName, nanos } from '../../../harness/core/units.ts';
import type { Shape } from '../../../harness/protocols/network.ts';
import { type DelayDistribution, drawMs } from './delay.ts';
import type { Port } from './port.ts';
import type { Trace } from './trace.ts';

/** Who is behind an address now. `refusing`: the machine is there, and nobody listens. */
export type Behind = Port | 'refusing' | 'silent';

export interface LinkOptions {
  readonly from: NodeName;
  readonly to: NodeName;
  readonly clock: VirtualClock;
  /** Its own: no other link draws from it. */
  readonly random: Random;
  readonly latency: DelayDistribution;
  /** Of each message: that it is lost, and that it comes twice, the second time out of order. */
  readonly loss: number;
  readonly duplication: number;
  readonly behind: (node: NodeName) => Behind;
  readonly trace: Trace;
}

/** Messages of one moment, which travel together. */
interface Batch {
  readonly at: Nanos;
  readonly messages: unknown[];
}

/** From one life of the sender to one of the receiver. */
interface Stream {
  readonly sender: Port;
  readonly receiver: Port;
  /** The newest. */
  batch: Batch | undefined;
  /** What a `hold` keeps back. */
  held: Batch[];
  willReset: boolean;
  /** Nothing of it arrives any more. */
  isBroken: boolean;
  /** Its ends are being told, and what is sent meanwhile is lost. */
  isEnding: boolean;
}

interface Installed {
  readonly shape: Shape;
  readonly random: Random;
}

/** Sends nothing by itself; everything that it delivers is one event of the clock. */
export class Link {
  readonly #options: LinkOptions;
  readonly #name: string;
  readonly #latency: Random;
  readonly #ends: Random;
  readonly #probes: Random;
  readonly #chance: { readonly loss: Random; readonly duplication: Random };
  /** How many grudges cut it. */
  #cuts = 0;
  readonly #shapes = new Map<string, Installed>();
  #stream: Stream | undefined;
  /** No message of this direction arrives before one that was sent earlier. */
  #lastArrival: Nanos = nanos(0);
  #heldProbes: (() => void)[] = [];

  constructor(options: LinkOptions) {
    const { from, to, random } = options;
    this.#options = options;
    this.#name = `${from}>${to}`;
    this.#latency = random.fork('latency');
    this.#ends = random.fork('ends');
    this.#probes = random.fork('probes');
    this.#chance = { loss: random.fork('loss'), duplication: random.fork('duplication') };
  }

  get isCut(): boolean {
    return this.#cuts > 0;
  }

  /** Installed latencies with all their jitter, in milliseconds. */
  get shapedMs(): number {
    let ms = 0;
    for (const { shape } of this.#shapes.values())
      if (shape.kind === 'latency') ms += shape.latencyMs + shape.jitterMs;
    return ms;
  }

  send(sender: Port, message: unknown): boolean {
    // Bytes into a dead cable: nobody is told, neither of them nor of a stream that is not made.
    if (this.#isSilent()) return true;
    const stream = this.#stream;
    const isOurs = stream !== undefined && stream.sender === sender;
    if (isOurs && !stream.receiver.life.isDead) {
      this.#put(stream, message);
      return true;
    }
    const behind = this.#options.behind(this.#options.to);
    if (behind === 'silent') return true;
    if (isOurs) {
      // A machine that was off and is on again knows nothing of this stream, and says so.
      this.#endsLater(stream, this.#drawEndMs());
      return true;
    }
    if (behind === 'refusing') return false;
    this.#put(this.#connect(sender, behind), message);
    return true;
  }

  cut(): void {
    this.#cuts++;
  }

  /** Undoes one cut, or all. A stream that lived through them has a gap, and breaks. */
  uncut(all: boolean): void {
    invariant(this.#cuts > 0, `${this.#name} was given back more often than it was cut`);
    this.#cuts = all ? 0 : this.#cuts - 1;
    if (this.#cuts === 0) this.#break();
  }

  addShape(name: string, shape: Shape): void {
    this.#shapes.set(name, { shape, random: this.#options.random.fork(name) });
  }

  /** False: it was taken away before. */
  removeShape(name: string): boolean {
    const installed = this.#shapes.get(name);
    this.#shapes.delete(name);
    if (installed?.shape.kind === 'blackhole') this.#break();
    if (installed?.shape.kind === 'hold' && !this.#has('hold')) this.#release();
    return installed !== undefined;
  }

  get shapes(): readonly string[] {
    return [...this.#shapes.keys()];
  }

  /** The life at one end is over: the other end is told, if its machine can still speak. */
  ended(port: Port, isPowerLost: boolean, back: Link): void {
    const stream = this.#stream;
    if (stream === undefined || (stream.sender !== port && stream.receiver !== port)) return;
    stream.held = [];
    if (isPowerLost) return;
    const teller = stream.receiver === port ? back : this;
    if (teller.#isSilent() || teller.#has('hold')) return;
    const ms = teller.#drawEndMs();
    // What the dead one had sent goes first.
    const leftMs = teller === this ? msFromNanos(this.#lastArrival - this.#now()) : 0;
    this.#endsLater(stream, Math.max(ms, leftMs));
  }

  /** A message that no node sees: `arrive` when it has come to the other end. */
  probe(arrive: () => void): void {
    if (this.#isSilent()) return;
    if (this.#has('hold')) {
      this.#heldProbes.push(() => this.probe(arrive));
      return;
    }
    const { clock, latency } = this.#options;
    clock.timer(drawMs(latency, this.#probes) + this.#shapedMs(this.#probes), () => {
      if (!this.#isSilent()) arrive();
    });
  }

  #connect(sender: Port, receiver: Port): Stream {
    const stream: Stream = {
      sender,
      receiver,
      batch: undefined,
      held: [],
      willReset: false,
      isBroken: false,
      isEnding: false,
    };
    this.#stream = stream;
    return stream;
  }

  #put(stream: Stream, message: unknown): void {
    const { loss, duplication } = this.#options;
    if (loss > 0 && this.#chance.loss.chance(loss)) return;
    if (duplication > 0 && this.#chance.duplication.chance(duplication))
      this.#travel(stream, [message], this.#drawMs(this.#chance.duplication));
    const at = this.#now();
    if (stream.batch?.at === at) {
      stream.batch.messages.push(message);
      return;
    }
    const batch: Batch = { at, messages: [message] };
    stream.batch = batch;
    if (this.#has('hold')) stream.held.push(batch);
    else this.#transmit(stream, batch);
  }

  #transmit(stream: Stream, batch: Batch): void {
    const now = this.#now();
    const ms = this.#drawMs(this.#latency);
    const arrival = Math.max(nanos(now + ms * 1e6), this.#lastArrival);
    this.#lastArrival = nanos(arrival);
    this.#travel(stream, batch.messages, msFromNanos(arrival - now));
    if (this.#shapes.size > 0) this.#planReset(stream);
  }

  #travel(stream: Stream, messages: readonly unknown[], ms: number): void {
    const { clock, from, trace } = this.#options;
    clock.timer(ms, () => {
      if (stream.isBroken || stream.receiver.life.isDead || this.#isSilent()) return;
      trace?.(`deliver ${this.#name} x${messages.length}`);
      stream.receiver.arrive(from, messages);
    });
  }

  #drawMs(random: Random): number {
    const ms = drawMs(this.#options.latency, random);
    return this.#shapes.size === 0 ? ms : ms + this.#shapedMs();
  }

  /** Jitter comes from the shape's own stream, but for probes: they shift nothing for messages. */
  #shapedMs(probes?: Random): number {
    let ms = 0;
    for (const { shape, random } of this.#shapes.values()) {
      if (shape.kind !== 'latency') continue;
      const draw = (probes ?? random).float();
      ms += Math.max(0, shape.latencyMs + (2 * draw - 1) * shape.jitterMs);
    }
    return ms;
  }

  #drawEndMs(): number {
    return drawMs(this.#options.latency, this.#ends);
  }

  #planReset(stream: Stream): void {
    for (const [name, { shape }] of this.#shapes) {
      if (shape.kind !== 'reset' || stream.willReset) continue;
      stream.willReset = true;
      this.#options.clock.timer(shape.afterMs, () => {
        stream.willReset = false;
        if (this.#shapes.has(name) && this.#stream === stream) this.#break();
      });
    }
  }

  /** Both ends are told at once, and nothing of it arrives any more. */
  #break(): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    this.#lastArrival = this.#now();
    this.#endsLater(stream, 0);
    stream.isBroken = true;
    stream.held = [];
  }

  /** One event for each end that is told. */
  #endsLater(stream: Stream, ms: number): void {
    if (stream.isEnding) return;
    stream.isEnding = true;
    const { clock, from, to, trace } = this.#options;
    const end = (tell: () => void): void => {
      clock.timer(ms, () => {
        if (this.#stream === stream) this.#stream = undefined;
        tell();
      });
    };
    trace?.(`break ${this.#name}`);
    end(() => stream.sender.tellBroken(to));
    end(() => stream.receiver.tellBroken(from));
  }

  #release(): void {
    const stream = this.#stream;
    const probes = this.#heldProbes;
    this.#heldProbes = [];
    for (const probe of probes) probe();
    if (stream === undefined) return;
    const { held } = stream;
    stream.held = [];
    for (const batch of held) this.#transmit(stream, batch);
  }

  #isSilent(): boolean {
    return this.#cuts > 0 || (this.#shapes.size > 0 && this.#has('blackhole'));
  }

  #has(kind: Shape['kind']): boolean {
    if (this.#shapes.size === 0) return false;
    for (const { shape } of this.#shapes.values()) if (shape.kind === kind) return true;
    return false;
  }

  #now(): Nanos {
    return this.#options.clock.now();
  }
}
