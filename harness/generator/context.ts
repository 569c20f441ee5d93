import { invariant } from '../core/invariant.ts';
import { Random, seedFrom } from '../core/prng.ts';
import { type Nanos, type NodeName, nanos } from '../core/units.ts';
import type { Process } from '../history/op.ts';
import type { Context, Thread } from './generator.ts';

export interface ThreadTableOptions {
  readonly clients: number;
  /** One nemesis thread each: `nemesis:<lane>`. */
  readonly lanes?: readonly string[];
  /** Client thread `i` talks to node `i` modulo their number. */
  readonly nodes?: readonly NodeName[];
  /** Draws the free thread that an operation without a thread goes to. */
  readonly random?: Random;
}

/**
 * Who is busy and which process each thread runs, for the interpreter and for `simulate`. The one
 * mutable thing of scheduling: generators see it only as `Context`, and only during a call.
 */
export class ThreadTable {
  readonly threads: readonly Thread[];
  readonly #clients: number;
  readonly #nodes: readonly NodeName[];
  readonly #random: Random;
  readonly #at: ReadonlyMap<Thread, number>;
  /** The process of each client thread, and how many ids that process used. */
  readonly #processes: Int32Array;
  readonly #used: Int32Array;
  readonly #lanesUsed: Map<Thread, number> = new Map();
  readonly #state: TableState;
  readonly #root: View;

  constructor(options: ThreadTableOptions) {
    const { clients, lanes = [], nodes = [] } = options;
    this.#clients = clients;
    this.#nodes = nodes;
    this.#random = options.random ?? Random.stream(seedFrom(0), 'threads');
    this.threads = [
      ...Array.from({ length: clients }, (_, client) => client),
      ...lanes.map((lane) => `nemesis:${lane}` as const),
    ];
    this.#at = new Map(this.threads.map((thread, at) => [thread, at]));
    invariant(this.#at.size === this.threads.length, 'two lanes have the same name');
    this.#processes = Int32Array.from({ length: clients }, (_, client) => client);
    this.#used = new Int32Array(clients);
    this.#state = {
      table: this,
      time: nanos(0),
      version: 0,
      draw: this.#random.float(),
      free: bits(this.threads.map((_, at) => at)),
    };
    this.#root = new View(this.#state, this.threads, this.#state.free);
  }

  /** What generators see at `time`. The same object each time: valid until the next call. */
  context(time: Nanos): Context {
    this.#state.time = time;
    return this.#root;
  }

  /** The thread has taken an operation. */
  start(thread: Thread): void {
    const at = this.indexOf(thread);
    invariant(hasBit(this.#state.free, at), `thread ${thread} is busy already`);
    flipBit(this.#state.free, at);
    this.#state.version++;
    // Only clients draw, so that one more fault does not shift which client does what.
    if (typeof thread === 'number') this.#state.draw = this.#random.float();
  }

  /** Its operation ended. A client thread goes on as a new process when it `crashed` (`info`). */
  finish(thread: Thread, crashed: boolean): void {
    const at = this.indexOf(thread);
    invariant(!hasBit(this.#state.free, at), `thread ${thread} is free already`);
    flipBit(this.#state.free, at);
    this.#state.version++;
    if (!crashed || typeof thread !== 'number') return;
    this.#processes[at] = (this.#processes[at] as number) + this.#clients;
    this.#used[at] = 0;
  }

  isFree(thread: Thread): boolean {
    const at = this.#at.get(thread);
    return at !== undefined && hasBit(this.#state.free, at);
  }

  processOf(thread: Thread): Process {
    return typeof thread === 'number' ? (this.#processes[thread] as number) : 'nemesis';
  }

  /** Also for processes that ended: all processes of a thread are equal modulo the clients. */
  threadOf(op: { readonly process: Process; readonly lane?: string }): Thread | undefined {
    if (typeof op.process === 'number') return op.process % this.#clients;
    if (op.process !== 'nemesis' || op.lane === undefined) return undefined;
    const thread: Thread = `nemesis:${op.lane}`;
    return this.#at.has(thread) ? thread : undefined;
  }

  nodeOf(thread: Thread): NodeName | undefined {
    if (typeof thread !== 'number') return undefined;
    return this.#nodes[thread % this.#nodes.length];
  }

  /** A fresh operation id: `c<process>/<n>`, counted from 0; for a lane `<lane>/<n>`. */
  nextId(thread: Thread): string {
    if (typeof thread === 'number') {
      const n = this.#used[thread] as number;
      this.#used[thread] = n + 1;
      return `c${this.#processes[thread]}/${n}`;
    }
    const n = this.#lanesUsed.get(thread) ?? 0;
    this.#lanesUsed.set(thread, n + 1);
    return `${thread.slice('nemesis:'.length)}/${n}`;
  }

  indexOf(thread: Thread): number {
    const at = this.#at.get(thread);
    invariant(at !== undefined, `there is no thread ${thread}`);
    return at;
  }
}

/** What all views of one table share. */
interface TableState {
  readonly table: ThreadTable;
  time: Nanos;
  /** Grows with each change of `free`. */
  version: number;
  /** From 0 to 1; the same until a client takes an operation, so that polling draws nothing. */
  draw: number;
  /** A set of thread indices, 32 to a word. */
  readonly free: Uint32Array;
}

class View implements Context {
  readonly threads: readonly Thread[];
  readonly #state: TableState;
  readonly #mask: Uint32Array;
  /** By the identity of the list: generators keep theirs, so each is narrowed once. */
  readonly #narrowed: WeakMap<readonly Thread[], Context> = new WeakMap();
  #count = 0;
  #countedAt = -1;

  constructor(state: TableState, threads: readonly Thread[], mask: Uint32Array) {
    this.#state = state;
    this.threads = threads;
    this.#mask = mask.slice();
  }

  get time(): Nanos {
    return this.#state.time;
  }

  isFree(thread: Thread): boolean {
    if (!this.#state.table.isFree(thread)) return false;
    return hasBit(this.#mask, this.#state.table.indexOf(thread));
  }

  get freeCount(): number {
    const { version, free } = this.#state;
    if (this.#countedAt === version) return this.#count;
    let count = 0;
    for (let word = 0; word < free.length; word++)
      count += ones((free[word] as number) & (this.#mask[word] as number));
    this.#countedAt = version;
    this.#count = count;
    return count;
  }

  freeAt(n: number): Thread {
    const { free, table } = this.#state;
    let left = n;
    for (let word = 0; word < free.length; word++) {
      let set = (free[word] as number) & (this.#mask[word] as number);
      const count = ones(set);
      if (left >= count) {
        left -= count;
        continue;
      }
      for (; left > 0; left--) set &= set - 1;
      return table.threads[word * 32 + (31 - Math.clz32(set & -set))] as Thread;
    }
    invariant(false, `freeAt(${n}): only ${this.freeCount} threads are free`);
  }

  anyFree(): Thread | undefined {
    const count = this.freeCount;
    return count === 0 ? undefined : this.freeAt(Math.floor(this.#state.draw * count));
  }

  processOf(thread: Thread): Process {
    return this.#state.table.processOf(thread);
  }

  threadOf(op: { readonly process: Process; readonly lane?: string }): Thread | undefined {
    const { table } = this.#state;
    const thread = table.threadOf(op);
    if (thread === undefined || !hasBit(this.#mask, table.indexOf(thread))) return undefined;
    return thread;
  }

  nodeOf(thread: Thread): NodeName | undefined {
    return this.#state.table.nodeOf(thread);
  }

  narrow(threads: readonly Thread[]): Context {
    if (threads === this.threads) return this;
    let narrowed = this.#narrowed.get(threads);
    if (narrowed === undefined) {
      const { table, free } = this.#state;
      const mask = bits(
        threads.map((thread) => table.indexOf(thread)),
        free.length,
      );
      for (let word = 0; word < mask.length; word++)
        invariant(
          ((mask[word] as number) & ~(this.#mask[word] as number)) === 0,
          'a context is narrowed to threads that it does not have',
        );
      narrowed = new View(this.#state, threads, mask);
      this.#narrowed.set(threads, narrowed);
    }
    return narrowed;
  }
}

function bits(members: readonly number[], words?: number): Uint32Array {
  const set = new Uint32Array(words ?? Math.ceil(members.length / 32));
  for (const member of members) flipBit(set, member);
  return set;
}

function hasBit(set: Uint32Array, at: number): boolean {
  return (((set[at >>> 5] as number) >>> (at & 31)) & 1) === 1;
}

function flipBit(set: Uint32Array, at: number): void {
  set[at >>> 5] = (set[at >>> 5] as number) ^ (1 << (at & 31));
}

/** The number of ones in 32 bits (Warren, Hacker's Delight, 5-1). */
function ones(word: number): number {
  let x = word - ((word >>> 1) & 0x55555555);
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
