/**
 * An example to copy: registers on a primary and a backup, as a program for the simulator. It keeps
 * its promises as long as the network does. Its flaw is deliberate: **silence counts as death**. A
 * backup that hears nothing makes itself the primary, and a primary that hears nothing goes on
 * without its backup. So a partition has two primaries, and one of them forgets what it promised.
 */
import { sleep } from '../../../harness/core/clock.ts';
import type { JsonValue } from '../../../harness/core/json.ts';
import { msFromNanos, type NodeName } from '../../../harness/core/units.ts';
import type { DiskFile } from '../../raftkv/storage/types.ts';
import type { SimHost, SimProgram } from './program.ts';

export const BEAT_MS = 20;
export const SILENCE_MS = 150;

export type Request =
  | { readonly f: 'read'; readonly key: string }
  | { readonly f: 'write'; readonly key: string; readonly to: JsonValue }
  | { readonly f: 'cas'; readonly key: string; readonly from: JsonValue; readonly to: JsonValue };

/** `done` with what the register held before; or nobody did it; or nobody knows. */
export type Answer =
  | { readonly type: 'done'; readonly seen: JsonValue }
  | { readonly type: 'refused' | 'unknown' };

type Values = readonly (readonly [key: string, value: JsonValue])[];

type Message =
  /** All there is: a heartbeat, and a copy, and what a backup that comes back begins with. */
  | { readonly type: 'state'; readonly id: number; readonly term: number; readonly values: Values }
  | { readonly type: 'stored'; readonly id: number }
  | { readonly type: 'ask'; readonly id: number; readonly request: Request }
  | { readonly type: 'answer'; readonly id: number; readonly answer: Answer };

/** One life: recovers from the disk, then listens. Each line of the log holds what changed. */
export const primaryBackup: SimProgram<Replica> = async (host) => {
  const log = (await host.disk.read('log'))?.toString() ?? '';
  const replica = new Replica(host, await host.disk.open('log'));
  // After the last end of a line comes nothing, or a line that was torn.
  for (const line of log.split('\n').slice(0, -1)) {
    const [term, changed] = JSON.parse(line) as [number, Values];
    replica.restore(term, changed);
  }
  host.net.receive((from, message) => replica.receive(from, message as Message));
  void replica.live();
  return { api: replica, serving: Promise.resolve() };
};

/** The first two nodes keep the registers; the others hand on what they are asked. */
export class Replica {
  readonly #host: SimHost;
  readonly #file: DiskFile;
  readonly #index: number;
  readonly #backup: NodeName;
  primary: NodeName | undefined;
  term = 0;
  /** With the write that the backup may not have yet. */
  readonly #written = new Map<string, JsonValue>();
  readonly #safe = new Map<string, JsonValue>();
  readonly #heardMs = new Map<NodeName, number>();
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #ids = 0;
  /** One write after another. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(host: SimHost, file: DiskFile) {
    const { nodes } = host.net;
    this.#host = host;
    this.#file = file;
    this.#index = nodes.indexOf(host.node);
    this.#backup = nodes[1 - this.#index] ?? host.node;
  }

  restore(term: number, values: Values): void {
    this.term = term;
    for (const [key, value] of values) {
      this.#written.set(key, value);
      this.#safe.set(key, value);
    }
  }

  async live(): Promise<void> {
    const { clock, node } = this.#host;
    const patienceMs = SILENCE_MS * (1 + this.#index);
    for (let silentMs = 0; ; silentMs += BEAT_MS) {
      if (this.primary === node) this.#sendState();
      else if (this.primary !== undefined && this.#silentMs(this.primary) < patienceMs)
        silentMs = 0;
      else if (silentMs >= patienceMs && this.#index < 2) {
        // No two nodes ever have the same term.
        this.term += 2 - (this.term % 2) + this.#index;
        this.primary = node;
      }
      await sleep(clock, BEAT_MS);
    }
  }

  receive(from: NodeName, message: Message): void {
    this.#heardMs.set(from, this.#nowMs());
    switch (message.type) {
      case 'state':
        if (message.term >= this.term) void this.#follow(from, message);
        return;
      case 'ask':
        void this.#handOn(from, message.id, message.request);
        return;
      case 'stored':
        this.#settle(message.id, { type: 'done', seen: null });
        return;
      case 'answer':
        this.#settle(message.id, message.answer);
    }
  }

  ask(request: Request): Promise<Answer> {
    if (this.primary === undefined) return Promise.resolve({ type: 'refused' });
    if (this.primary !== this.#host.node) {
      const id = this.#ids++;
      this.#send(this.primary, { type: 'ask', id, request });
      return this.#answerTo(id);
    }
    const { key } = request;
    if (request.f === 'read')
      return Promise.resolve({ type: 'done', seen: this.#safe.get(key) ?? null });
    const done = this.#queue.then(() => this.#write(request));
    this.#queue = done;
    return done;
  }

  async #write(request: Request & { readonly f: 'write' | 'cas' }): Promise<Answer> {
    const { key, to } = request;
    const { term } = this;
    const seen = this.#safe.get(key) ?? null;
    if (this.primary !== this.#host.node) return { type: 'refused' };
    if (request.f === 'cas' && seen !== request.from) return { type: 'done', seen };
    this.#written.set(key, to);
    const stored = this.#answerTo(this.#sendState());
    await this.#log([[key, to]]);
    if (this.#silentMs(this.#backup) < SILENCE_MS)
      await Promise.race([stored, sleep(this.#host.clock, SILENCE_MS)]);
    if (this.term !== term) return { type: 'unknown' };
    this.#safe.set(key, to);
    return { type: 'done', seen };
  }

  async #follow(
    primary: NodeName,
    { id, term, values }: Message & { type: 'state' },
  ): Promise<void> {
    const changed = values.filter(([key, value]) => this.#written.get(key) !== value);
    this.primary = primary;
    this.restore(term, values);
    if (changed.length > 0) await this.#log(changed);
    this.#send(primary, { type: 'stored', id });
  }

  async #log(changed: Values): Promise<void> {
    this.#file.append([Buffer.from(`${JSON.stringify([this.term, changed])}\n`)]);
    await this.#file.sync();
  }

  #sendState(): number {
    const { node, net } = this.#host;
    const id = this.#ids++;
    const state: Message = { type: 'state', id, term: this.term, values: [...this.#written] };
    for (const other of net.nodes) if (other !== node) this.#send(other, state);
    return id;
  }

  async #handOn(from: NodeName, id: number, request: Request): Promise<void> {
    const isOurs = this.primary === this.#host.node;
    const answer: Answer = isOurs ? await this.ask(request) : { type: 'refused' };
    this.#send(from, { type: 'answer', id, answer });
  }

  #answerTo(id: number): Promise<Answer> {
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  #settle(id: number, answer: Answer): void {
    this.#waiting.get(id)?.(answer);
    this.#waiting.delete(id);
  }

  #send(to: NodeName, message: Message): void {
    this.#host.net.send(to, message);
  }

  #silentMs(node: NodeName): number {
    return this.#nowMs() - (this.#heardMs.get(node) ?? 0);
  }

  #nowMs(): number {
    return msFromNanos(this.#host.clock.now());
  }
}
