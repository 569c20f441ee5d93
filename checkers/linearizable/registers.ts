/** Judges registers by columns of numbers: the linear ways first, then the search. */
import { invariant } from '../../harness/core/invariant.ts';
import type { History } from '../../harness/history/history.ts';
import type { ReadMode } from '../../harness/history/op.ts';
import type { Anomaly } from '../../harness/protocols/checker.ts';
import { columnWitnessProblem } from '../certificates/column-witness.ts';
import { type KeyHistory, keyHistories } from '../key-history.ts';
import type { Model } from '../models/model.ts';
import type { Asked } from './asked.ts';
import { columnsOf, NEVER, NONE, type RegisterColumns } from './columns.ts';
import { Excerpts, isWorthExcerpts } from './excerpts.ts';
import { explained, type Hopeless, provenAnomalies } from './explain-key.ts';
import { revisionWitness } from './fast/revision-witness.ts';
import { type Conflict, uniqueWrites } from './fast/unique-writes.ts';
import { historyColumns } from './history-columns.ts';
import { type JudgeOptions, judgementOf, type KeyJudgement } from './judgement.ts';
import { columnsOfPart, type Partition, partitionOf } from './partition.ts';
import { Room, zeroBytes, zeros } from './room.ts';
import {
  type Outcome,
  type Round,
  type RoundBudget,
  type Rounds,
  roundsOf,
  type Searches,
  type Size,
} from './rounds.ts';
import { searchPart } from './search-part.ts';
import { findOrder, type SearchBudget } from './wgl.ts';

/** Columns, and the way back from them. */
export interface Registers {
  readonly columns: RegisterColumns;
  /** Rows of all keys together are in order of invocation, so that a witness may be for all. */
  readonly isStore: boolean;
  /** The entry of the history that completed a row. */
  endOf(row: number): number;
  /** In order of the numbers given. */
  readonly keyHistories: (keys: readonly number[]) => readonly KeyHistory[];
  /** Absent: the whole of each key is there anyway. */
  readonly excerpts?: (keys: readonly number[]) => Excerpts;
}

export function registersOfHistory(
  history: History,
  model: Model,
  reads: readonly ReadMode[],
): Registers & { readonly asked: Asked } {
  const columns = historyColumns(history, reads, model.init);
  return {
    columns,
    asked: columns.asked,
    isStore: true,
    endOf: (row) => columns.ret[row] as number,
    keyHistories: (keys) => {
      if (keys.length === 0) return [];
      const names = new Set(keys.map((key) => columns.keys[key] as string));
      const found = keyHistories(history, model, reads, names);
      const byName = new Map(found.map((key) => [key.key, key]));
      return keys.map((key) => byName.get(columns.keys[key] as string) as KeyHistory);
    },
    excerpts: (keys) => new Excerpts(history, model, reads, columns, keys),
  };
}

export function registersOfKeys(parts: readonly KeyHistory[], model: Model): Registers {
  const columns = columnsOf(parts, 'key', model.init);
  const first = [0];
  for (const { ops } of parts) first.push((first.at(-1) as number) + ops.length);
  return {
    columns,
    isStore: false,
    endOf: (row) => {
      const key = columns.key[row] as number;
      return parts[key]?.ops[row - (first[key] as number)]?.end ?? Infinity;
    },
    keyHistories: (keys) => keys.map((key) => parts[key] as KeyHistory),
  };
}

/** One judgement for each key of the columns. */
export function* registerRounds(
  registers: Registers,
  options: JudgeOptions,
): Rounds<KeyJudgement[]> {
  return yield* new RegisterJudge(registers, options).run();
}

/** For one judge after the other. */
const room = new Room();

class RegisterJudge {
  readonly #registers: Registers;
  readonly #columns: RegisterColumns;
  readonly #options: JudgeOptions;
  readonly #sizes: readonly Size[];
  /** By key: the moment by which what had happened is impossible. */
  readonly #impossible: Map<number, number> = new Map();
  /** By key, of those that no search had to find. */
  readonly #proven: Map<number, readonly Anomaly[]> = new Map();
  readonly #outcomes: Map<number, { readonly outcome: Outcome; readonly at: number }> = new Map();
  #partition: Partition | undefined;
  #allRows: Int32Array | undefined;

  constructor(registers: Registers, options: JudgeOptions) {
    this.#registers = registers;
    this.#columns = registers.columns;
    this.#options = options;
    this.#sizes = sizesOf(registers.columns);
  }

  *run(): Rounds<KeyJudgement[]> {
    const others = this.#withoutSearch();
    if (others.includes(1)) yield* this.#search(others);
    const anomalies = this.#explain();
    return this.#sizes.map((size, key) => {
      const base = { key: this.#columns.keys[key] as string, ...size };
      const found = this.#outcomes.get(key);
      if (this.#impossible.has(key) || this.#proven.has(key)) {
        const upTo = this.#impossible.get(key) ?? -1;
        // What a search could not decide may have been proven without one.
        const outcome = found?.outcome.result === 'invalid' ? found.outcome : INVALID;
        return judgementOf(base, outcome, upTo, anomalies.get(key) ?? []);
      }
      if (found === undefined || found.outcome.result === 'valid')
        return judgementOf(base, found?.outcome ?? VALID, Infinity);
      const { decided, doubts } = this.#progress(found.at, found.outcome.blocked);
      const upTo = this.#upTo(found.at, found.outcome.blocked);
      return { ...judgementOf(base, found.outcome, upTo), decided, doubts };
    });
  }

  /** Returns 1 for each key about which the linear ways say nothing. */
  #withoutSearch(): Uint8Array {
    const columns = this.#columns;
    const others = zeroBytes(columns.keys.length);
    if (this.#registers.isStore) {
      const witness = revisionWitness(columns);
      if (witness.holds) {
        const { needs, puts, call: calls, ret: returns } = columns;
        const steps = { needs, puts, calls, returns };
        const problem = columnWitnessProblem(steps, witness.order, columns);
        if (problem !== undefined) invariant(false, `the witness is none: ${problem}`);
        return others;
      }
    }
    const repeats = repeating(columns);
    if (!repeats.includes(0)) return others.fill(1);
    room.clear();
    const { verdicts, conflicts } = uniqueWrites(columns, room);
    for (const [key, verdict] of verdicts.entries()) others[key] = verdict === 'other' ? 1 : 0;
    for (const conflict of conflicts) this.#impossible.set(conflict.key, this.#byThen(conflict));
    return others;
  }

  /** When all that a conflict is about had happened. */
  #byThen({ ops, proofs }: Conflict): number {
    let last = -1;
    for (const row of [...ops, ...proofs])
      if (this.#columns.ret[row] !== NEVER) last = Math.max(last, this.#registers.endOf(row));
    return last;
  }

  *#search(others: Uint8Array): Rounds<void> {
    if (others.indexOf(1) < others.lastIndexOf(1)) yield soon(this.#columns.length);
    const partition = partitionOf(this.#columns, others);
    this.#partition = partition;
    const sizes = Array.from(partition.keys, (key) => this.#sizes[key] as Size);
    const searches: Searches = {
      parts: partition,
      decide: (part, budget) => this.#decide(partition, part, budget),
    };
    const outcomes = yield* roundsOf(sizes, searches, (parts) => this.#refuted(partition, parts));
    for (const [at, outcome] of outcomes.entries()) {
      const key = partition.keys[at] as number;
      this.#outcomes.set(key, { outcome, at });
      if (outcome.result === 'invalid') this.#impossible.set(key, this.#upTo(at, outcome.blocked));
    }
  }

  #decide(partition: Partition, part: number, budget: RoundBudget & SearchBudget): Outcome {
    const { reason: narrow, ...outcome } = searchPart(partition, part, budget);
    if (narrow !== 'width') return { ...outcome, ...(narrow !== undefined && { reason: narrow }) };
    const [key] = this.#registers.keyHistories([partition.keys[part] as number]);
    const found = findOrder(key?.ops ?? [], this.#options.model, budget);
    const { result, steps, configurations } = found;
    const isHopeless = result === 'unknown' && found.reason !== 'steps';
    const reason = isHopeless ? 'width' : result === 'unknown' ? 'steps' : undefined;
    const upTo = result === 'valid' ? -1 : found.upTo;
    const blocked = this.#rows(part).findIndex((row) => this.#registers.endOf(row) === upTo);
    return {
      ...outcome,
      result,
      steps,
      configurations,
      ...(reason !== undefined && { reason }),
      ...(blocked >= 0 && { blocked }),
    };
  }

  /** Parts of which a few operations show what the search did not find in a first round. */
  #refuted({ keys }: Partition, parts: readonly number[]): readonly number[] {
    const found = this.#registers.keyHistories(parts.map((part) => keys[part] as number));
    return parts.filter((part, at) => {
      const anomalies = provenAnomalies(found[at] as KeyHistory, this.#options);
      if (anomalies.length > 0) this.#proven.set(keys[part] as number, anomalies);
      return anomalies.length > 0;
    });
  }

  #explain(): ReadonlyMap<number, readonly Anomaly[]> {
    const keys = [...this.#impossible.keys()].toSorted((a, b) => a - b);
    if (keys.length === 0) return this.#proven;
    const { excerpts, keyHistories: historiesOf } = this.#registers;
    const isLong = (key: number): boolean =>
      excerpts !== undefined && isWorthExcerpts((this.#sizes[key] as Size).operations);
    const short = keys.filter((key) => !isLong(key));
    const known = new Map(historiesOf(short).map((history, at) => [short[at], history]));
    const long = excerpts?.(keys.filter(isLong));
    const hopeless = keys.map((key): Hopeless => {
      const upTo = this.#impossible.get(key) as number;
      const whole = (): KeyHistory => known.get(key) ?? (historiesOf([key])[0] as KeyHistory);
      return { upTo, whole, ...(isLong(key) && long && { excerpts: long.near(key, upTo) }) };
    });
    const anomalies = explained(hopeless, this.#options);
    const searched = keys.map((key, at) => [key, anomalies[at] ?? []] as const);
    return new Map([...this.#proven, ...searched]);
  }

  #upTo(part: number, blocked: number | undefined): number {
    if (blocked === undefined || this.#partition === undefined) return -1;
    return this.#registers.endOf(this.#rows(part)[blocked] as number);
  }

  #rows(part: number): Int32Array {
    const { first } = this.#partition as Partition;
    this.#allRows ??= (this.#partition as Partition).rows();
    return this.#allRows.subarray(first[part], first[part + 1]);
  }

  #progress(part: number, blocked: number | undefined): Pick<KeyJudgement, 'decided' | 'doubts'> {
    let [decided, doubts] = [0, 0];
    if (blocked === undefined || this.#partition === undefined) return { decided, doubts };
    const { calls, returns } = columnsOfPart(this.#partition, part);
    const upTo = returns[blocked] as number;
    for (let row = 0; row < calls.length; row++) {
      if ((returns[row] as number) < upTo) decided++;
      else if (returns[row] === NEVER && (calls[row] as number) < upTo) doubts++;
    }
    return { decided, doubts };
  }
}

const NO_EFFORT = { steps: 0, configurations: 0, states: 0, width: 0 } as const;
const VALID: Outcome = { result: 'valid', ...NO_EFFORT };
const INVALID: Outcome = { result: 'invalid', ...NO_EFFORT };

/** To cut the columns into parts takes about as long as a thread to start. */
function soon(operations: number): Round {
  const decide = (): never => {
    invariant(false, 'there is nothing to decide yet');
  };
  return { keys: [], steps: [], operations, decide };
}

function sizesOf({ length, keys, key, ret }: RegisterColumns): readonly Size[] {
  if (keys.length === 1 && !ret.includes(NEVER)) return [{ operations: length, indefinite: 0 }];
  const operations = zeros(keys.length);
  const indefinite = zeros(keys.length);
  for (let row = 0; row < length; row++) {
    const own = key[row] as number;
    operations[own] = (operations[own] as number) + 1;
    if (ret[row] === NEVER) indefinite[own] = (indefinite[own] as number) + 1;
  }
  return keys.map((_, own) => ({
    operations: operations[own] as number,
    indefinite: indefinite[own] as number,
  }));
}

/** 1 for each key of which `uniqueWrites` will say nothing; it ends as soon as that are all. */
function repeating({
  length,
  keys,
  key,
  needs,
  puts,
  initial,
  keyOf,
}: RegisterColumns): Uint8Array {
  const repeats = zeroBytes(keys.length);
  const isPut = zeroBytes(keyOf.length);
  for (const value of initial) isPut[value] = 1;
  let left = keys.length;
  for (let row = 0; row < length && left > 0; row++) {
    const own = key[row] as number;
    if (repeats[own] === 1) continue;
    const put = puts[row] as number;
    const isOther = (needs[row] as number) < NONE || (put >= 0 && isPut[put] === 1);
    if (put >= 0) isPut[put] = 1;
    if (!isOther) continue;
    repeats[own] = 1;
    left--;
  }
  return repeats;
}
