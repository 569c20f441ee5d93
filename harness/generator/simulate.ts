/** Runs a generator against imagined clients: no clock, no I/O, the same operations every time. */
import { invariant } from '../core/invariant.ts';
import type { JsonValue } from '../core/json.ts';
import { Random, seedFrom } from '../core/prng.ts';
import { type Nanos, type NodeName, nanos } from '../core/units.ts';
import type { CompletionType, Op, OpDraft } from '../history/op.ts';
import { ThreadTable } from './context.ts';
import type { Generator, Offer, Thread } from './generator.ts';

/** How an imagined client answers. */
export interface Answer {
  readonly type: CompletionType;
  readonly latencyNanos: number;
  /** Defaults to the invocation's. */
  readonly value?: JsonValue;
}

/** Must depend on the invocation only. Faults always complete with `info`, whatever it says. */
export type LatencyModel = (invoke: Op) => Answer;

export interface SimulateOptions {
  readonly clients?: number;
  readonly lanes?: readonly string[];
  readonly nodes?: readonly NodeName[];
  readonly model?: LatencyModel;
  readonly seed?: number;
  /** Stops after so many entries, as many generators are endless. */
  readonly entriesMax?: number;
}

const LATENCY_NANOS = 10;
const DEFAULT_SEED = 45_100;
const POLL_NANOS = 1_000_000;
/** So many steps without an entry: the generator waits for what will never happen. */
const STEPS_MAX = 100_000;

/** Everything answers ok after 10 ns. */
export const perfectModel: LatencyModel = () => ({ type: 'ok', latencyNanos: LATENCY_NANOS });

/** Everything ends with info after 10 ns, so every process is used once. */
export const infoModel: LatencyModel = () => ({ type: 'info', latencyNanos: LATENCY_NANOS });

/** In turns fail, info and ok, after 10 ns. */
export const imperfectModel: LatencyModel = ({ index }) => ({
  type: (['fail', 'info', 'ok'] as const)[index % 3] ?? 'ok',
  latencyNanos: LATENCY_NANOS,
});

/** The whole history that `gen` makes with these clients: invocations and completions. */
export function simulate(gen: Generator, options: SimulateOptions = {}): Op[] {
  return new Simulation(gen, options).run();
}

/** Only the invocations, with clients that answer ok at once. */
export function quick(gen: Generator, options: SimulateOptions = {}): Op[] {
  const model: LatencyModel = () => ({ type: 'ok', latencyNanos: 0 });
  return invocations(simulate(gen, { model, ...options }));
}

/** Only the invocations, with clients that answer ok after 10 ns. */
export function perfect(gen: Generator, options: SimulateOptions = {}): Op[] {
  return invocations(simulate(gen, options));
}

/** Only the invocations, with clients whose every outcome is unknown after 10 ns. */
export function perfectInfo(gen: Generator, options: SimulateOptions = {}): Op[] {
  return invocations(simulate(gen, { model: infoModel, ...options }));
}

/** The whole history, with clients that fail, do not know and succeed in turns. */
export function imperfect(gen: Generator, options: SimulateOptions = {}): Op[] {
  return simulate(gen, { model: imperfectModel, ...options });
}

function invocations(ops: readonly Op[]): Op[] {
  return ops.filter(({ type }) => type === 'invoke');
}

interface UnderWay {
  readonly thread: Thread;
  readonly invoke: Op;
  readonly answer: Answer;
  readonly at: number;
}

class Simulation {
  #generator: Generator;
  readonly #model: LatencyModel;
  readonly #entriesMax: number;
  readonly #table: ThreadTable;
  readonly #ops: Op[] = [];
  /** By time, then in order of invocation. */
  readonly #underWay: UnderWay[] = [];
  #time: Nanos = nanos(0);

  constructor(gen: Generator, options: SimulateOptions) {
    const { clients = 3, lanes = ['faults'], nodes = ['n1', 'n2', 'n3'], model, seed } = options;
    this.#generator = gen;
    this.#model = model ?? perfectModel;
    this.#entriesMax = options.entriesMax ?? 100_000;
    const random = Random.stream(seedFrom(seed ?? DEFAULT_SEED), 'simulate');
    this.#table = new ThreadTable({ clients, lanes, nodes, random });
  }

  run(): Op[] {
    let [steps, entries] = [0, 0];
    while (this.#ops.length < this.#entriesMax) {
      steps = this.#ops.length === entries ? steps + 1 : 0;
      entries = this.#ops.length;
      invariant(steps < STEPS_MAX, 'simulate: the generator is pending and nothing is under way');
      // Completions come first, as in the interpreter.
      if (this.#endNext(this.#time)) continue;
      const next = this.#generator.next(this.#table.context(this.#time));
      if (next === undefined) {
        while (this.#endNext(Number.POSITIVE_INFINITY));
        break;
      }
      const [offer, rest] = next;
      if (offer === 'pending') this.#wait(rest);
      else if (offer.time <= this.#time) this.#take(offer, rest);
      // What ends before then may change the offer; else it is asked for again at its time.
      else if (!this.#endNext(offer.time)) this.#time = offer.time;
    }
    return this.#ops;
  }

  #wait(rest: Generator): void {
    const hasMoved = rest !== this.#generator;
    this.#generator = rest;
    if (hasMoved || this.#endNext(Number.POSITIVE_INFINITY)) return;
    this.#time = nanos(this.#time + POLL_NANOS);
  }

  #take(offer: Offer, rest: Generator): void {
    if (offer.special !== undefined) {
      this.#generator = rest;
      return;
    }
    const { thread, time: _time, special: _special, ...fields } = offer;
    invariant(this.#table.isFree(thread), `simulate: thread ${thread} was given work while busy`);
    const node = this.#table.nodeOf(thread);
    const invoke = this.#record({
      ...fields,
      type: 'invoke',
      phase: 'main',
      ...(node !== undefined && { node }),
      id: offer.id ?? this.#table.nextId(thread),
    });
    this.#table.start(thread);
    this.#generator = rest.update(this.#table.context(this.#time), invoke);
    const answer = this.#model(invoke);
    const at = this.#time + answer.latencyNanos;
    const after = this.#underWay.findLastIndex((other) => other.at <= at);
    this.#underWay.splice(after + 1, 0, { thread, invoke, answer, at });
  }

  /** Ends the operation that is due first, if that is not after `until`. */
  #endNext(until: number): boolean {
    const first = this.#underWay[0];
    if (first === undefined || first.at > until) return false;
    this.#underWay.shift();
    this.#time = nanos(Math.max(this.#time, first.at));
    const { thread, invoke, answer } = first;
    const type = typeof thread === 'number' ? answer.type : 'info';
    const { index: _index, time: _time, ...same } = invoke;
    const event = this.#record({
      ...same,
      type,
      value: answer.value === undefined ? invoke.value : answer.value,
    });
    this.#table.finish(thread, type === 'info');
    this.#generator = this.#generator.update(this.#table.context(this.#time), event);
    return true;
  }

  #record(draft: OpDraft): Op {
    const op: Op = { ...draft, index: this.#ops.length, time: this.#time };
    this.#ops.push(op);
    return op;
  }
}
