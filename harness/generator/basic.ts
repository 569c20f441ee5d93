/** Generators that are not made of others: single operations, lists, functions, pauses. */
import { invariant } from '../core/invariant.ts';
import type { JsonValue } from '../core/json.ts';
import type { Random } from '../core/prng.ts';
import { type Nanos, nanos, nanosFromMs } from '../core/units.ts';
import type { ReadMode } from '../history/op.ts';
import type { Context, Generator, Next, Offer, Thread } from './generator.ts';
import { passOn, rewrapped } from './rewrap.ts';

/** What an author writes of an operation; the rest follows from the context. */
export interface OpFields {
  readonly f: string;
  /** Defaults to null. */
  readonly value?: JsonValue;
  readonly key?: string;
  readonly mode?: ReadMode;
  readonly id?: string;
  /** Pending until this thread is free; by default any free thread, drawn by the context. */
  readonly thread?: Thread;
}

/** Never yields anything. */
export const nothing: Generator = { next: () => undefined, update: () => nothing };

/** Never yields anything and never ends: keeps an `any` going that would be over otherwise. */
export const never: Generator = { next: () => ['pending', never], update: () => never };

/** One operation, as soon as its thread (or any) is free. */
export function op(fields: OpFields): Generator {
  const self: Generator = {
    next: (ctx) => offerOf(ctx, fields, self, nothing),
    update: () => self,
  };
  return self;
}

/** One operation after another, each on any free thread: the next does not wait for the last. */
export function ops(list: readonly OpFields[]): Generator {
  const from = (at: number): Generator => {
    const fields = list[at];
    if (fields === undefined) return nothing;
    const self: Generator = {
      next: (ctx) => offerOf(ctx, fields, self, from(at + 1)),
      update: () => self,
    };
    return self;
  };
  return from(0);
}

/** An operation, or a generator to be used up, or undefined: nothing ever again. */
export type Step = OpFields | Generator | undefined;

/**
 * Calls `fn` for each operation, and again when the generator that it returned is used up. `fn`
 * must be pure but for what it draws from the `random` that it is handed: a copy of the one given
 * here, kept only if the offer is taken.
 */
export function fromFunction(
  fn: (random: Random, ctx: Context) => Step,
  random: Random,
): Generator {
  return unfold(undefined, (_state, chance, ctx) => [fn(chance, ctx), undefined], random);
}

/**
 * As `fromFunction`, with a state: `step` returns what to do and the next state, which counts only
 * if the offer is taken. Suits values that must be unique: `unfold(0, (n) => [{ f: 'write', value:
 * n }, n + 1], random)`.
 */
export function unfold<S>(
  state: S,
  step: (state: S, random: Random, ctx: Context) => readonly [Step, S] | undefined,
  random: Random,
): Generator {
  const self: Generator = {
    next: (ctx) => {
      // Asked without a free thread, there is nothing to decide yet.
      if (ctx.freeCount === 0) return ['pending', self];
      let from = state;
      for (let round = 0; round < EMPTY_ROUNDS_MAX; round++) {
        const chance = random.clone();
        const [what, after] = step(from, chance, ctx) ?? [undefined, from];
        if (what === undefined) return undefined;
        if (!isGenerator(what)) return offerOf(ctx, what, self, unfold(after, step, chance));
        const next = what.next(ctx);
        if (next !== undefined) {
          const again = (rest: Generator): Generator => within(rest, unfold(after, step, chance));
          return rewrapped(next, again(what), what, again);
        }
        from = after;
      }
      invariant(false, 'unfold: its step returned one empty generator after another');
    },
    update: () => self,
  };
  return self;
}

/** `gen` while it lasts, then `after`; unlike `concat`, it leaves nothing of itself behind. */
function within(gen: Generator, after: Generator): Generator {
  const again = (rest: Generator): Generator => within(rest, after);
  const self: Generator = {
    next: (ctx) => {
      const next = gen.next(ctx);
      return next === undefined ? after.next(ctx) : rewrapped(next, self, gen, again);
    },
    update: (ctx, event) => passOn(self, gen, again, ctx, event),
  };
  return self;
}

const EMPTY_ROUNDS_MAX = 1000;

function isGenerator(step: OpFields | Generator): step is Generator {
  return 'next' in step;
}

/** Puts a line into the log of the run, once. It takes no thread and enters no history. */
export function log(message: string): Generator {
  const self: Generator = {
    next: (ctx) => special(ctx, 'log', message, ctx.time, self),
    update: () => self,
  };
  return self;
}

/**
 * Nothing for `ms`, counted from when it is first asked with a thread free. So in a sequence on
 * one thread, such as a lane of faults, the pause begins when the operation before it has ended.
 */
export function sleepFor(ms: number): Generator {
  const self: Generator = {
    next: (ctx) =>
      ctx.freeCount === 0
        ? ['pending', self]
        : ['pending', sleepUntil(nanos(ctx.time + nanosFromMs(ms)))],
    update: () => self,
  };
  return self;
}

/** Nothing until `time`; then it is exhausted. */
export function sleepUntil(time: Nanos): Generator {
  const self: Generator = {
    next: (ctx) => (ctx.time >= time ? undefined : special(ctx, 'sleep', null, time, self)),
    update: () => self,
  };
  return self;
}

function special(
  ctx: Context,
  kind: 'log' | 'sleep',
  value: JsonValue,
  time: Nanos,
  self: Generator,
): Next {
  const thread = ctx.anyFree() ?? ctx.threads[0];
  if (thread === undefined) return ['pending', self];
  const process = ctx.processOf(thread);
  return [{ thread, process, time, f: kind, value, special: kind }, nothing];
}

/** The offer of `fields` in this context, or pending when no thread for it is free. */
function offerOf(ctx: Context, fields: OpFields, self: Generator, rest: Generator): Next {
  const thread = freeThread(ctx, fields.thread);
  if (thread === undefined) return ['pending', self];
  return [fill(ctx, fields, thread), rest];
}

function freeThread(ctx: Context, wanted: Thread | undefined): Thread | undefined {
  if (wanted === undefined) return ctx.anyFree();
  if (ctx.isFree(wanted)) return wanted;
  invariant(ctx.threads.includes(wanted), `thread ${wanted} is not among those of this generator`);
  return undefined;
}

/** `fields` as an offer for now on `thread`; on a thread of faults it carries the lane. */
export function fill(ctx: Context, fields: OpFields, thread: Thread): Offer {
  const { f, value = null, key, mode, id } = fields;
  return {
    thread,
    process: ctx.processOf(thread),
    time: ctx.time,
    f,
    ...(key !== undefined && { key }),
    value,
    ...(mode !== undefined && { mode }),
    ...(id !== undefined && { id }),
    ...(typeof thread === 'string' && { lane: thread.slice('nemesis:'.length) }),
  };
}
