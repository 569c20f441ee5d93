import type { JsonValue } from '../../harness/core/json.ts';
import type { Random } from '../../harness/core/prng.ts';
import { nanos } from '../../harness/core/units.ts';
import type { Op } from '../../harness/history/op.ts';

export interface SessionOptions {
  readonly operations: number;
  readonly processes: number;
  readonly keys: number;
  /** `unique`: no value is written twice; else how many there are. */
  readonly values: 'unique' | number;
  /** Chance that a read is of an older state than the client saw before, or of any value. */
  readonly wrong: number;
  /** Chance that nobody knows the outcome. */
  readonly open: number;
  /** Answers carry revisions, of which this share is wrong; undefined: they carry none. */
  readonly wrongRevisions?: number;
}

interface State {
  readonly values: Readonly<Record<string, JsonValue>>;
  readonly changed: Readonly<Record<string, number>>;
}

/**
 * Clients of a store whose reads lag behind, each at its own pace; some answers are wrong. A change
 * has mostly happened when its answer comes, but may come late: then those of others come first.
 */
export function sessionHistory(random: Random, options: SessionOptions): Op[] {
  return new Sessions(random, options).run();
}

class Sessions {
  readonly #random: Random;
  readonly #options: SessionOptions;
  readonly #ops: Op[] = [];
  /** After each change. */
  readonly #states: State[] = [{ values: {}, changed: {} }];
  /** What each process has seen at least. */
  readonly #seen = new Map<number, number>();
  #next = 1;

  constructor(random: Random, options: SessionOptions) {
    this.#random = random;
    this.#options = options;
  }

  run(): Op[] {
    const { operations, processes } = this.#options;
    const open = new Map<number, Op>();
    const names = Array.from({ length: processes }, (_, slot) => slot);
    for (let invoked = 0; invoked < operations || open.size > 0; ) {
      const slot = this.#random.int(0, processes - 1);
      const invoke = open.get(slot);
      if (invoke !== undefined) {
        open.delete(slot);
        if (this.#complete(invoke).type === 'info') names[slot] = (names[slot] ?? 0) + processes;
      } else if (invoked < operations) {
        open.set(slot, this.#invoke(names[slot] ?? slot));
        invoked++;
      }
    }
    return this.#ops;
  }

  #invoke(process: number): Op {
    const random = this.#random;
    const f = random.pick(['read', 'read', 'read', 'write', 'write', 'cas']);
    const key = random.pick(['x', 'y', 'z'].slice(0, this.#options.keys));
    const held = this.#states.at(-1)?.values[key] ?? null;
    const guess = random.chance(0.7) ? held : this.#anyValue();
    const value = f === 'read' ? null : f === 'write' ? this.#value() : [guess, this.#value()];
    const node = `n${random.chance(0.8) ? process % 2 : random.int(0, 1)}`;
    const mode = f === 'read' && random.chance(0.3) ? ({ mode: 'serializable' } as const) : {};
    return this.#record({ process, type: 'invoke', f, key, value, node, ...mode });
  }

  #complete(invoke: Op): Op {
    const random = this.#random;
    const { f, key = '', process } = invoke;
    const isOpen = random.chance(this.#options.open);
    const last = this.#states.length - 1;
    if (f === 'read') {
      const from = random.chance(this.#options.wrong)
        ? 0
        : (this.#seen.get(process as number) ?? 0);
      const at = random.chance(0.5) ? last : random.int(from, last);
      this.#seen.set(process as number, at);
      const value = this.#valueAt(at, key);
      const answer = random.chance(this.#options.wrong / 2) ? this.#anyValue() : value;
      return this.#end(invoke, isOpen, { value: answer }, at);
    }
    const [from, to] =
      f === 'cas' ? (invoke.value as [JsonValue, JsonValue]) : [null, invoke.value];
    if (f === 'cas' && from !== this.#valueAt(last, key)) {
      const seen = random.chance(0.8) ? { seen: this.#valueAt(last, key) } : {};
      const error = { code: 'cas-mismatch', definite: true };
      return this.#end(invoke, isOpen, { type: 'fail', error, ...seen }, last);
    }
    if (!isOpen || random.chance(0.6)) this.#change(key, to);
    if (random.chance(0.8)) this.#seen.set(process as number, this.#states.length - 1);
    return this.#end(invoke, isOpen, {}, this.#states.length - 1);
  }

  #change(key: string, value: JsonValue): void {
    const { values, changed } = this.#states.at(-1) as State;
    const revision = this.#states.length;
    this.#states.push({
      values: { ...values, [key]: value },
      changed: { ...changed, [key]: revision },
    });
  }

  #end(invoke: Op, isOpen: boolean, answer: Partial<Op>, at: number): Op {
    const { process, f, key, value, node, mode } = invoke;
    const { wrongRevisions } = this.#options;
    const isWrong = this.#random.chance(wrongRevisions ?? 0);
    const modRevision = this.#states[at]?.changed[key ?? ''] ?? 0;
    const revision = isWrong ? this.#random.int(0, this.#states.length) : at;
    const error = { code: 'timeout', definite: false };
    return this.#record({
      process,
      type: 'ok',
      f,
      value,
      ...(key !== undefined && { key }),
      ...(node !== undefined && { node }),
      ...(mode !== undefined && { mode }),
      ...(isOpen ? { type: 'info', error } : answer),
      ...(!isOpen && wrongRevisions !== undefined && { server: { revision, modRevision } }),
    });
  }

  #record(op: Omit<Op, 'index' | 'time' | 'phase'>): Op {
    const index = this.#ops.length;
    const entry: Op = { ...op, index, time: nanos(index * 1_000_000), phase: 'main' };
    this.#ops.push(entry);
    return entry;
  }

  #valueAt(at: number, key: string): JsonValue {
    return this.#states[at]?.values[key] ?? null;
  }

  #value(): number {
    const { values } = this.#options;
    return values === 'unique' ? this.#next++ : this.#random.int(1, values);
  }

  #anyValue(): JsonValue {
    const { values } = this.#options;
    const any = this.#random.int(0, values === 'unique' ? this.#next : values);
    return any === 0 ? null : any;
  }
}
