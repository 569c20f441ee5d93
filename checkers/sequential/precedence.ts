/**
 * What must precede what in any order, for registers with values that appear only once: after
 * Gibbons and Korach ("Testing shared memories", SIAM J. Comput. 26, 1997). If an operation needs
 * the value of a write, then another change of that key which must come before the one must come
 * before the other too, and which must come after the write must come after both. These two rules
 * are applied until nothing new follows; a circle then proves that there is no order. Finding none
 * proves nothing.
 */
import { NEVER, NONE, type RegisterColumns } from '../linearizable/columns.ts';
import { firstIndex } from './first-index.ts';
import type { OrderProblem } from './problem.ts';

/** Why one operation must precede another. */
export interface Precedence {
  readonly from: number;
  readonly to: number;
  /**
   * `session`: its order. `time`: it had ended when the other began. `source`: it put what the
   * other needs. `first`: the other changes what it still found as it was at the start.
   * `before`: `by` needs what the other put, and comes after this one. `after`: the other comes
   * after `by`, which put what this one needs.
   */
  readonly why: 'session' | 'time' | 'source' | 'first' | 'before' | 'after';
  readonly by?: number;
}

export interface Circle {
  /** Each leads to the next, the last to the first. None: an operation needs what nobody put. */
  readonly steps: readonly Precedence[];
  /** All operations that it rests on. */
  readonly ops: readonly number[];
}

/**
 * What follows, as a circle or, for each operation and each session one after another, how many of
 * the session's operations must precede it. Undefined: nothing is known, or the time was over;
 * `isOver` is asked now and then.
 */
export function precedences(
  problem: OrderProblem,
  isOver: () => boolean,
): { readonly circle: Circle } | { readonly counts: Int32Array } | undefined {
  const { columns, sessions, ops } = problem;
  if (columns === undefined || ops.length * sessions.length > CLOCKS_MAX) return undefined;
  return new Saturation(problem, columns, isOver).run();
}

/** Undefined: there is none, or it was not found. */
export function findCircle(problem: OrderProblem, isOver: () => boolean): Circle | undefined {
  const found = precedences(problem, isOver);
  return found !== undefined && 'circle' in found ? found.circle : undefined;
}

/** How many numbers the clocks may take: 256 MiB. */
const CLOCKS_MAX = 2 ** 26;
const BEGINNING = -1;
/** The circles that are compared, to tell a short one. */
const CIRCLES_MAX = 16;
const ROWS_BETWEEN_LOOKS = 256;

interface Edge extends Precedence {
  readonly round: number;
}

class Saturation {
  readonly #p: OrderProblem;
  readonly #c: RegisterColumns;
  /** By value that appears only once: the row that put it, or `BEGINNING`. */
  readonly #sources: ReadonlyMap<number, number>;
  readonly #isIn: Uint8Array;
  /** Of a row of unknown outcome: one that needs what it put. */
  readonly #provenBy: Int32Array;
  /** Of each key: the changes of each session that has any, in order. */
  readonly #changes: readonly (readonly (readonly number[])[])[];
  readonly #out: Edge[][];
  readonly #known: Set<number> = new Set();
  /** Of each operation and session: how many operations there must precede it. */
  readonly #clocks: Int32Array;
  #round = 0;

  readonly #isOver: () => boolean;

  constructor(problem: OrderProblem, columns: RegisterColumns, isOver: () => boolean) {
    this.#isOver = isOver;
    this.#p = problem;
    this.#c = columns;
    this.#sources = sourcesOf(columns);
    this.#provenBy = new Int32Array(columns.length).fill(NONE);
    this.#isIn = this.#included();
    this.#changes = this.#changesByKey();
    this.#out = problem.ops.map(() => []);
    this.#clocks = new Int32Array(problem.ops.length * problem.sessions.length);
  }

  run(): ReturnType<typeof precedences> {
    const impossible = this.#needsWhatNobodyPut();
    if (impossible !== undefined)
      return { circle: { steps: [], ops: this.#withProofs([impossible]) } };
    this.#addGiven();
    for (;;) {
      const left = this.#orderAll();
      if (left === 'over') return undefined;
      if (left.length > 0) return { circle: this.#circleAmong(left) };
      const before = this.#known.size;
      this.#round++;
      for (const row of this.#p.ops.keys()) {
        if (row % ROWS_BETWEEN_LOOKS === 0 && this.#isOver()) return undefined;
        if (this.#isIn[row] === 1) this.#deriveFrom(row);
      }
      if (this.#known.size === before) return { counts: this.#clocks };
    }
  }

  /** What has happened: with a known outcome, or because somebody needs what only it put. */
  #included(): Uint8Array {
    const { length, ret, needs } = this.#c;
    const isIn = new Uint8Array(length);
    const todo: number[] = [];
    for (let row = 0; row < length; row++) if (ret[row] !== NEVER) todo.push(row);
    for (let row = todo.pop(); row !== undefined; row = todo.pop()) {
      if (isIn[row] === 1) continue;
      isIn[row] = 1;
      const source = this.#sources.get(needs[row] as number) ?? BEGINNING;
      if (source === BEGINNING || isIn[source] === 1) continue;
      this.#provenBy[source] = row;
      todo.push(source);
    }
    return isIn;
  }

  #changesByKey(): readonly (readonly (readonly number[])[])[] {
    const { keys, sessions, keyOf } = this.#p;
    const changes = keys.map((): (readonly number[])[] => []);
    for (const { ops } of sessions) {
      const own = ops.filter((row) => this.#isIn[row] === 1 && (this.#c.puts[row] as number) >= 0);
      for (const [key, rows] of Map.groupBy(own, (row) => keyOf[row] as number))
        changes[key]?.push(rows);
    }
    return changes;
  }

  #needsWhatNobodyPut(): number | undefined {
    const { length, needs, puts, initial } = this.#c;
    const put = new Set([...puts, ...initial]);
    for (let row = 0; row < length; row++)
      if (this.#isIn[row] === 1 && (needs[row] as number) >= 0 && !put.has(needs[row] as number))
        return row;
    return undefined;
  }

  #addGiven(): void {
    const { ops, sessions, keepsTime } = this.#p;
    for (const { ops: own, after } of sessions) {
      const before = after && sessions[after.session]?.ops[after.count - 1];
      const [first] = own;
      if (before !== undefined && first !== undefined) this.#add(before, first, 'session');
    }
    for (const row of ops.keys()) {
      if (this.#isIn[row] !== 1) continue;
      if (keepsTime[row] === true) this.#addEnded(row);
      const source = this.#sourceFor(row);
      if (source === undefined) continue;
      if (source !== BEGINNING) this.#add(source, row, 'source');
      else
        for (const changes of this.#changes[this.#p.keyOf[row] as number] ?? []) {
          const first = changes[0] === row ? changes[1] : changes[0];
          if (first !== undefined) this.#add(row, first, 'first');
        }
    }
  }

  /** What had ended when `row` began: of each session the last is enough. */
  #addEnded(row: number): void {
    const { call, ret } = this.#c;
    for (const { ops } of this.#p.sessions) {
      const isOpen = (at: number): boolean =>
        (ret[ops[at] as number] as number) > (call[row] as number);
      const last = ops[firstIndex(ops.length, isOpen) - 1];
      if (last !== undefined) this.#add(last, row, 'time');
    }
  }

  /** The only operation that put what `row` needs; undefined: it needs nothing, or may choose. */
  #sourceFor(row: number): number | undefined {
    return this.#sources.get(this.#c.needs[row] as number);
  }

  #deriveFrom(row: number): void {
    const source = this.#sourceFor(row);
    if (source === undefined || source === BEGINNING) return;
    for (const changes of this.#changes[this.#p.keyOf[row] as number] ?? []) {
      const isLater = (at: number): boolean => !this.#precedes(changes[at] as number, row);
      const before = changes[firstIndex(changes.length, isLater) - 1];
      if (before !== undefined && before !== source && !this.#precedes(before, source))
        this.#add(before, source, 'before', row);
      const isAfter = (at: number): boolean => this.#precedes(source, changes[at] as number);
      const at = firstIndex(changes.length, isAfter);
      const after = changes[changes[at] === row ? at + 1 : at];
      if (after !== undefined && !this.#precedes(row, after))
        this.#add(row, after, 'after', source);
    }
  }

  #precedes(a: number, b: number): boolean {
    const { sessions, sessionOf, placeOf } = this.#p;
    const at = b * sessions.length + (sessionOf[a] as number);
    return (placeOf[a] as number) < (this.#clocks[at] as number);
  }

  #add(from: number, to: number, why: Precedence['why'], by?: number): void {
    const name = from * this.#p.ops.length + to;
    if (this.#known.has(name)) return;
    this.#known.add(name);
    const edge = { from, to, why, round: this.#round, ...(by !== undefined && { by }) };
    (this.#out[from] as Edge[]).push(edge);
  }

  /** The next one of its session, as an edge. */
  #nextOf(row: number): Edge | undefined {
    const { sessions, sessionOf, placeOf } = this.#p;
    const { ops } = sessions[sessionOf[row] as number] as OrderProblem['sessions'][number];
    const to = ops[(placeOf[row] as number) + 1];
    return to === undefined ? undefined : { from: row, to, why: 'session', round: 0 };
  }

  #edgesOf(row: number): readonly Edge[] {
    const next = this.#nextOf(row);
    const out = this.#out[row] as readonly Edge[];
    return next === undefined ? out : [next, ...out];
  }

  /** Sets the clocks; returns what is in or behind a circle. */
  #orderAll(): readonly number[] | 'over' {
    const { ops, sessions, sessionOf, placeOf } = this.#p;
    const width = sessions.length;
    const waits = new Int32Array(ops.length);
    for (const row of ops.keys())
      for (const { to } of this.#edgesOf(row)) waits[to] = (waits[to] as number) + 1;
    const ready = [...ops.keys()].filter((row) => waits[row] === 0);
    const clocks = this.#clocks;
    for (let done = 0; done < ready.length; done++) {
      if (done % ROWS_BETWEEN_LOOKS === 0 && this.#isOver()) return 'over';
      const row = ready[done] as number;
      const own = row * width;
      for (const { to } of this.#edgesOf(row)) {
        const other = to * width;
        for (let at = 0; at < width; at++)
          if ((clocks[own + at] as number) > (clocks[other + at] as number))
            clocks[other + at] = clocks[own + at] as number;
        const session = other + (sessionOf[row] as number);
        clocks[session] = Math.max(clocks[session] as number, (placeOf[row] as number) + 1);
        waits[to] = (waits[to] as number) - 1;
        if (waits[to] === 0) ready.push(to);
      }
    }
    return [...ops.keys()].filter((row) => waits[row] !== 0);
  }

  #circleAmong(left: readonly number[]): Circle {
    let best: readonly Edge[] = [];
    for (const row of left) {
      const found = this.#path(row, row, Infinity);
      if (found !== undefined && (best.length === 0 || found.length < best.length)) best = found;
      if (best.length > 0 && left.indexOf(row) >= CIRCLES_MAX) break;
    }
    const steps = joined(best);
    const ops = new Set<number>();
    const told = new Set<Edge>();
    this.#restOn(best, ops, told);
    return { steps, ops: this.#withProofs(ops) };
  }

  /** With those who show that what has an unknown outcome has happened. */
  #withProofs(ops: Iterable<number>): readonly number[] {
    const all = new Set(ops);
    for (const row of all) {
      const proof = this.#provenBy[row] as number;
      if (this.#c.ret[row] === NEVER && proof >= 0) all.add(proof);
    }
    return [...all].toSorted((a, b) => a - b);
  }

  /** Adds the operations that these follow from. */
  #restOn(edges: readonly Edge[], ops: Set<number>, told: Set<Edge>): void {
    for (const { from, to } of joined(edges)) ops.add(from).add(to);
    for (const edge of edges) {
      const { from, to, why, by, round } = edge;
      if (told.has(edge) || by === undefined) continue;
      told.add(edge);
      ops.add(by);
      const path = why === 'before' ? this.#path(from, by, round) : this.#path(by, to, round);
      this.#restOn(path ?? [], ops, told);
    }
  }

  /** The way with the fewest steps, of those known before this round; a circle if both are one. */
  #path(from: number, to: number, round: number): readonly Edge[] | undefined {
    const cameBy = new Map<number, Edge>();
    const todo = [from];
    for (let at = 0; at < todo.length && !cameBy.has(to); at++)
      for (const edge of this.#edgesOf(todo[at] as number)) {
        if (edge.round >= round || cameBy.has(edge.to)) continue;
        cameBy.set(edge.to, edge);
        todo.push(edge.to);
      }
    const path: Edge[] = [];
    for (let edge = cameBy.get(to); edge !== undefined; edge = cameBy.get(edge.from)) {
      path.unshift(edge);
      if (edge.from === from) return path;
    }
    return undefined;
  }
}

function sourcesOf({ length, puts, initial }: RegisterColumns): Map<number, number> {
  const sources = new Map<number, number>();
  for (const value of initial) sources.set(value, BEGINNING);
  const twice = new Set<number>();
  for (let row = 0; row < length; row++) {
    const put = puts[row] as number;
    if (put < 0) continue;
    if (sources.has(put)) twice.add(put);
    sources.set(put, row);
  }
  for (const value of twice) sources.delete(value);
  return sources;
}

/** Several steps within one session are one. */
function joined<T extends Precedence>(steps: readonly T[]): T[] {
  const short: T[] = [];
  for (const step of steps) {
    const last = short.at(-1);
    if (last?.why === 'session' && step.why === 'session')
      short[short.length - 1] = { ...last, to: step.to };
    else short.push(step);
  }
  return short;
}
