/** Several generators as one: side by side, mixed, or one after another. */
import type { Random } from '../core/prng.ts';
import { type Children, type Choice, choose, updateAll } from './choose.ts';
import type { Context, Generator, Next } from './generator.ts';
import { passOn, pending } from './rewrap.ts';

/**
 * The soonest operation of all; which one, where several are due, is drawn at random. One that is
 * pending or offers a later time never holds up the others. All see every update. Exhausted when
 * all are.
 */
export function any(gens: readonly Generator[], random: Random): Generator {
  return sideBySide(gens, random, false);
}

/** As `any`, but over as soon as one of them is exhausted. */
export function shortestAny(gens: readonly Generator[], random: Random): Generator {
  return sideBySide(gens, random, true);
}

function sideBySide(gens: Children, random: Random, isShortest: boolean): Generator {
  const self: Generator = {
    next: (ctx) => {
      if (gens.length === 0) return undefined;
      const chance = random.clone();
      const choice = isShortest
        ? chooseAll(ctx, gens, chance)
        : choose(ctx, gens, chance.int(0, gens.length - 1), (child) => child.next(ctx));
      if (isShortest && choice.children.includes(undefined)) return undefined;
      if (choice.kind === 'exhausted') return undefined;
      if (choice.kind === 'offer')
        return [choice.offer, sideBySide(choice.children, chance, isShortest)];
      if (choice.children === gens) return ['pending', self];
      return ['pending', sideBySide(choice.children, random, isShortest)];
    },
    update: (ctx, event) => {
      const updated = updateAll(gens, (child) => child.update(ctx, event));
      return updated === gens ? self : sideBySide(updated, random, isShortest);
    },
  };
  return self;
}

/** Asks every child, also after one is due: `shortestAny` must learn of each that is exhausted. */
function chooseAll(ctx: Context, gens: Children, chance: Random): Choice {
  const answers = new Map<number, Next>();
  for (const [at, child] of gens.entries()) answers.set(at, child?.next(ctx));
  const gone = gens.findIndex((_, at) => answers.get(at) === undefined);
  if (gone >= 0) return { kind: 'exhausted', at: gone, children: gens.with(gone, undefined) };
  return choose(ctx, gens, chance.int(0, gens.length - 1), (_child, at) => answers.get(at));
}

/**
 * For each operation one of them, drawn uniformly or by `weights`. One that is pending is passed
 * over for this time; one that is exhausted is drawn no more. All see every update.
 */
export function mix(
  gens: readonly Generator[],
  random: Random,
  weights?: readonly number[],
): Generator {
  return mixed(gens, weights ?? gens.map(() => 1), random);
}

function mixed(gens: Children, weights: readonly number[], random: Random): Generator {
  const self: Generator = {
    next: (ctx) => {
      const chance = random.clone();
      let now = gens;
      let left = weights.map((weight, at) => (gens[at] === undefined ? 0 : weight));
      while (left.some((weight) => weight > 0)) {
        const at = chance.weighted(left);
        const child = now[at];
        const next = child?.next(ctx);
        left = left.with(at, 0);
        if (next === undefined) now = now.with(at, undefined);
        else if (next[0] === 'pending') now = next[1] === child ? now : now.with(at, next[1]);
        // As in `choose`: what has moved must not be lost while an offer is waited for.
        else if (next[0].time > ctx.time && now !== gens) break;
        else return [next[0], mixed(now.with(at, next[1]), weights, chance)];
      }
      if (now.every((child, at) => child === undefined || weights[at] === 0)) return undefined;
      return ['pending', now === gens ? self : mixed(now, weights, random)];
    },
    update: (ctx, event) => {
      const updated = updateAll(gens, (child) => child.update(ctx, event));
      return updated === gens ? self : mixed(updated, weights, random);
    },
  };
  return self;
}

/**
 * One after another; each begins as soon as the one before has nothing more to offer, while its
 * last operations may still be under way. Updates go to the current one.
 */
export function concat(...gens: readonly Generator[]): Generator {
  return chained(gens, 0);
}

function chained(gens: readonly Generator[], at: number): Generator {
  const from = (n: number, gen: Generator): Generator =>
    n === at && gen === gens[at] ? self : chained(gens.with(n, gen), n);
  const self: Generator = {
    next: (ctx) => {
      for (let n = at; n < gens.length; n++) {
        const next = gens[n]?.next(ctx);
        if (next === undefined) continue;
        const [offer, rest] = next;
        return offer === 'pending' ? ['pending', from(n, rest)] : [offer, from(n, rest)];
      }
      return undefined;
    },
    update: (ctx, event) => {
      const gen = gens[at];
      return gen === undefined ? self : from(at, gen.update(ctx, event));
    },
  };
  return self;
}

/** Begins only when all threads of its context are free. */
export function synchronize(gen: Generator): Generator {
  const self: Generator = {
    next: (ctx) => (ctx.freeCount === ctx.threads.length ? gen.next(ctx) : ['pending', self]),
    update: (ctx, event) => passOn(self, gen, synchronize, ctx, event),
  };
  return self;
}

/** One after another, each only when all operations of the one before have ended. */
export function phases(...gens: readonly Generator[]): Generator {
  return concat(...gens.map((gen) => synchronize(gen)));
}

/** `gen`, then, when all of its operations have ended, `after`. */
export function andThen(gen: Generator, after: Generator): Generator {
  return concat(gen, synchronize(after));
}

/** Strictly in turns, one operation each; over when the one whose turn it is is exhausted. */
export function flipFlop(...gens: readonly Generator[]): Generator {
  return inTurns(gens, 0);
}

function inTurns(gens: readonly Generator[], turn: number): Generator {
  const self: Generator = {
    next: (ctx) => {
      const gen = gens[turn];
      const next = gen?.next(ctx);
      if (gen === undefined || next === undefined) return undefined;
      const [offer, rest] = next;
      const again = (left: Generator): Generator => inTurns(gens.with(turn, left), turn);
      if (offer === 'pending') return pending(self, gen, rest, again);
      // A pause or a line for the log is not a turn.
      if (offer.special !== undefined) return [offer, again(rest)];
      return [offer, inTurns(gens.with(turn, rest), (turn + 1) % gens.length)];
    },
    update: (ctx, event) => {
      const updated = gens.map((gen) => gen.update(ctx, event));
      return updated.every((gen, at) => gen === gens[at]) ? self : inTurns(updated, turn);
    },
  };
  return self;
}
