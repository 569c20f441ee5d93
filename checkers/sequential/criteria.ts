import { modeOf } from '../key-history.ts';
import type { Criterion } from './problem.ts';

/** Lamport ("How to make a multiprocessor computer ...", 1979): each process keeps its order. */
export const SEQUENTIAL: Criterion = {
  name: 'sequential',
  sessionOf: ({ invoke }) => String(invoke.process),
  keepsTime: () => false,
};

/**
 * Changes, and refusals, keep all order in time; a read may show the store as it was at any earlier
 * moment, but to one client, through one node and in one mode, never an earlier one than before.
 */
export const PREFIX_CONSISTENT: Criterion = {
  name: 'prefix-consistent',
  sessionOf: (op) => {
    const { process, node = '' } = op.invoke;
    return isRead(op) ? `${process} ${node} ${modeOf(op.invoke)}` : String(process);
  },
  keepsTime: (op) => !isRead(op),
};

/** Answers that only show something. */
const READS: ReadonlySet<string> = new Set(['read', 'get', 'range', 'contains']);

function isRead({ call, invoke }: Parameters<Criterion['sessionOf']>[0]): boolean {
  return call.outcome === 'ok' && READS.has(invoke.f);
}
