/** Operations on registers, in rows; see `RegisterColumns`. */
export interface Steps {
  readonly needs: Int32Array;
  readonly puts: Int32Array;
  readonly calls: Int32Array;
  readonly returns: Int32Array;
}

/** Several registers, and what each begins with. */
export interface Store {
  readonly key: Int32Array;
  readonly initial: Int32Array;
}

/**
 * Whether `order`, rows, shows that these are linearizable: as `witnessProblem`, for columns, and
 * fast enough to be asked each time. Without a store they are of one register, which begins with 0.
 */
export function columnWitnessProblem(
  { needs, puts, calls, returns }: Steps,
  order: ArrayLike<number>,
  store?: Store,
): string | undefined {
  const holds = store === undefined ? new Int32Array(1) : store.initial.slice();
  const isDone = new Uint8Array(needs.length);
  let latestStart = -1;
  for (let at = 0; at < order.length; at++) {
    const row = order[at] as number;
    if (isDone[row] !== 0) return `operation ${row} is not there, or not once`;
    isDone[row] = 1;
    if ((returns[row] as number) < latestStart)
      return `operation ${row} had ended when one before it began`;
    if ((calls[row] as number) > latestStart) latestStart = calls[row] as number;
    const own = store === undefined ? 0 : (store.key[row] as number);
    const needed = needs[row] as number;
    const held = holds[own] as number;
    // -1: it fits anything; lower: anything but one value.
    if (needed >= 0 ? needed !== held : needed < -1 && -2 - needed === held)
      return `operation ${row} does not fit ${held}`;
    if ((puts[row] as number) >= 0) holds[own] = puts[row] as number;
  }
  for (let row = 0; row < isDone.length; row++)
    if (isDone[row] === 0 && returns[row] !== 0x7fffffff) return `operation ${row} is missing`;
  return undefined;
}
