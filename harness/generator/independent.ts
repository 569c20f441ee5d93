/** Many small histories in one: a generator for each key. After Jepsen's `jepsen.independent`. */
import { HarnessError } from '../core/errors.ts';
import { type Children, choose } from './choose.ts';
import type { Generator, Thread } from './generator.ts';
import { passOn, rewrapped } from './rewrap.ts';
import { map } from './wrap.ts';

/** A list, or a function that names the n-th key; undefined: there are no more. */
export type Keys = readonly string[] | ((n: number) => string | undefined);

/** Key by key: the next begins when the generator of the one before is exhausted. */
export function sequentialKeys(keys: Keys, make: (key: string) => Generator): Generator {
  return inSequence(keyAt(keys), make, 0, undefined);
}

function keyAt(keys: Keys): (n: number) => string | undefined {
  return typeof keys === 'function' ? keys : (n) => keys[n];
}

interface KeyWork {
  readonly key: string;
  readonly gen: Generator;
}

function inSequence(
  keys: (n: number) => string | undefined,
  make: (key: string) => Generator,
  taken: number,
  work: KeyWork | undefined,
): Generator {
  const self: Generator = {
    next: (ctx) => {
      let now = work;
      for (let n = taken; ; n++) {
        if (now !== undefined) {
          const { key, gen } = now;
          const again = (rest: Generator): Generator =>
            inSequence(keys, make, n, { key, gen: rest });
          const next = gen.next(ctx);
          if (next !== undefined)
            return rewrapped(next, now === work ? self : again(gen), gen, again);
        }
        const key = keys(n);
        if (key === undefined) return undefined;
        now = { key, gen: forKey(key, make) };
      }
    },
    update: (ctx, event) => {
      // The last operations of an earlier key may end only now.
      if (work === undefined || event.key !== work.key) return self;
      const { key } = work;
      const again = (rest: Generator): Generator =>
        inSequence(keys, make, taken, { key, gen: rest });
      return passOn(self, work.gen, again, ctx, event);
    },
  };
  return self;
}

function forKey(key: string, make: (key: string) => Generator): Generator {
  return map((offer) => ({ ...offer, key }), make(key));
}

/**
 * `perKey` threads work on one key at a time, so many keys at once as there are groups of threads;
 * a group takes the next unused key when its own is exhausted. The number of threads must be a
 * multiple of `perKey`: else `bad-option`.
 */
export function concurrentKeys(
  perKey: number,
  keys: Keys,
  make: (key: string) => Generator,
): Generator {
  return inGroups({ perKey, keys: keyAt(keys), make, split: new WeakMap() }, [], 0);
}

interface GroupPlan {
  readonly perKey: number;
  readonly keys: (n: number) => string | undefined;
  readonly make: (key: string) => Generator;
  /** Groups by the identity of the context's list of threads: computed once. */
  readonly split: WeakMap<readonly Thread[], Groups>;
}

interface Groups {
  readonly lists: readonly (readonly Thread[])[];
  readonly of: ReadonlyMap<Thread, number>;
}

/** `works`: of each group; empty before the first question. `taken`: keys given out. */
function inGroups(
  plan: GroupPlan,
  works: readonly (KeyWork | undefined)[],
  taken: number,
): Generator {
  const self: Generator = {
    next: (ctx) => {
      const { lists, of } = groupsOf(plan, ctx.threads);
      let given = taken;
      const fresh = new Map<number, KeyWork>();
      const take = (group: number): KeyWork | undefined => {
        const key = plan.keys(given);
        if (key === undefined) return undefined;
        given++;
        const work = { key, gen: forKey(key, plan.make) };
        fresh.set(group, work);
        return work;
      };
      const now = works.length > 0 ? works : lists.map((_, group) => take(group));
      const children: Children = now.map((work) => work?.gen);
      const start = of.get(ctx.anyFree() ?? -1) ?? 0;
      const choice = choose(ctx, children, start, (child, group) => {
        const inner = ctx.narrow(lists[group] as readonly Thread[]);
        for (let gen: Generator | undefined = child; gen !== undefined; gen = take(group)?.gen) {
          const next = gen.next(inner);
          // A group that begins a key has moved on, even if that key is pending.
          if (next !== undefined) return next;
        }
        return undefined;
      });
      if (choice.kind === 'exhausted') return undefined;
      const isSame = choice.children === children && works.length > 0;
      const after = isSame ? self : inGroups(plan, merged(now, fresh, choice.children), given);
      return choice.kind === 'offer' ? [choice.offer, after] : ['pending', after];
    },
    update: (ctx, event) => {
      const thread = ctx.threadOf(event);
      if (thread === undefined || works.length === 0) return self;
      const { lists, of } = groupsOf(plan, ctx.threads);
      const group = of.get(thread) as number;
      const work = works[group];
      // The last operations of the group's earlier key may end only now.
      if (work === undefined || event.key !== work.key) return self;
      const gen = work.gen.update(ctx.narrow(lists[group] as readonly Thread[]), event);
      if (gen === work.gen) return self;
      return inGroups(plan, works.with(group, { key: work.key, gen }), taken);
    },
  };
  return self;
}

function merged(
  works: readonly (KeyWork | undefined)[],
  fresh: ReadonlyMap<number, KeyWork>,
  children: Children,
): readonly (KeyWork | undefined)[] {
  return works.map((work, group) => {
    const gen = children[group];
    const key = fresh.get(group)?.key ?? work?.key;
    return gen === undefined || key === undefined ? undefined : { key, gen };
  });
}

function groupsOf(plan: GroupPlan, threads: readonly Thread[]): Groups {
  const known = plan.split.get(threads);
  if (known !== undefined) return known;
  const { perKey } = plan;
  if (threads.length === 0 || threads.length % perKey !== 0)
    throw new HarnessError(
      'bad-option',
      `this workload runs ${perKey} clients on each key, so their number must be ` +
        `a multiple of ${perKey}, but it is ${threads.length}`,
    );
  const lists = Array.from({ length: threads.length / perKey }, (_, group) =>
    threads.slice(group * perKey, (group + 1) * perKey),
  );
  const of = lists.flatMap((list, group) => list.map((thread) => [thread, group] as const));
  const groups = { lists, of: new Map(of) };
  plan.split.set(threads, groups);
  return groups;
}
