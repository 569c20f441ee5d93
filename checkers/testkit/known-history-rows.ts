/** The columns of a history whose verdict is known, and how they grow. */

export const READ = 0;
export const WRITE = 1;
export const CAS = 2;
/** A register that was never written, and the moment of an answer that never came. */
export const ABSENT = -1;
export const NEVER = -1;

/** A row an operation, in order of invocation; moments are 0, 1, 2, ..., each of one event. */
export interface KnownHistory {
  readonly expected: 'valid' | 'invalid';
  readonly length: number;
  readonly moments: number;
  readonly client: Int32Array;
  readonly key: Int32Array;
  readonly f: Uint8Array;
  /** What is written; what a cas expects. */
  readonly a: Int32Array;
  /** What a cas writes. */
  readonly b: Int32Array;
  /** What was there when it acted. A cas succeeded if that was `a`. */
  readonly saw: Int32Array;
  readonly call: Int32Array;
  readonly ret: Int32Array;
  /** The row of the wrong read, or -1. */
  readonly wrong: number;
  /** Whether a refused cas says what it saw: with unique values, as stores with revisions do. */
  readonly tells: boolean;
}

/** The columns while they grow. */
export class Rows {
  length = 0;
  moments = 0;
  client: Int32Array;
  key: Int32Array;
  f: Uint8Array;
  a: Int32Array;
  b: Int32Array;
  saw: Int32Array;
  call: Int32Array;
  ret: Int32Array;

  constructor(operations: number) {
    const room = operations + 64;
    const column = (): Int32Array => new Int32Array(room);
    [this.client, this.key, this.a, this.b] = [column(), column(), column(), column()];
    [this.saw, this.call, this.ret] = [column(), column(), column()];
    this.f = new Uint8Array(room);
  }

  add(client: number, key: number, f: number, a: number, b: number): number {
    const row = this.length++;
    if (row === this.f.length) this.#grow();
    this.client[row] = client;
    this.key[row] = key;
    this.f[row] = f;
    this.a[row] = a;
    this.b[row] = b;
    this.call[row] = this.moments++;
    this.ret[row] = NEVER;
    return row;
  }

  answered(row: number): void {
    this.ret[row] = this.moments++;
  }

  isAnswered(row: number): boolean {
    return this.ret[row] !== NEVER;
  }

  /** The value that it writes if it acts. */
  puts(row: number): number {
    const f = this.f[row];
    return f === READ ? ABSENT : ((f === CAS ? this.b[row] : this.a[row]) as number);
  }

  #grow(): void {
    const grown = (column: Int32Array): Int32Array => {
      const more = new Int32Array(2 * column.length);
      more.set(column);
      return more;
    };
    const f = new Uint8Array(2 * this.f.length);
    f.set(this.f);
    this.f = f;
    [this.client, this.key, this.a] = [grown(this.client), grown(this.key), grown(this.a)];
    [this.b, this.saw] = [grown(this.b), grown(this.saw)];
    [this.call, this.ret] = [grown(this.call), grown(this.ret)];
  }

  build(): Omit<KnownHistory, 'expected' | 'wrong' | 'tells'> {
    const { length, moments } = this;
    const cut = (column: Int32Array): Int32Array => column.subarray(0, length);
    return {
      length,
      moments,
      client: cut(this.client),
      key: cut(this.key),
      f: this.f.subarray(0, length),
      a: cut(this.a),
      b: cut(this.b),
      saw: cut(this.saw),
      call: cut(this.call),
      ret: cut(this.ret),
    };
  }
}
