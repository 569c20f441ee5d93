/** The oracle of the criteria that judge a whole store: it tries every order of a few operations. */
import type { JsonValue } from '../../harness/core/json.ts';
import type { KeyOp } from '../key-history.ts';
import type { Model } from '../models/model.ts';
import { register } from '../models/register.ts';
import type { Criterion } from '../sequential/problem.ts';

/** Registers by key, as one object. */
export const registers: Model = {
  ...register,
  per: 'store',
  init: {},
  step: (state, call) => {
    const held = state as Readonly<Record<string, JsonValue>>;
    const key = call.key ?? '';
    const stepped = register.step(held[key] ?? null, call);
    return 'state' in stepped ? { state: { ...held, [key]: stepped.state } } : stepped;
  },
};

export function someOrder(ops: readonly KeyOp[], name: Criterion['name']): boolean {
  const from = (state: JsonValue, left: readonly KeyOp[]): boolean =>
    left.every(({ call }) => call.outcome === 'indefinite') ||
    left.some((op) => {
      if (left.some((other) => mustPrecede(other, op, name))) return false;
      const stepped = registers.step(state, op.call);
      const rest = left.filter((other) => other !== op);
      return 'state' in stepped && from(stepped.state, rest);
    });
  return from(registers.init, ops);
}

/** What is wrong with an order that is said to be one. */
export function wrongOrder(
  ops: readonly KeyOp[],
  name: Criterion['name'],
  order: readonly number[],
): string | undefined {
  let { init: state } = registers;
  for (const [place, at] of order.entries()) {
    const op = ops[at];
    if (op === undefined || order.indexOf(at) !== place) return `${at} is not there, or not once`;
    const late = order.slice(place).find((other) => mustPrecede(ops[other] as KeyOp, op, name));
    if (late !== undefined) return `${late} must come before ${at}`;
    const stepped = registers.step(state, op.call);
    if (!('state' in stepped)) return `${at}: ${stepped.inconsistent}`;
    ({ state } = stepped);
  }
  const left = [...ops.keys()].filter((at) => !order.includes(at));
  const missing = left.find((at) => ops[at]?.call.outcome !== 'indefinite');
  return missing === undefined ? undefined : `${missing} is missing`;
}

function mustPrecede(a: KeyOp, b: KeyOp, name: Criterion['name']): boolean {
  if (a.end > b.start) return false;
  const isRead = ({ call }: KeyOp): boolean => call.f === 'read';
  const isOneClient = a.invoke.process === b.invoke.process;
  if (name === 'sequential') return isOneClient;
  const isOneView = isRead(a) && a.invoke.node === b.invoke.node && a.invoke.mode === b.invoke.mode;
  return isRead(b) ? isOneClient && isOneView : true;
}
