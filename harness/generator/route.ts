/** Who runs which operations: generators for some of the threads. */
import { HarnessError } from '../core/errors.ts';
import { invariant } from '../core/invariant.ts';
import type { Process } from '../history/op.ts';
import { type Children, choose } from './choose.ts';
import type { Context, Generator, Next, Thread } from './generator.ts';

/** Only on threads for which `wants` holds, and only their updates. None such: exhausted. */
export function onThreads(wants: (thread: Thread) => boolean, gen: Generator): Generator {
  return narrowed(
    remembered((threads) => threads.filter((thread) => wants(thread))),
    gen,
  );
}

/** Only on client threads. */
export function clients(gen: Generator): Generator {
  return narrowed(clientThreads, gen);
}

/** Only on the thread of one lane of faults. */
export function nemesis(lane: string, gen: Generator): Generator {
  const thread: Thread = `nemesis:${lane}`;
  return onThreads((other) => other === thread, gen);
}

const clientThreads = remembered((threads) =>
  threads.filter((thread) => typeof thread === 'number'),
);

/** By the identity of the list: contexts keep theirs, so nothing is computed twice. */
function remembered<T>(
  compute: (threads: readonly Thread[]) => T,
): (threads: readonly Thread[]) => T {
  const known = new WeakMap<readonly Thread[], T>();
  return (threads) => {
    const found = known.get(threads);
    if (found !== undefined) return found;
    const made = compute(threads);
    known.set(threads, made);
    return made;
  };
}

function narrowed(
  select: (threads: readonly Thread[]) => readonly Thread[],
  gen: Generator,
): Generator {
  const self: Generator = {
    next: (ctx) => {
      const threads = select(ctx.threads);
      if (threads.length === 0) return undefined;
      const next = gen.next(ctx.narrow(threads));
      if (next === undefined) return undefined;
      const [offer, rest] = next;
      if (offer === 'pending') return ['pending', rest === gen ? self : narrowed(select, rest)];
      return [offer, narrowed(select, rest)];
    },
    update: (ctx, event) => {
      const inner = ctx.narrow(select(ctx.threads));
      if (inner.threadOf(event) === undefined) return self;
      const updated = gen.update(inner, event);
      return updated === gen ? self : narrowed(select, updated);
    },
  };
  return self;
}

/** A generator, or how to make one for a thread, such as with a `random.fork` of its own. */
export type PerThread = Generator | ((thread: Thread) => Generator);

/**
 * A copy of its own for every thread. Copies of one generator draw the same chance: to make them
 * differ, pass a function. Exhausted when all copies are.
 */
export function eachThread(gen: PerThread): Generator {
  return copies(eachOne, (thread) => make(gen, thread), { kind: 'thread' });
}

/**
 * A copy of its own for every process; a thread whose process was spent begins anew. Exhausted
 * when all copies are and no thread is busy, as a busy one may yet become another process.
 */
export function eachProcess(gen: PerThread): Generator {
  return copies(eachOne, (thread) => make(gen, thread), { kind: 'process' });
}

function make(gen: PerThread, thread: Thread): Generator {
  return typeof gen === 'function' ? gen(thread) : gen;
}

/** Threads in disjoint groups, and the group of each. */
interface Groups {
  readonly lists: readonly (readonly Thread[])[];
  readonly of: ReadonlyMap<Thread, number>;
}

const eachOne = remembered((threads) => groupsOf(threads.map((thread) => [thread])));

function groupsOf(lists: readonly (readonly Thread[])[]): Groups {
  const of = lists.flatMap((list, group) => list.map((thread) => [thread, group] as const));
  return { lists, of: new Map(of) };
}

interface CopiesState {
  readonly kind: 'thread' | 'process';
  /** By thread index: undefined is exhausted; absent list: nothing was asked yet. */
  readonly gens?: Children;
  readonly processes?: readonly Process[];
}

function copies(
  select: (threads: readonly Thread[]) => Groups,
  create: (thread: Thread) => Generator,
  state: CopiesState,
): Generator {
  const again = (gens: Children, processes: readonly Process[]): Generator =>
    copies(select, create, { kind: state.kind, gens, processes });
  const self: Generator = {
    next: (ctx) => {
      const { lists, of } = select(ctx.threads);
      const [gens, processes] = current(ctx, state, create);
      const start = of.get(ctx.anyFree() ?? -1) ?? 0;
      const choice = choose(ctx, gens, start, (child, at) => {
        const threads = lists[at] as readonly Thread[];
        // A busy thread has nothing to offer, and most are busy most of the time.
        if (!ctx.isFree(threads[0] as Thread)) return ['pending', child];
        return child.next(ctx.narrow(threads));
      });
      const isSame = choice.children === state.gens;
      if (choice.kind === 'offer') return [choice.offer, again(choice.children, processes)];
      const isBusy = ctx.freeCount < ctx.threads.length;
      if (choice.kind === 'exhausted' && (state.kind === 'thread' || !isBusy)) return undefined;
      return ['pending', isSame ? self : again(choice.children, processes)];
    },
    update: (ctx, event) => {
      const thread = ctx.threadOf(event);
      if (thread === undefined) return self;
      const { lists, of } = select(ctx.threads);
      const at = of.get(thread) as number;
      const [gens, processes] =
        state.gens === undefined
          ? current(ctx, state, create)
          : [state.gens, state.processes ?? []];
      const child = gens[at];
      if (child === undefined) return self;
      if (state.kind === 'process' && processes[at] !== event.process) return self;
      const updated = child.update(ctx.narrow(lists[at] as readonly Thread[]), event);
      return updated === child ? self : again(gens.with(at, updated), processes);
    },
  };
  return self;
}

/** The copies as they are now: made on first use, and anew where the process is another. */
function current(
  ctx: Context,
  { kind, gens, processes }: CopiesState,
  create: (thread: Thread) => Generator,
): readonly [Children, readonly Process[]] {
  const { threads } = ctx;
  if (gens === undefined || processes === undefined)
    return [
      threads.map((thread) => create(thread)),
      threads.map((thread) => ctx.processOf(thread)),
    ];
  invariant(gens.length === threads.length, 'a generator of copies was moved to other threads');
  if (kind === 'thread') return [gens, processes];
  const spent = threads.flatMap((thread, at) =>
    ctx.processOf(thread) === processes[at] ? [] : [at],
  );
  if (spent.length === 0) return [gens, processes];
  const fresh = [...gens];
  const now = [...processes];
  for (const at of spent) {
    const thread = threads[at] as Thread;
    fresh[at] = create(thread);
    now[at] = ctx.processOf(thread);
  }
  return [fresh, now];
}

/**
 * Splits the threads: the first `n` run one generator, the next `n` the next, and all that are left
 * run `rest`. Counts the threads of its own context, so it nests. Exhausted when all are.
 * `reserve([[2, reads], [3, writes]], rest)`.
 */
export function reserve(
  ranges: readonly (readonly [threads: number, gen: Generator])[],
  rest: Generator,
): Generator {
  const counts = ranges.map(([count]) => count);
  const select = remembered((threads) => {
    const total = counts.reduce((sum, count) => sum + count, 0);
    if (total > threads.length)
      throw new HarnessError(
        'bad-option',
        `this workload reserves ${total} client threads but there are only ${threads.length}; use more clients`,
      );
    let from = 0;
    const lists = counts.map((count) => threads.slice(from, (from += count)));
    return groupsOf([...lists, threads.slice(from)]);
  });
  return reserved(select, [...ranges.map(([, gen]) => gen), rest]);
}

function reserved(select: (threads: readonly Thread[]) => Groups, gens: Children): Generator {
  const self: Generator = {
    next: (ctx) => {
      const { lists, of } = select(ctx.threads);
      // A random free thread's group goes first, so that large groups get more than small ones.
      const start = of.get(ctx.anyFree() ?? -1) ?? 0;
      const choice = choose(ctx, gens, start, (child, at): Next => {
        const threads = lists[at] as readonly Thread[];
        return threads.length === 0 ? undefined : child.next(ctx.narrow(threads));
      });
      if (choice.kind === 'exhausted') return undefined;
      if (choice.kind === 'offer') return [choice.offer, reserved(select, choice.children)];
      return ['pending', choice.children === gens ? self : reserved(select, choice.children)];
    },
    update: (ctx, event) => {
      const thread = ctx.threadOf(event);
      if (thread === undefined) return self;
      const { lists, of } = select(ctx.threads);
      const at = of.get(thread) as number;
      const child = gens[at];
      const updated = child?.update(ctx.narrow(lists[at] as readonly Thread[]), event);
      return updated === child ? self : reserved(select, gens.with(at, updated));
    },
  };
  return self;
}
