import type { Deed } from './deeds.ts';

const TRIES_MAX = 2_000_000;

/**
 * Whether some order of these operations of a register works. Those that are not `whole` may be
 * used or omitted. The register begins absent, or, if not `fromStart`, with whatever value suits.
 * Plain depth-first search.
 */
export function someOrderWorks(
  deeds: readonly Deed[],
  whole: (deed: Deed) => boolean,
  fromStart: boolean,
): boolean | 'too-many' {
  const must = deeds.map(whole);
  const dead = new Set<string>();
  let tries = 0;
  const go = (value: string, left: readonly number[]): boolean => {
    if (!left.some((at) => must[at] === true)) return true;
    const here = `${value} ${left.join()}`;
    if (dead.has(here) || ++tries > TRIES_MAX) return false;
    const firstEnd = Math.min(...left.map((at) => endAt(at)));
    for (const at of left) {
      const { invoke, sees, misses, puts } = deeds[at] as Deed;
      const holds = (sees === undefined || sees === value) && misses !== value;
      const fits = invoke.index < firstEnd && holds;
      if (fits && !wrongRefusal(deeds[at] as Deed)) {
        const rest = left.filter((other) => other !== at);
        if (go(puts ?? value, rest)) return true;
      }
    }
    dead.add(here);
    return false;
  };
  const endAt = (at: number): number => (must[at] === true ? (deeds[at] as Deed).endsAt : Infinity);
  const begins = new Set(['null']);
  // No JSON text is empty, so this stands for a value that nobody sees.
  if (!fromStart) for (const { sees = '' } of deeds) begins.add(sees);
  const works = [...begins, ...(fromStart ? [] : [''])].some((value) =>
    go(value, [...deeds.keys()]),
  );
  return works ? true : tries > TRIES_MAX ? 'too-many' : false;
}

/** A cas that was refused although it saw what it expected: that happens in no order. */
export function wrongRefusal({ end, sees, invoke }: Deed): boolean {
  const expected = Array.isArray(invoke.value) ? (invoke.value[0] as unknown) : null;
  return end === 'refused' && sees === JSON.stringify(expected ?? null);
}

/**
 * Whether `kept` follows from `all` by leaving out only what proves nothing: operations that put
 * nothing, and, as long as there are any, operations that put a value which nobody left sees. Who
 * only says what was not there may have been saved by any value.
 */
export function honestlyLeftOut(all: readonly Deed[], kept: ReadonlySet<number>): boolean {
  let rest = all.filter(({ invoke, puts }) => kept.has(invoke.index) || puts !== undefined);
  for (;;) {
    const seen = new Set(rest.map(({ sees }) => sees));
    const anyCounts = rest.some(({ misses }) => misses !== undefined);
    const next = rest.filter(
      ({ invoke, puts }) =>
        kept.has(invoke.index) || puts === undefined || anyCounts || seen.has(puts),
    );
    if (next.length === rest.length) return rest.length === kept.size;
    rest = next;
  }
}
