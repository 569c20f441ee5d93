/** How old the answers of reads were, by looking at every write for every read. */
import type { History } from '../../harness/history/history.ts';
import type { Op } from '../../harness/history/op.ts';
import { type Deed, deedAt } from './deeds.ts';

/** Pairs of a read and a write that are looked at: some seconds. */
const PAIRS_MAX = 200_000_000;

/**
 * Milliseconds, 0 for a read that was up to date, of each read that `isWanted`, as far as it is
 * known which version it returned. Undefined where that takes too long.
 */
export function stalenessAgain(
  history: History,
  mode: string,
  isWanted: (read: Op) => boolean,
): number[] | undefined {
  const deeds: Deed[] = [];
  for (let index = 0; index < history.length; index++) {
    const deed = history.isClient(index) ? deedAt(history, index) : '';
    if (typeof deed !== 'string') deeds.push(deed);
  }
  let pairs = 0;
  const found: number[] = [];
  for (const ofKey of Map.groupBy(deeds, ({ key }) => key).values()) {
    const reads = ofKey.filter(
      ({ invoke, end }) =>
        invoke.f === 'read' && end === 'ok' && (invoke.mode ?? 'linearizable') === mode,
    );
    const makers = ofKey.filter(({ puts, end }) => puts !== undefined && end !== 'failed');
    pairs += reads.length * makers.length;
    if (pairs > PAIRS_MAX) return undefined;
    const writes = makers.filter(({ end }) => end === 'ok');
    const isNumbered =
      reads.every(({ completion }) => completion?.server?.modRevision !== undefined) &&
      writes.every(({ completion }) => completion?.server?.revision !== undefined);
    const age = isNumbered ? byRevision(makers) : byValue(makers);
    for (const read of reads) {
      const ms = isWanted(read.invoke) ? age(read) : undefined;
      if (ms !== undefined) found.push(ms);
    }
  }
  return found;
}

const ABSENT = 'null';

type Age = (read: Deed) => number | undefined;

/** The store says which change a read shows, but for what is not there. */
function byRevision(makers: readonly Deed[]): Age {
  const isDeleted = makers.some(({ puts, end }) => puts === ABSENT && end !== 'refused');
  return (read) => {
    if (isDeleted && read.sees === ABSENT) return undefined;
    const shown = read.completion?.server?.modRevision ?? Number.NaN;
    return since(read, makers, ({ completion }) => (completion?.server?.revision ?? 0) > shown);
  };
}

/** A value that was put only once says which write a read shows. */
function byValue(makers: readonly Deed[]): Age {
  return (read) => {
    const sources = makers.filter(({ puts }) => puts === read.sees);
    if (sources.length + (read.sees === ABSENT ? 1 : 0) !== 1) return undefined;
    const gone = sources[0] === undefined ? -1 : sources[0].endsAt;
    if (gone === Infinity) return undefined;
    return since(read, makers, ({ invoke }) => invoke.index > gone);
  };
}

/** From the first answer that proves something newer to the beginning of the read. */
function since(read: Deed, makers: readonly Deed[], isNewer: (write: Deed) => boolean): number {
  let first = Infinity;
  for (const write of makers) {
    if (write.end !== 'ok' || write.endsAt > read.invoke.index || !isNewer(write)) continue;
    first = Math.min(first, write.completion?.time ?? Infinity);
  }
  return first === Infinity ? 0 : (read.invoke.time - first) / 1e6;
}
