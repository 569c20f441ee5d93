/**
 * ` (did you mean 'x'?)` for the candidate that is closest to a mistyped word, or '' when none is
 * close: at most a third of its letters may be wrong, and at least one. To be put after a message.
 */
export function suggest(word: string, candidates: Iterable<string>): string {
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    const wrong = editDistance(word.toLowerCase(), candidate.toLowerCase());
    const allowed = Math.max(1, Math.floor(Math.max(word.length, candidate.length) / 3));
    if (wrong > allowed || wrong >= least) continue;
    best = candidate;
    least = wrong;
  }
  return best === undefined ? '' : ` (did you mean '${best}'?)`;
}

/**
 * Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`: the optimal
 * string alignment distance (Damerau 1964, Levenshtein 1966).
 */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) cost = Math.min(cost, at(beforeLast, j - 2) + 1);
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return at(last, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
