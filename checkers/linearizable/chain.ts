import type { Interval } from '../key-history.ts';

/**
 * The moments of a history that are not yet placed, in order, as a doubly linked list. Operation
 * `i` has its invocation at node `2i` and, if it completed, its completion at node `2i + 1`. An
 * operation may come next exactly if its invocation lies before the first completion left.
 */
export interface Chain {
  readonly first: () => number;
  readonly after: (node: number) => number;
  /** Takes an operation out. */
  readonly lift: (op: number) => void;
  /** Puts the operation that was lifted last back where it was (Knuth's dancing links). */
  readonly unlift: (op: number) => void;
}

export function isInvocation(node: number): boolean {
  return (node & 1) === 0;
}

export function opOf(node: number): number {
  return node >> 1;
}

export function invocationOf(op: number): number {
  return 2 * op;
}

export function createChain(ops: readonly Interval[]): Chain {
  const head = 2 * ops.length;
  const next = new Int32Array(head + 2);
  const prev = new Int32Array(head + 2);
  let last = head;
  const append = (node: number): void => {
    next[last] = node;
    prev[node] = last;
    last = node;
  };
  for (const node of nodesInOrder(ops)) append(node);
  // The end of the list is a completion that nothing ever takes away.
  append(head + 1);

  const unlink = (node: number): void => {
    const [before, behind] = [prev[node] as number, next[node] as number];
    next[before] = behind;
    prev[behind] = before;
  };
  const relink = (node: number): void => {
    next[prev[node] as number] = node;
    prev[next[node] as number] = node;
  };
  const completed = ops.map(({ end }) => end !== Infinity);
  return {
    first: () => next[head] as number,
    after: (node) => next[node] as number,
    // The completion goes first, so that what follows a lifted invocation is still in the list.
    lift: (op) => {
      if (completed[op] === true) unlink(2 * op + 1);
      unlink(2 * op);
    },
    unlift: (op) => {
      relink(2 * op);
      if (completed[op] === true) relink(2 * op + 1);
    },
  };
}

/** By moment; of equal moments invocations first, so that doubt always means concurrent. */
function nodesInOrder(ops: readonly Interval[]): number[] {
  const nodes: number[] = [];
  for (const [op, { end }] of ops.entries()) {
    nodes.push(2 * op);
    if (end !== Infinity) nodes.push(2 * op + 1);
  }
  const momentOf = (node: number): number => {
    const interval = ops[node >> 1] as Interval;
    return isInvocation(node) ? interval.start : interval.end;
  };
  return nodes.toSorted((a, b) => momentOf(a) - momentOf(b) || (a & 1) - (b & 1));
}
