/** The view in the address, so that a link leads to the same sight. */
import type { View } from './store.ts';

/** `#t=72.4-73.2&key=k17&op=5321`: seconds; `op` is an entry of the history, `violation` from 1. */
export function hashOf(view: View, entry: number): string {
  const parts = new URLSearchParams();
  parts.set('t', `${seconds(view.from)}-${seconds(view.to)}`);
  if (view.violation >= 0) parts.set('violation', String(view.violation + 1));
  if (view.key !== '') parts.set('key', view.key);
  if (view.lane >= 0) parts.set('client', String(view.lane));
  if (view.query !== '') parts.set('q', view.query);
  if (entry >= 0) parts.set('op', String(entry));
  return `#${parts}`;
}

function seconds(time: number): string {
  return String(Number((time / 1e6).toFixed(6)));
}

export interface HashView {
  readonly view: Partial<View>;
  readonly entry: number;
}

/** What is wrong or unknown is left out. */
export function parseHash(hash: string, limits: { readonly violations: number }): HashView {
  const parts = new URLSearchParams(hash.replace(/^#/, ''));
  const whole = (name: string): number => {
    const text = parts.get(name) ?? '';
    return /^\d{1,9}$/.test(text) ? Number(text) : -1;
  };
  const [, from, to] = /^(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$/.exec(parts.get('t') ?? '') ?? [];
  const violation = whole('violation') - 1;
  const lane = whole('client');
  return {
    entry: whole('op'),
    view: {
      ...(from !== undefined &&
        to !== undefined && { from: Number(from) * 1e6, to: Number(to) * 1e6 }),
      ...(violation >= 0 && violation < limits.violations && { violation }),
      ...(lane >= 0 && { lane }),
      key: (parts.get('key') ?? '').slice(0, 200),
      query: (parts.get('q') ?? '').slice(0, 200),
    },
  };
}
