type Block = Uint8Array | Uint16Array | Int32Array | Uint32Array | Float64Array;
type BlockKind = new (length: number) => Block;

const BITS = 14;
const SIZE = 1 << BITS;

/**
 * A growing list of numbers, 0 where none was set. Blocks are made on first use, and one that a
 * number does not fit into is widened, so a kind is a guess about what is usual and never a limit.
 */
export class Numbers {
  readonly #kind: BlockKind;
  readonly #blocks: (Block | undefined)[] = [];

  constructor(kind: BlockKind) {
    this.#kind = kind;
  }

  get(at: number): number {
    return this.#blocks[at >>> BITS]?.[at & (SIZE - 1)] ?? 0;
  }

  set(at: number, value: number): void {
    const number = at >>> BITS;
    const block = (this.#blocks[number] ??= new this.#kind(SIZE));
    block[at & (SIZE - 1)] = value;
    if (block[at & (SIZE - 1)] !== value) {
      const wide = new Float64Array(block);
      wide[at & (SIZE - 1)] = value;
      this.#blocks[number] = wide;
    }
  }
}
