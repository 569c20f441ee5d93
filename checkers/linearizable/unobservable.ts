import type { Interval } from '../key-history.ts';
import type { Model } from '../models/model.ts';

/** Positions of the operations that remain when what nobody could have observed is left out. */
export function withoutUnobservable(all: readonly Interval[], model: Model): number[] {
  const isOpen = ({ call }: Interval): boolean => call.outcome === 'indefinite';
  let kept = Array.from(all, (_, at) => at);
  if (!all.some(isOpen)) return kept;
  kept = kept.filter((at) => {
    const op = all[at] as Interval;
    return !isOpen(op) || !model.readOnly(op.call);
  });
  for (;;) {
    const removable = model.removable(kept.map((at) => (all[at] as Interval).call));
    const rest = kept.filter((at, i) => !isOpen(all[at] as Interval) || removable[i] !== true);
    if (rest.length === kept.length) return kept;
    kept = rest;
  }
}
