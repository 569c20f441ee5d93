/**
 * Makes a history of entries as Jepsen records them: in order, each an invocation or a completion of
 * a numbered process. For all formats that are lists of such entries.
 */
import type { JsonValue } from '../../core/json.ts';
import { NANOS_PER_MS, type Nanos, nanos } from '../../core/units.ts';
import { type History, HistoryBuilder } from '../history.ts';
import type { OpDraft, OpError, OpType } from '../op.ts';
import { badInput, type Source } from './format.ts';

export interface Entry {
  /** Where it begins in the text. */
  readonly at: number;
  /** As the file numbers it. */
  readonly process: number;
  readonly type: OpType;
  readonly f: string;
  readonly key?: string;
  /** Absent: that of the invocation. */
  readonly value?: JsonValue;
  /** Of a completion that is not ok. */
  readonly error?: OpError;
  /** In nanoseconds; absent: one millisecond an entry. */
  readonly time?: number;
}

interface Open {
  readonly process: number;
  readonly draft: OpDraft;
}

/** A read that says nothing is taken as one that failed: nothing is concluded from it. */
const NIL_READ: OpError = { code: 'nil-read', definite: true };

export class Entries {
  readonly #source: Source;
  readonly #nilReads: 'absent' | 'any';
  readonly #builder: HistoryBuilder = new HistoryBuilder();
  readonly #processes: ProcessNumbers = new ProcessNumbers();
  /** By process as the file numbers it. */
  readonly #open: Map<number, Open> = new Map();
  #time: Nanos = nanos(0);
  /** Reads that answered nil. */
  nilReads = 0;
  #timed = 0;

  constructor(source: Source, nilReads: 'absent' | 'any' = 'absent') {
    this.#source = source;
    this.#nilReads = nilReads;
  }

  get length(): number {
    return this.#builder.length;
  }

  /** Throws `bad-input` if it does not fit to those before. */
  add(entry: Entry): void {
    const open = this.#open.get(entry.process);
    if (entry.type === 'invoke') this.#invoke(entry, open);
    else this.#complete(entry, open);
  }

  #invoke(entry: Entry, open: Open | undefined): void {
    const { process: name, f, key, value = null } = entry;
    if (open !== undefined)
      throw this.#bad(entry, `process ${name} invokes ${f} while its ${open.draft.f} is under way`);
    const draft: OpDraft = {
      process: this.#processes.take(name),
      type: 'invoke',
      f,
      ...(key !== undefined && { key }),
      value,
      phase: 'main',
    };
    this.#open.set(name, { process: draft.process as number, draft });
    this.#append(draft, entry);
  }

  #complete(entry: Entry, open: Open | undefined): void {
    const { process: name, f, key } = entry;
    if (open === undefined)
      throw this.#bad(entry, `process ${name} completes ${f}, which it did not invoke`);
    const { draft } = open;
    if (draft.f !== f)
      throw this.#bad(entry, `process ${name} completes ${f}, but ${draft.f} is under way`);
    if (key !== undefined && key !== draft.key)
      throw this.#bad(
        entry,
        `process ${name} completes ${f} of ${key}, but invoked it of ${draft.key}`,
      );
    this.#open.delete(name);
    const completion = this.#completionOf(entry, draft);
    if (completion.type !== 'info') this.#processes.giveBack(name, open.process);
    this.#append(completion, entry);
  }

  #completionOf({ type, value = null, error, ...entry }: Entry, draft: OpDraft): OpDraft {
    if (type !== 'ok') {
      const definite = type === 'fail';
      const unnamed = { code: definite ? 'failed' : 'unknown-outcome', definite };
      return { ...draft, type, error: error ?? unnamed };
    }
    if (entry.f !== 'read') return { ...draft, type, value: value ?? draft.value };
    if (value === null) {
      this.nilReads++;
      if (this.#nilReads === 'any') return { ...draft, type: 'fail', error: NIL_READ };
    }
    return { ...draft, type, value };
  }

  /** Moments that are missing or go back are made up: only the order counts. */
  #append(draft: OpDraft, { time }: Entry): void {
    if (time !== undefined) this.#timed++;
    const moment = nanos(time ?? this.#builder.length * NANOS_PER_MS);
    if (moment > this.#time) this.#time = moment;
    this.#builder.append(draft, this.#time);
  }

  #bad(entry: Entry, what: string): Error {
    const advice = 'an operation is missing, or stands twice; use another copy of the history';
    return badInput(this.#source, entry.at, what, advice);
  }

  /** What reports must not leave in doubt: that their times are made up. */
  notes(): readonly string[] {
    return this.#timed === 0 ? ['it has no times: each entry counts as 1 ms'] : [];
  }

  /** The history until now. Operations still under way are of unknown outcome. */
  history(): History {
    return this.#builder.build();
  }
}

/**
 * Numbers for processes. One whose operation never ended is spent: if the file uses its number
 * again, it goes on under a new one.
 */
export class ProcessNumbers {
  readonly #free: Map<number | string, number[]> = new Map();
  readonly #used: Set<number> = new Set();
  #next = 0;

  /** A number that is not in use: the name itself, where it can be. */
  take(name: number | string): number {
    const free = this.#free.get(name)?.pop();
    if (free !== undefined) return free;
    const own = typeof name === 'number' && isCount(name) && !this.#used.has(name);
    const number = own ? name : this.#next;
    this.#used.add(number);
    if (number >= this.#next) this.#next = number + 1;
    return number;
  }

  giveBack(name: number | string, number: number): void {
    const free = this.#free.get(name);
    if (free === undefined) this.#free.set(name, [number]);
    else free.push(number);
  }
}

/** What a history can hold as a process. */
function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < 2 ** 30;
}
