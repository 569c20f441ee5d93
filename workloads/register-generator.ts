import type { JsonValue } from '../harness/core/json.ts';
import type { Random } from '../harness/core/prng.ts';
import type { Context, Generator, Next, Offer, Thread } from '../harness/generator/generator.ts';
import type { Op, ReadMode } from '../harness/history/op.ts';

/** One kind of operation and how often it is drawn. */
export interface MixEntry {
  readonly f: 'read' | 'write' | 'cas';
  readonly mode?: ReadMode;
  readonly weight: number;
}

export interface RegisterMixOptions {
  /** How many keys are asked about at the same time. */
  readonly keys: number;
  /** After so many operations a key retires and a fresh one takes its place. */
  readonly opsPerKey: number;
  /** `unique`: no value is written twice in the run. A number: values 0 to n-1. */
  readonly values: 'unique' | number;
  /** The share of writes that delete the key instead, from 0 to 1. */
  readonly deletes?: number;
  /** What a thread draws from; threads may differ, by their place among those of this context. */
  mix(thread: Thread, ctx: Context): readonly MixEntry[];
}

interface KeyState {
  readonly name: string;
  readonly ops: number;
  /** What the key was last seen to hold: what a `cas` expects. */
  readonly value: JsonValue;
}

/**
 * Reads, writes and compare-and-sets over a rolling set of keys, for any free client thread.
 * Immutable: the draw of an offer that is not taken is drawn again, the same.
 */
export function registerMix(options: RegisterMixOptions, random: Random): Generator {
  const keys = Array.from({ length: options.keys }, (_, index) => freshKey(index));
  return mixFrom({ options, random, keys, nextKey: options.keys, nextValue: 1 });
}

interface MixState {
  readonly options: RegisterMixOptions;
  readonly random: Random;
  readonly keys: readonly KeyState[];
  readonly nextKey: number;
  readonly nextValue: number;
}

function freshKey(index: number): KeyState {
  return { name: `k${index}`, ops: 0, value: null };
}

function mixFrom(state: MixState): Generator {
  const self: Generator = {
    next: (ctx) => (ctx.freeCount === 0 ? ['pending', self] : offer(state, ctx)),
    update: (_ctx, event) => learn(self, state, event),
  };
  return self;
}

function offer(state: MixState, ctx: Context): Next {
  const random = state.random.clone();
  const thread = ctx.freeAt(random.int(0, ctx.freeCount - 1));
  const mix = state.options.mix(thread, ctx);
  const entry = mix[random.weighted(mix.map(({ weight }) => weight))] as MixEntry;
  const at = random.int(0, state.keys.length - 1);
  const key = state.keys[at] as KeyState;
  const wrote =
    entry.f === 'read' || deletes(entry, state, random) ? null : newValue(state, random);
  const drawn: Offer = {
    thread,
    process: ctx.processOf(thread),
    time: ctx.time,
    f: entry.f,
    key: key.name,
    value: entry.f === 'cas' ? [key.value, wrote] : wrote,
    ...(entry.mode !== undefined && { mode: entry.mode }),
  };
  const retired = key.ops + 1 >= state.options.opsPerKey;
  const keys = state.keys.with(
    at,
    retired ? freshKey(state.nextKey) : { ...key, ops: key.ops + 1 },
  );
  const rest = mixFrom({
    ...state,
    random,
    keys,
    nextKey: state.nextKey + (retired ? 1 : 0),
    nextValue: state.nextValue + (entry.f === 'read' ? 0 : 1),
  });
  return [drawn, rest];
}

/** To write null is to delete. Draws nothing where nobody asked for deletions. */
function deletes({ f }: MixEntry, { options }: MixState, random: Random): boolean {
  const { deletes: share = 0 } = options;
  return f === 'write' && share > 0 && random.chance(share);
}

function newValue(state: MixState, random: Random): JsonValue {
  const { values } = state.options;
  return values === 'unique' ? state.nextValue : random.int(0, values - 1);
}

/** Remembers the newest value seen of a live key. */
function learn(self: Generator, state: MixState, event: Op): Generator {
  const seen = seenValue(event);
  if (seen === undefined) return self;
  const at = state.keys.findIndex(({ name }) => name === event.key);
  const key = state.keys[at];
  if (key === undefined || key.value === seen) return self;
  return mixFrom({ ...state, keys: state.keys.with(at, { ...key, value: seen }) });
}

function seenValue(event: Op): JsonValue | undefined {
  if (event.type === 'fail') return event.seen;
  if (event.type !== 'ok' || event.mode === 'serializable') return undefined;
  return event.f === 'cas' && Array.isArray(event.value) ? event.value[1] : event.value;
}
