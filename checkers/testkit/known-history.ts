/**
 * Long histories of registers whose verdict is known by construction, for measuring checkers.
 *
 * Clients in a closed loop ask a correct register: they think for 0.1, then an operation takes an
 * exponential time of mean 1, and acts at some moment within it, so that nearly all clients always
 * have one under way. The order in which operations acted is a witness.
 *
 * One violation may be put in. A *phantom* is a read of a value that nobody writes. A *stale read*
 * is of a value `v` of which all writers were answered; after that another write began and was
 * answered, then the read began, and nobody begins to write `v` again before it ends. So every
 * writer of `v` precedes that write, which precedes the read: no order works. (To this end no write
 * of `v` before it has an unknown outcome, and none begins in the short while around it.) *Too few
 * writes* are proven impossible only by counting: see `TooFewWrites`. Without the last sighting the
 * history has an order again.
 */
import { invariant } from '../../harness/core/invariant.ts';
import type { Random } from '../../harness/core/prng.ts';
import { TooFewWrites } from './known-history-few.ts';
import { ABSENT, CAS, type KnownHistory, READ, Rows, WRITE } from './known-history-rows.ts';
import { type Wrong, WrongRead } from './known-history-wrong.ts';

export type ViolationKind = 'stale-read' | 'phantom-read' | 'too-few-writes';

export interface KnownOptions {
  readonly operations: number;
  /** How many are under way at once. */
  readonly clients: number;
  readonly keys: number;
  /** `in-turn`: all clients ask one key after the other. `at-random`: each asks any key. */
  readonly spread: 'in-turn' | 'at-random';
  /** Different values of a key, or each write its own. */
  readonly values: number | 'unique';
  /** Share of operations that are never answered; half of them act. */
  readonly indefinite: number;
  /** Share of compare-and-sets; reads and writes share the rest. */
  readonly cas: number;
  /** `at`: after which part of the operations, from 0 to 1. A short history may grow for it. */
  readonly violation?: { readonly kind: ViolationKind; readonly at: number };
}

export const KNOWN_DEFAULTS: KnownOptions = {
  operations: 1000,
  clients: 10,
  keys: 1,
  spread: 'in-turn',
  values: 5,
  indefinite: 0,
  cas: 1 / 3,
};

const THINKING = 0;
const WAITING = 1;
const ACTED = 2;
const THINK = 0.1;

export function knownHistory(random: Random, partial: Partial<KnownOptions> = {}): KnownHistory {
  const options = { ...KNOWN_DEFAULTS, ...partial };
  const { values, violation } = options;
  invariant(values === 'unique' || values > 1, 'a stale read takes two values');
  invariant(
    values !== 'unique' || violation?.kind !== 'too-few-writes',
    'unique values are written once',
  );
  return new Simulation(random, options).run();
}

class Simulation {
  readonly #random: Random;
  readonly #options: KnownOptions;
  readonly #rows: Rows;
  readonly #state: Int32Array;
  /** By client: when its next event is, which it is, and the row of its operation. */
  readonly #due: Float64Array;
  readonly #stage: Uint8Array;
  readonly #row: Int32Array;
  readonly #lost: Uint8Array;
  readonly #acts: Float64Array;
  readonly #wrong: Wrong;
  /** Clients whose operation is answered when the violation is there. */
  readonly #held: number[] = [];
  #key = 0;
  #askedOfKey = 0;
  #fresh = 0;

  constructor(random: Random, options: KnownOptions) {
    const { clients, keys, operations } = options;
    this.#random = random;
    this.#options = options;
    this.#rows = new Rows(operations);
    this.#state = new Int32Array(keys).fill(ABSENT);
    this.#due = Float64Array.from({ length: clients }, () => random.float());
    this.#stage = new Uint8Array(clients);
    this.#row = new Int32Array(clients);
    this.#lost = new Uint8Array(clients);
    this.#acts = new Float64Array(clients);
    const isCounted = options.violation?.kind === 'too-few-writes';
    this.#wrong = new (isCounted ? TooFewWrites : WrongRead)(options, this.#rows);
  }

  run(): KnownHistory {
    for (;;) {
      const client = this.#next();
      if (this.#due[client] === Infinity) break;
      if (!this.#wrong.isPending) this.#release(this.#due[client] as number);
      const stage = this.#stage[client];
      if (stage === THINKING) this.#invoke(client);
      else if (stage === WAITING) this.#act(client);
      else this.#return(client);
    }
    const { values, violation } = this.#options;
    const tells = values === 'unique';
    const expected = violation === undefined ? 'valid' : 'invalid';
    return { ...this.#rows.build(), expected, wrong: this.#wrong.row, tells };
  }

  /** The client whose event comes first. */
  #next(): number {
    const due = this.#due;
    let first = 0;
    for (let client = 1; client < due.length; client++)
      if ((due[client] as number) < (due[first] as number)) first = client;
    return first;
  }

  #invoke(client: number): void {
    const rows = this.#rows;
    const { operations, indefinite, cas } = this.#options;
    if (rows.length >= operations && !this.#wrong.isPending) {
      this.#due[client] = Infinity;
      return;
    }
    const random = this.#random;
    const key = this.#nextKey();
    const lost = random.chance(indefinite);
    const f = random.chance(cas) ? CAS : random.chance(0.5) ? READ : WRITE;
    const banned = this.#wrong.bannedFor(key, lost);
    const heldBack = this.#wrong.heldBack(key);
    if (heldBack >= 0) {
      this.#holdBack(client, key, heldBack);
      return;
    }
    const a = f === READ ? ABSENT : f === CAS ? this.#guess(key) : this.#value(banned);
    const b = f === CAS ? this.#value(banned) : ABSENT;
    const row = rows.add(client, key, f, a, b);
    this.#wrong.called(row);
    const now = this.#due[client] as number;
    const takes = -Math.log(1 - random.float());
    this.#row[client] = row;
    this.#lost[client] = lost ? 1 : 0;
    this.#acts[client] = now + takes;
    this.#due[client] = now + takes * random.float();
    this.#stage[client] = WAITING;
  }

  /** A write that takes effect where the violation says, unseen; it is answered late, or never. */
  #holdBack(client: number, key: number, value: number): void {
    const row = this.#rows.add(client, key, WRITE, value, ABSENT);
    this.#wrong.holds(row);
    this.#row[client] = row;
    this.#stage[client] = ACTED;
    const lost = this.#options.indefinite > 0;
    this.#lost[client] = lost ? 1 : 0;
    this.#due[client] = lost ? (this.#due[client] as number) + 1 : Infinity;
    if (!lost) this.#held.push(client);
  }

  #release(now: number): void {
    for (const client of this.#held.splice(0)) this.#due[client] = now;
  }

  #act(client: number): void {
    const rows = this.#rows;
    const row = this.#row[client] as number;
    const key = rows.key[row] as number;
    const held = this.#state[key] as number;
    const doesNot = this.#lost[client] === 1 && this.#random.chance(0.5);
    rows.saw[row] = held;
    if (!doesNot) {
      const f = rows.f[row];
      const puts = f === WRITE || (f === CAS && held === rows.a[row]) ? rows.puts(row) : undefined;
      if (puts !== undefined) this.#state[key] = puts;
      this.#wrong.acted(row, puts, this.#lost[client] === 1);
    }
    this.#due[client] = this.#acts[client] as number;
    this.#stage[client] = ACTED;
  }

  #return(client: number): void {
    const row = this.#row[client] as number;
    if (this.#lost[client] !== 1) {
      this.#rows.answered(row);
      this.#wrong.answered(row);
    }
    this.#due[client] = (this.#due[client] as number) + THINK;
    this.#stage[client] = THINKING;
  }

  #nextKey(): number {
    const { keys, spread, operations } = this.#options;
    if (spread === 'at-random') return keys === 1 ? 0 : this.#random.int(0, keys - 1);
    const full = this.#askedOfKey >= operations / keys && this.#key < keys - 1;
    if (full && !this.#wrong.isAt(this.#key)) {
      this.#key++;
      this.#askedOfKey = 0;
    }
    this.#askedOfKey++;
    return this.#key;
  }

  #value(banned: number): number {
    const { values } = this.#options;
    if (values === 'unique') return this.#fresh++;
    const value = this.#random.int(0, values - (banned < 0 ? 1 : 2));
    return banned >= 0 && value >= banned ? value + 1 : value;
  }

  /** What a cas expects: with unique values mostly what is there, or none would ever succeed. */
  #guess(key: number): number {
    const { values } = this.#options;
    if (values !== 'unique') return this.#random.int(0, values - 1);
    const held = this.#state[key] as number;
    return held !== ABSENT && this.#random.chance(0.8)
      ? held
      : this.#random.int(0, Math.max(0, this.#fresh - 1));
  }
}
