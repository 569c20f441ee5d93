import type { Context, Generator, Next, Offer } from './generator.ts';

/** Children of a combinator; `undefined` where one is exhausted. */
export type Children = readonly (Generator | undefined)[];

/** What asking several children came to. `children` replaces the old ones. */
export type Choice =
  | {
      readonly kind: 'offer';
      readonly offer: Offer;
      readonly at: number;
      readonly children: Children;
    }
  | { readonly kind: 'pending'; readonly children: Children }
  | { readonly kind: 'exhausted'; readonly at: number; readonly children: Children };

/**
 * Asks each child once, beginning at `start` and going around, and takes the first that is due
 * now, else the soonest. `exhausted`: all are.
 *
 * A child that is pending may have moved on nevertheless, such as a sleep that has begun. When the
 * soonest offer lies ahead, it will be asked for anew, and the move would be lost: so the answer is
 * `pending` once, with the move in `children`.
 */
export function choose(
  ctx: Context,
  children: Children,
  start: number,
  ask: (child: Generator, at: number) => Next,
): Choice {
  let moved: (Generator | undefined)[] | undefined;
  let waits = false;
  let best: { readonly offer: Offer; readonly rest: Generator; readonly at: number } | undefined;
  let isAlive = false;
  let lastExhausted = -1;
  for (let n = 0; n < children.length; n++) {
    const at = (start + n) % children.length;
    const child = children[at];
    if (child === undefined) continue;
    const next = ask(child, at);
    if (next === undefined) {
      moved ??= [...children];
      moved[at] = undefined;
      lastExhausted = at;
      continue;
    }
    isAlive = true;
    const [offer, rest] = next;
    if (offer === 'pending') {
      if (rest === child) continue;
      moved ??= [...children];
      moved[at] = rest;
      waits = true;
      continue;
    }
    if (best === undefined || offer.time < best.offer.time) best = { offer, rest, at };
    if (offer.time <= ctx.time) break;
  }
  const kept = moved ?? children;
  if (!isAlive) return { kind: 'exhausted', at: lastExhausted, children: kept };
  if (best === undefined || (waits && best.offer.time > ctx.time))
    return { kind: 'pending', children: kept };
  return {
    kind: 'offer',
    offer: best.offer,
    at: best.at,
    children: kept.with(best.at, best.rest),
  };
}

/** The children after an event; the same list when none of them changed. */
export function updateAll(
  children: Children,
  update: (child: Generator, at: number) => Generator,
): Children {
  let changed: (Generator | undefined)[] | undefined;
  for (const [at, child] of children.entries()) {
    if (child === undefined) continue;
    const updated = update(child, at);
    if (updated === child) continue;
    changed ??= [...children];
    changed[at] = updated;
  }
  return changed ?? children;
}
