/** A node's disk in the simulator: what takes time, what fails, and what a power failure leaves. */
import type { VirtualClock } from '../../../harness/core/clock.ts';
import { invariant } from '../../../harness/core/invariant.ts';
import type { Random } from '../../../harness/core/prng.ts';
import { msFromNanos, type NodeName } from '../../../harness/core/units.ts';
import type { Bytes } from '../../raftkv/bytes.ts';
import { MemoryDisk, type MemoryFile } from '../../raftkv/storage/memory-disk.ts';
import type { Disk, DiskFile } from '../../raftkv/storage/types.ts';
import { type DelayDistribution, drawMs } from './delay.ts';
import type { Life } from './life.ts';
import type { Trace } from './trace.ts';

export interface SimDiskOptions {
  readonly node: NodeName;
  readonly clock: VirtualClock;
  readonly random: Random;
  /** For whatever must be durable: `sync`, and changes of names. */
  readonly syncMs: DelayDistribution;
  readonly trace: Trace;
  /** Called when the last fault that makes calls fail was taken away. */
  readonly mended?: () => void;
}

/** A fault of a disk; calling it takes just this one away. */
export type UndoDiskFault = () => void;

/** One bit, for people and for histories. */
export interface FlippedBit {
  readonly file: string;
  readonly byte: number;
  readonly bit: number;
}

/**
 * Outlives its node's lives. Faults add up, and stay until they are undone or healed; only what a
 * flipped bit or a power failure took stays gone.
 */
export class SimDisk {
  readonly #options: SimDiskOptions;
  readonly #latency: Random;
  readonly #survival: Random;
  readonly #flips: Random;
  readonly #slow = new Map<
    number,
    { readonly delay: DelayDistribution; readonly random: Random }
  >();
  readonly #failing = new Set<number>();
  /** Bytes that still fit, for each `fill`; the smallest counts. */
  readonly #room = new Map<number, { left: number }>();
  #faults = 0;
  /** Codes of the errors that this life of the node was given. */
  readonly #given = new Set<string>();
  readonly #probes: Random;
  #memory: MemoryDisk = new MemoryDisk();

  constructor(options: SimDiskOptions) {
    this.#options = options;
    this.#latency = options.random.fork('latency');
    this.#survival = options.random.fork('survival');
    this.#flips = options.random.fork('flips');
    this.#probes = options.random.fork('probes');
  }

  /** What one life sees. A new life needs a new one, after `crash` or `powerFailure`. */
  mount(life: Life): Disk {
    return new MountedDisk(this, this.#memory, life);
  }

  /** Each sync takes so much longer. */
  slow(delay: DelayDistribution): UndoDiskFault {
    const id = this.#faults++;
    this.#slow.set(id, { delay, random: this.#options.random.fork(`slow-${id}`) });
    return () => this.#slow.delete(id);
  }

  /**
   * Syncs and changes of names fail with `EIO`. As on Linux, what a failed sync was to write is read
   * as if it were there, but no later sync writes it: a power failure shows zeros.
   */
  failSync(): UndoDiskFault {
    const id = this.#faults++;
    this.#failing.add(id);
    return () => this.#mend(() => this.#failing.delete(id));
  }

  /** So many bytes fit yet, then `ENOSPC`: an append is cut where the room ends. */
  fill(roomBytes = 0): UndoDiskFault {
    const id = this.#faults++;
    this.#room.set(id, { left: roomBytes });
    return () => this.#mend(() => this.#room.delete(id));
  }

  /**
   * Changes one bit, under a running node too; by default any bit of any file, all alike. Undefined:
   * there is nothing to flip.
   */
  async flipBit(where?: FlippedBit): Promise<FlippedBit | undefined> {
    const flipped = where ?? (await this.#anyBit());
    if (flipped === undefined) return undefined;
    this.#memory.flipBitInPlace(flipped.file, 8 * flipped.byte + flipped.bit);
    return flipped;
  }

  /** Names with sizes in bytes, sorted. */
  async files(): Promise<readonly { readonly name: string; readonly size: number }[]> {
    const names = await this.#memory.list();
    return names.map((name) => ({ name, size: this.#memory.sizeOf(name) ?? 0 }));
  }

  /** Names of all faults that are installed. */
  installed(): readonly string[] {
    const { node } = this.#options;
    return [
      ...[...this.#slow.keys()].map((id) => `slow-disk.${id}:${node}`),
      ...[...this.#failing].map((id) => `failing-sync.${id}:${node}`),
      ...[...this.#room.keys()].map((id) => `full-disk.${id}:${node}`),
    ];
  }

  heal(): void {
    this.#slow.clear();
    this.#mend(() => {
      this.#failing.clear();
      this.#room.clear();
    });
  }

  /** No fault makes calls fail; it may be slow. */
  get isSound(): boolean {
    return this.#failing.size === 0 && this.#room.size === 0;
  }

  /** Whether a node that says this of its end was given that error by a fault of this disk. */
  explains(how: string): boolean {
    return [...this.#given].some((code) => how.includes(code));
  }

  /**
   * As another program on this machine would: writes so many bytes, syncs and removes them. The node
   * finds nothing of it, whatever becomes of the node meanwhile.
   */
  async probe(bytes: number): Promise<{ readonly syncMs: number; readonly error?: string }> {
    const { clock, node } = this.#options;
    const startMs = msFromNanos(clock.now());
    const fits = this.take(bytes);
    this.free(fits);
    const failure = await new Promise<Error | undefined>((resolve) => {
      clock.timer(this.#delayMs(this.#probes), () => resolve(this.#failure(`probe ${node}`)));
    });
    const syncMs = msFromNanos(clock.now()) - startMs;
    if (fits < bytes) return { syncMs, error: 'ENOSPC' };
    return failure === undefined ? { syncMs } : { syncMs, error: 'EIO' };
  }

  /** The process ended: what was written stays, synced or not. */
  crash(): void {
    this.#given.clear();
    this.#memory = this.#memory.crash();
  }

  /** As new, but for its faults; nothing may run on it. */
  erase(): void {
    this.#memory.crash();
    this.#memory = new MemoryDisk();
  }

  /** The machine ended: what was not synced is lost, torn, or there by luck. */
  powerFailure(): void {
    this.#given.clear();
    this.#memory = this.#memory.powerFailure(this.#survival);
  }

  /** For `MountedDisk`. Something that takes as long as a sync; its end, unless the power fails. */
  later(
    memory: MemoryDisk,
    what: string,
    name: string,
    end: (failure: Error | undefined) => void,
  ): void {
    const { clock, trace, node } = this.#options;
    clock.timer(this.#delayMs(this.#latency), () => {
      if (memory !== this.#memory) return;
      const failure = this.#failure(`${what} ${name} on ${node}`);
      if (failure !== undefined) this.#given.add('EIO');
      trace?.(`disk ${node} ${what} ${name}${failure === undefined ? '' : ' failed'}`);
      end(failure);
    });
  }

  /** For `MountedDisk`: what a node is told when there is no room. */
  full(what: string): Error {
    this.#given.add('ENOSPC');
    return ioError('ENOSPC', what);
  }

  #delayMs(latency: Random): number {
    let ms = drawMs(this.#options.syncMs, latency);
    for (const { delay, random } of this.#slow.values()) ms += drawMs(delay, random);
    return ms;
  }

  #failure(what: string): Error | undefined {
    return this.#failing.size > 0 ? ioError('EIO', what) : undefined;
  }

  #mend(undo: () => void): void {
    const wasSound = this.isSound;
    undo();
    if (!wasSound && this.isSound) this.#options.mended?.();
  }

  /** For `MountedDisk`: how much of an append still fits. */
  take(bytes: number): number {
    if (this.#room.size === 0) return bytes;
    const room = Math.min(...[...this.#room.values()].map(({ left }) => left));
    const taken = Math.min(bytes, room);
    for (const each of this.#room.values()) each.left -= taken;
    return taken;
  }

  /** For `MountedDisk`: so much fits again. */
  free(bytes: number): void {
    for (const each of this.#room.values()) each.left += bytes;
  }

  async #anyBit(): Promise<FlippedBit | undefined> {
    const files = await this.files();
    const total = files.reduce((sum, { size }) => sum + size, 0);
    if (total === 0) return undefined;
    let byte = this.#flips.int(0, total - 1);
    const bit = this.#flips.int(0, 7);
    for (const { name, size } of files) {
      if (byte < size) return { file: name, byte, bit };
      byte -= size;
    }
    invariant(false, 'a byte lies in a file');
  }
}

class MountedDisk implements Disk {
  readonly #disk: SimDisk;
  readonly #memory: MemoryDisk;
  readonly #life: Life;

  constructor(disk: SimDisk, memory: MemoryDisk, life: Life) {
    this.#disk = disk;
    this.#memory = memory;
    this.#life = life;
  }

  list(): Promise<readonly string[]> {
    return this.#memory.list();
  }

  read(name: string): Promise<Bytes | undefined> {
    return this.#memory.read(name);
  }

  async open(name: string): Promise<DiskFile> {
    if (this.#memory.sizeOf(name) === undefined) {
      if (this.#disk.take(1) === 0) throw this.#disk.full(`create ${name}`);
      this.#disk.free(1);
      await this.#change('create', name, () => this.#memory.open(name));
    }
    return this.#file(await this.#memory.open(name));
  }

  rename(from: string, to: string): Promise<void> {
    return this.#change('rename', from, () => this.#memory.rename(from, to));
  }

  remove(name: string): Promise<void> {
    return this.#change('remove', name, () => {
      this.#disk.free(this.#memory.sizeOf(name) ?? 0);
      return this.#memory.remove(name);
    });
  }

  #file(file: MemoryFile): DiskFile {
    const { name } = file;
    return {
      name,
      get size() {
        return file.size;
      },
      append: (chunks) => this.#append(file, chunks),
      sync: () => {
        const pending = file.beginSync();
        return this.#later('sync', name, (failure) => {
          if (failure === undefined) pending.done();
          else pending.failed();
        });
      },
      truncate: async (size) => {
        this.#disk.free(file.size - size);
        await file.truncate(size);
        await this.#later('truncate', name, ignore);
      },
      [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
    };
  }

  #append(file: MemoryFile, chunks: readonly Bytes[]): void {
    const bytes = chunks.reduce((sum, { length }) => sum + length, 0);
    const fits = this.#disk.take(bytes);
    if (fits === bytes) {
      file.append(chunks);
      return;
    }
    file.append([Buffer.concat(chunks).subarray(0, fits)]);
    throw this.#disk.full(`append to ${file.name}`);
  }

  /** A change of names happens when it is durable, not before. */
  #change(what: string, name: string, act: () => Promise<unknown>): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#disk.later(this.#memory, what, name, (failure) => {
      const done = failure === undefined ? act() : Promise.reject(failure);
      done.then(
        () => this.#life.deliver(resolve),
        (error: unknown) => this.#life.deliver(() => reject(error)),
      );
    });
    return promise;
  }

  /** The disk does it even while the process is paused, which hears of it later. */
  #later(what: string, name: string, act: (failure: Error | undefined) => void): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#disk.later(this.#memory, what, name, (failure) => {
      act(failure);
      this.#life.deliver(() => (failure === undefined ? resolve() : reject(failure)));
    });
    return promise;
  }
}

function ignore(): void {}

/** As Node.js has it: `code`, and the same code in the message. */
function ioError(code: string, what: string): Error {
  return Object.assign(new Error(`${code}: ${what}`), { code });
}
