/** One of our own bugs: never a store's fault, never the machine's. Ends a run with exit 255. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** States what must hold if this code is right; throws `InvariantError` when it does not. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (condition !== true && !condition) throw new InvariantError(message);
}

/** Ends a `switch` over a union; the type checker proves that it is never reached. */
export function unreachable(value: never): never {
  throw new InvariantError(`unexpected case: ${JSON.stringify(value)}`);
}
