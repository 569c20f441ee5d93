import type { Random } from '../../harness/core/prng.ts';
import { nanos } from '../../harness/core/units.ts';
import type { Op, OpType } from '../../harness/history/op.ts';

export interface ArbitraryOptions {
  readonly operations: number;
  readonly processes: number;
  /** Values from 0 to `values` - 1, and null for absent. */
  readonly values: number;
}

/**
 * A well-formed history of one key that no store need ever have produced: any values, any
 * outcomes, any overlap. About half of the small ones are linearizable.
 */
export function arbitraryHistory(random: Random, options: ArbitraryOptions): Op[] {
  const ops: Op[] = [];
  const open = new Map<number, Op>();
  const processes = Array.from({ length: options.processes }, (_, index) => index);
  const value = (): number | null => {
    const drawn = random.int(-1, options.values - 1);
    return drawn < 0 ? null : drawn;
  };
  const record = (op: Omit<Op, 'index' | 'time' | 'phase' | 'key'>): Op => {
    const entry: Op = {
      ...op,
      key: 'k0',
      index: ops.length,
      time: nanos(ops.length * 1_000_000),
      phase: 'main',
    };
    ops.push(entry);
    return entry;
  };
  let invoked = 0;
  while (invoked < options.operations || (open.size > 0 && random.chance(0.9))) {
    const slot = random.int(0, options.processes - 1);
    const process = processes[slot] as number;
    const invoke = open.get(slot);
    if (invoke === undefined) {
      if (invoked === options.operations) continue;
      invoked++;
      const f = random.pick(['read', 'read', 'write', 'cas']);
      const input = f === 'read' ? null : f === 'write' ? value() : [value(), value()];
      open.set(slot, record({ process, type: 'invoke', f, value: input }));
      continue;
    }
    open.delete(slot);
    const type = record({ process, f: invoke.f, ...completionOf(random, invoke, value) }).type;
    if (type === 'info') processes[slot] = process + options.processes;
  }
  return ops;
}

function completionOf(
  random: Random,
  { f, value }: Op,
  draw: () => number | null,
): Pick<Op, 'type' | 'value' | 'error' | 'seen'> {
  const type: OpType = random.pick(['ok', 'ok', 'ok', 'ok', 'fail', 'info']);
  if (type === 'ok') return { type, value: f === 'read' ? draw() : value };
  if (type === 'info') return { type, value, error: { code: 'timeout', definite: false } };
  if (f === 'cas' && random.chance(0.7)) {
    const refused = { type, value, error: { code: 'cas-mismatch', definite: true } };
    return random.chance(0.3) ? refused : { ...refused, seen: draw() };
  }
  return { type, value, error: { code: 'refused', definite: true } };
}
