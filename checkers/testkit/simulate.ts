/**
 * Makes histories for tests: clients against a correct register store, with operations that
 * overlap, time out, are refused, or fail. A test that needs a wrong history breaks one of these.
 */
import type { JsonValue } from '../../harness/core/json.ts';
import { type Random } from '../../harness/core/prng.ts';
import { nanos } from '../../harness/core/units.ts';
import type { Op, Phase, ReadMode } from '../../harness/history/op.ts';

export interface SimulateOptions {
  readonly operations: number;
  readonly clients: number;
  readonly keys: number;
  /** `unique`: every written value is new; else values from 0 to `values` - 1. */
  readonly values: 'unique' | number;
  /** Chance that a completion is never seen. */
  readonly info: number;
  /** Chance that an operation fails without effect. */
  readonly fail: number;
  readonly nodes: number;
  /** Share of reads that ask a node for what it has; 0: all reads are linearizable. */
  readonly serializable: number;
  /** By how many revisions nodes lag behind, at most. */
  readonly lag: number;
  /** Replies carry revisions. */
  readonly revisions: boolean;
}

export const SIMULATE_DEFAULTS: SimulateOptions = {
  operations: 100,
  clients: 5,
  keys: 1,
  values: 'unique',
  info: 0,
  fail: 0,
  nodes: 3,
  serializable: 0,
  lag: 4,
  revisions: true,
};

interface Cell {
  readonly value: JsonValue;
  readonly modRevision: number;
}
interface Pending {
  readonly invoke: Op;
  /** When it acts and when its reply arrives, as numbers of later events. */
  readonly actsAt: number;
  readonly endsAt: number;
  reply: Partial<Op> | undefined;
}

const EVENT_NANOS = 250_000;

export function simulate(random: Random, partial: Partial<SimulateOptions> = {}): Op[] {
  return new Simulation(random, { ...SIMULATE_DEFAULTS, ...partial }).run();
}

class Simulation {
  readonly #random: Random;
  readonly #options: SimulateOptions;
  readonly #ops: Op[] = [];
  /** All versions of each key; nodes that lag answer from older ones. */
  readonly #versions = new Map<string, Cell[]>();
  readonly #applied: number[];
  #revision = 0;
  #nextValue = 1;
  #time = 0;

  constructor(random: Random, options: SimulateOptions) {
    this.#random = random;
    this.#options = options;
    this.#applied = Array.from({ length: options.nodes }, () => 0);
  }

  run(): Op[] {
    const { clients, operations } = this.#options;
    const processes = Array.from({ length: clients }, (_, client) => client);
    const pending = new Map<number, Pending>();
    let [invoked, now] = [0, 0];
    while (invoked < operations || pending.size > 0) {
      now++;
      const client = this.#random.int(0, clients - 1);
      const open = pending.get(client);
      if (open === undefined) {
        if (invoked === operations) continue;
        pending.set(client, this.#invoke(processes[client] ?? client, now));
        invoked++;
        continue;
      }
      for (const other of pending.values())
        if (other.reply === undefined && other.actsAt <= now) this.#act(other);
      if (open.endsAt > now) continue;
      pending.delete(client);
      if (this.#complete(open) === 'info') processes[client] = (processes[client] ?? 0) + clients;
    }
    return this.#ops;
  }

  #invoke(process: number, now: number): Pending {
    const random = this.#random;
    const { keys, nodes, serializable } = this.#options;
    const f = random.pick(['read', 'read', 'write', 'cas']);
    const key = `k${random.int(0, keys - 1)}`;
    const mode: ReadMode = random.chance(serializable) ? 'serializable' : 'linearizable';
    const current = this.#cell(key).value;
    const value =
      f === 'read' ? null : f === 'write' ? this.#value() : [this.#guess(current), this.#value()];
    const actsAt = now + random.int(0, 6);
    const invoke = this.#record({
      process,
      type: 'invoke',
      f,
      key,
      value,
      node: `n${(process % nodes) + 1}`,
      ...(f === 'read' && { mode }),
    });
    return { invoke, actsAt, endsAt: actsAt + random.int(0, 6), reply: undefined };
  }

  #act(open: Pending): void {
    const { invoke } = open;
    const { lag, fail } = this.#options;
    const key = invoke.key ?? '';
    if (this.#random.chance(fail)) {
      open.reply = { type: 'fail', error: { code: 'refused', definite: true } };
      return;
    }
    if (invoke.f === 'read') {
      const at = this.#nodeOf(invoke);
      const behind = this.#revision - this.#random.int(0, lag);
      const lagging = Math.max(this.#applied[at] ?? 0, behind);
      this.#applied[at] = invoke.mode === 'serializable' ? lagging : this.#revision;
      open.reply = this.#answer(this.#cell(key, this.#applied[at]), this.#applied[at]);
      return;
    }
    const current = this.#cell(key);
    const [from, to] = invoke.f === 'cas' ? (invoke.value as [JsonValue, JsonValue]) : [null, null];
    if (invoke.f === 'cas' && JSON.stringify(from) !== JSON.stringify(current.value)) {
      const { server } = this.#answer(current, this.#revision);
      const error = { code: 'cas-mismatch', definite: true };
      open.reply = { type: 'fail', error, seen: current.value, ...(server && { server }) };
      return;
    }
    this.#revision++;
    const value = invoke.f === 'cas' ? to : invoke.value;
    this.#versions.set(key, [...this.#history(key), { value, modRevision: this.#revision }]);
    this.#applied[this.#nodeOf(invoke)] = this.#revision;
    open.reply = {
      type: 'ok',
      value: invoke.value,
      ...(this.#options.revisions && { server: { revision: this.#revision } }),
    };
  }

  #complete(open: Pending): Op['type'] {
    if (open.reply === undefined) this.#act(open);
    const lost = this.#random.chance(this.#options.info);
    const error = { code: 'timeout', definite: false };
    const reply: Partial<Op> = lost ? { type: 'info', error } : (open.reply ?? {});
    const { process, f, key, value, node, mode } = open.invoke;
    return this.#record({
      process,
      type: 'ok',
      f,
      value,
      ...(key !== undefined && { key }),
      ...(node !== undefined && { node }),
      ...(mode !== undefined && { mode }),
      ...reply,
    }).type;
  }

  #answer(cell: Cell, revision: number): Partial<Op> {
    const { value, modRevision } = cell;
    const server = { revision, modRevision };
    return { type: 'ok', value, ...(this.#options.revisions && { server }) };
  }

  #record(op: Omit<Op, 'index' | 'time' | 'phase'>, phase: Phase = 'main'): Op {
    this.#time += this.#random.int(1, 2 * EVENT_NANOS);
    const entry: Op = { ...op, index: this.#ops.length, time: nanos(this.#time), phase };
    this.#ops.push(entry);
    return entry;
  }

  #history(key: string): Cell[] {
    return this.#versions.get(key) ?? [{ value: null, modRevision: 0 }];
  }

  #cell(key: string, revision: number = Infinity): Cell {
    const found = this.#history(key).findLast(({ modRevision }) => modRevision <= revision);
    return found ?? { value: null, modRevision: 0 };
  }

  #nodeOf({ node }: Op): number {
    return Number((node ?? 'n1').slice(1)) - 1;
  }

  #value(): number {
    const { values } = this.#options;
    return values === 'unique' ? this.#nextValue++ : this.#random.int(0, values - 1);
  }

  /** What a client believes is there: mostly the truth. */
  #guess(current: JsonValue): JsonValue {
    if (this.#random.chance(0.7)) return current;
    const { values } = this.#options;
    return this.#random.int(0, values === 'unique' ? this.#nextValue - 1 : values - 1);
  }
}
