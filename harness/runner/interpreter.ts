import type { Clock } from '../core/clock.ts';
import { invariant } from '../core/invariant.ts';
import type { JsonValue } from '../core/json.ts';
import { msFromNanos, type Nanos, type NodeName } from '../core/units.ts';
import type { ThreadTable } from '../generator/context.ts';
import type { Generator, Offer, Thread } from '../generator/generator.ts';
import type { CompletionType, Op, OpDraft, OpError, Phase, ServerStamp } from '../history/op.ts';

/** How often a pending generator is asked again when nothing else happens. */
const POLL_MS = 2;
/** After so many turns of the loop without waiting, timers and sockets get theirs. */
const TURNS_IN_A_ROW_MAX = 256;
const MICROTASK_HOPS = 12;

/** How an invocation ended, for clients and faults alike. `value` defaults to the invocation's. */
export interface Ended {
  readonly type: CompletionType;
  readonly value?: JsonValue;
  readonly error?: OpError;
  readonly seen?: JsonValue;
  readonly server?: ServerStamp;
}

/** What every phase of a run shares. */
export interface Stage {
  readonly clock: Clock;
  readonly table: ThreadTable;
  /** Stamps and stores an entry: an invocation before it is sent, a completion when it is in hand. */
  readonly record: (draft: OpDraft) => Op;
  /** Applies an operation. A rejection is one of our own bugs, recorded as `info`. */
  invoke(thread: Thread, op: Op): Promise<Ended>;
  /** Called when `invoke` was rejected. */
  onBug(error: unknown, op: Op): void;
}

export interface PhaseOptions {
  readonly phase: Phase;
  /** No new operation from then on; absent: until the generator is exhausted. */
  readonly until?: Nanos;
  /** How long operations under way may take to end after the last one was issued. */
  readonly drainMs: number;
  /** Ends the phase early, as if `until` had come. */
  readonly signal?: AbortSignal;
}

/**
 * Runs a generator against the world: one loop, completions before new operations. Returns what is
 * left of the generator, for the next phase.
 */
export async function interpret(
  stage: Stage,
  generator: Generator,
  options: PhaseOptions,
): Promise<Generator | undefined> {
  return new PhaseLoop(stage, generator, options).run();
}

/** Filled field by field: spreads of what may be absent cost more than all else here together. */
type Draft = { -readonly [Field in keyof OpDraft]: OpDraft[Field] };

function invocationOf(
  { process, f, key, value, mode, lane }: Offer,
  id: string,
  node: NodeName | undefined,
  phase: Phase,
): OpDraft {
  const draft: Draft = { process, type: 'invoke', f, value, phase, id };
  if (key !== undefined) draft.key = key;
  if (node !== undefined) draft.node = node;
  if (mode !== undefined) draft.mode = mode;
  if (lane !== undefined) draft.lane = lane;
  return draft;
}

/** Says again what was asked, and of whom. */
function completionOf(invoke: Op, ended: Ended, phase: Phase): OpDraft {
  const { process, f, key, node, mode, id, lane } = invoke;
  const { type, value = invoke.value, error, seen, server } = ended;
  const draft: Draft = { process, type, f, value, phase };
  if (id !== undefined) draft.id = id;
  if (key !== undefined) draft.key = key;
  if (node !== undefined) draft.node = node;
  if (mode !== undefined) draft.mode = mode;
  if (lane !== undefined) draft.lane = lane;
  if (error !== undefined) draft.error = error;
  if (seen !== undefined) draft.seen = seen;
  if (server !== undefined) draft.server = server;
  return draft;
}

interface Done {
  readonly thread: Thread;
  readonly invoke: Op;
  readonly ended: Ended;
}

class PhaseLoop {
  readonly #stage: Stage;
  readonly #options: PhaseOptions;
  #generator: Generator | undefined;
  #done: Done[] = [];
  readonly #open: Map<Thread, Op> = new Map();
  #wake: (() => void) | undefined;
  /** Rounds of the loop since the event loop last had its turn. */
  #turns = 0;

  constructor(stage: Stage, generator: Generator, options: PhaseOptions) {
    this.#stage = stage;
    this.#generator = generator;
    this.#options = options;
  }

  async run(): Promise<Generator | undefined> {
    const { clock } = this.#stage;
    const { signal } = this.#options;
    const onAbort = (): void => this.#wake?.();
    signal?.addEventListener('abort', onAbort);
    try {
      while (!this.#isOver()) {
        this.#complete();
        const waitMs = this.#issue();
        if (waitMs === 'exhausted') break;
        if (++this.#turns >= TURNS_IN_A_ROW_MAX) await this.#turn();
        else if (waitMs > 0) await this.#wait(waitMs);
      }
      await this.#drain(clock.now() + this.#options.drainMs * 1e6);
      return this.#generator;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  #isOver(): boolean {
    const { until, signal } = this.#options;
    return signal?.aborted === true || (until !== undefined && this.#stage.clock.now() >= until);
  }

  /** Records what ended and tells the generator. */
  #complete(): void {
    const { table, clock, record } = this.#stage;
    const done = this.#done;
    if (done.length === 0) return;
    this.#done = [];
    for (const { thread, invoke, ended } of done) {
      const event = record(completionOf(invoke, ended, this.#options.phase));
      this.#open.delete(thread);
      table.finish(thread, ended.type === 'info');
      this.#generator = this.#generator?.update(table.context(clock.now()), event);
    }
  }

  /** Issues at most one operation; returns how long to wait for anything else to happen. */
  #issue(): number | 'exhausted' {
    const { table, clock } = this.#stage;
    const now = clock.now();
    const next = this.#generator?.next(table.context(now));
    if (next === undefined) {
      this.#generator = undefined;
      return 'exhausted';
    }
    const [offer, rest] = next;
    if (offer === 'pending') {
      this.#generator = rest;
      return POLL_MS;
    }
    if (offer.time > now) return msFromNanos(offer.time - now);
    if (offer.special === undefined) this.#dispatch(offer, rest);
    else this.#generator = rest;
    return 0;
  }

  #dispatch(offer: Offer, rest: Generator): void {
    const { table, clock, record } = this.#stage;
    const { thread } = offer;
    invariant(!this.#open.has(thread), `the generator offered work to busy thread ${thread}`);
    const node = table.nodeOf(thread);
    const id = offer.id ?? table.nextId(thread);
    const invoke = record(invocationOf(offer, id, node, this.#options.phase));
    this.#open.set(thread, invoke);
    table.start(thread);
    this.#generator = rest.update(table.context(clock.now()), invoke);
    this.#stage.invoke(thread, invoke).then(
      (ended) => this.#finish(thread, invoke, ended),
      (error: unknown) => {
        this.#stage.onBug(error, invoke);
        const message = error instanceof Error ? error.message : String(error);
        const bug = { code: 'harness-bug', definite: false, message };
        this.#finish(thread, invoke, { type: 'info', error: bug });
      },
    );
  }

  #finish(thread: Thread, invoke: Op, ended: Ended): void {
    // What ends after the phase gave up on it was already recorded as unknown.
    if (this.#open.get(thread) !== invoke) return;
    this.#done.push({ thread, invoke, ended });
    this.#wake?.();
  }

  async #turn(): Promise<void> {
    this.#turns = 0;
    await this.#stage.clock.turn();
  }

  /** Until an operation ends, the phase is aborted, or `ms` have passed. */
  async #wait(ms: number): Promise<void> {
    // A store in this process answers within a few microtasks: no timer is needed for it.
    for (let hop = 0; hop < MICROTASK_HOPS && this.#done.length === 0; hop++)
      await Promise.resolve();
    if (this.#done.length > 0) return;
    this.#turns = 0;
    const left = this.#options.until === undefined ? ms : this.#msLeft(this.#options.until);
    await this.#sleep(Math.min(ms, left));
  }

  async #sleep(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#stage.clock.timer(ms, resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
      if (this.#done.length > 0) this.#wake();
    });
    this.#wake = undefined;
  }

  #msLeft(until: number): number {
    return Math.max(0, msFromNanos(until - this.#stage.clock.now()));
  }

  /** Waits for what is under way; what does not end in time is recorded as unknown. */
  async #drain(deadline: number): Promise<void> {
    const { clock } = this.#stage;
    this.#complete();
    while (this.#open.size > 0 && clock.now() < deadline) {
      await this.#sleep(this.#msLeft(deadline));
      this.#complete();
    }
    for (const [thread, invoke] of this.#open) {
      const message = `no answer within ${this.#options.drainMs} ms after the phase`;
      const error = { code: 'harness-timeout', definite: false, message };
      this.#done.push({ thread, invoke, ended: { type: 'info', error } });
    }
    this.#complete();
  }
}
