/**
 * Takes away each condition of the judges in linear time, one at a time: within the histories that
 * the tests beside this one play, one must show that what is left is wrong.
 */
import { expect, test } from 'vitest';
import { messageOf } from '../../../harness/core/errors.ts';
import {
  repeatedProblem,
  revisionProblem,
  smallRevisionProblem,
  uniqueProblem,
  uniqueStoreProblem,
} from '../../testkit/fast-laws.ts';
import { type Mutation, mutantOf } from '../../testkit/mutant.ts';

const UNIQUE: readonly Mutation[] = [
  {
    without: 'a value that was written twice is not judged',
    replace: 'if (table[source] !== 0) this.#other[keyOf[put] as number] = 1;',
    by: '',
  },
  {
    without: 'a refusal that does not say what it saw is not judged',
    replace: 'else if (needed < NONE) this.#other[key[row] as number] = 1;',
    by: '',
  },
  {
    without: 'a key that is not judged has no conflict',
    replace: 'filter(({ key }) => this.#other[key] === 0)',
    by: 'filter(() => true)',
  },
  {
    without: 'only one cas takes a value',
    replace: 'if (table[at + TAKER] !== 0) this.#twoWinners(needed, row); else',
    by: '',
  },
  {
    without: 'only one takes a value, of those of unknown outcome too',
    replace: 'if (this.#table[taker] !== 0) { this.#twoWinners(needed, row); break; }',
    by: '',
  },
  {
    without: 'an unknown outcome is not an answer',
    replace: 'if (end === NEVER) open.push(row); else if',
    by: 'if',
  },
  {
    without: 'the first read to end counts',
    replace: 'if (LAST - end > (table[at + END] as number)) table[at + END] = LAST - end;',
    by: 'table[at + END] = LAST - end;',
  },
  {
    without: 'the last read to begin counts',
    replace: 'if (start > (table[at + START] as number)) table[at + START] = start;',
    by: 'if (table[at + START] === 0) table[at + START] = start;',
  },
  {
    without: 'a cas of unknown outcome happened only if somebody needs what it put',
    replace: 'if (needed < 0 || !this.#isNeeded(puts[row] as number)) break;',
    by: 'if (needed < 0) break;',
  },
  {
    without: 'what an unknown cas took was put by somebody, perhaps unknown too',
    replace: 'row = this.#sourceOf(needed);',
    by: 'break;',
  },
  {
    without: 'a value is needed by who reads it',
    replace: 'return this.#table[at + START] !== 0 || this.#table[at + TAKER] !== 0;',
    by: 'return this.#table[at + TAKER] !== 0;',
  },
  {
    without: 'a value is needed by who takes it',
    replace: 'return this.#table[at + START] !== 0 || this.#table[at + TAKER] !== 0;',
    by: 'return this.#table[at + START] !== 0;',
  },
  {
    without: 'only what somebody put heads a block',
    replace: 'if (source === 0) continue;',
    by: '',
  },
  {
    without: 'a cas heads no block',
    replace: 'if ((needs[row] as number) >= 0) continue;',
    by: '',
  },
  {
    without: 'the end of the write counts',
    replace: 'let first = row >= 0 ? (ret[row] as number) : NONE;',
    by: 'let first = row >= 0 ? NEVER : NONE;',
  },
  {
    without: 'what a key begins with is there before all',
    replace: 'let first = row >= 0 ? (ret[row] as number) : NONE;',
    by: 'let first = row >= 0 ? (ret[row] as number) : NEVER;',
  },
  {
    without: 'the begin of the write counts',
    replace: 'let latest = row >= 0 ? (call[row] as number) : NONE;',
    by: 'let latest = NONE;',
  },
  {
    without: 'no read ends before its write begins',
    replace: 'if (readEnd < latest) this.#tooEarly(value, latest, readEnd);',
    by: '',
  },
  {
    without: 'the end of a read counts for its block',
    replace: 'if (readEnd < first) first = readEnd;',
    by: '',
  },
  {
    without: 'the begin of a read counts for its block',
    replace: 'if (readStart > latest) latest = readStart;',
    by: '',
  },
  {
    without: 'what takes a value follows its reads',
    replace: 'if (end < latest) this.#tooEarly(value, latest, end);',
    by: '',
  },
  {
    without: 'the end of a cas counts for its block',
    replace: 'if (end < first) first = end;',
    by: '',
  },
  {
    without: 'the begin of a cas counts for its block',
    replace: 'if (start > latest) latest = start;',
    by: '',
  },
  {
    without: 'a block goes on with what a cas put',
    replace: 'value = puts[taker] as number; } table',
    by: 'break; } table',
  },
  {
    without: 'blocks are in order of the later of both moments: the first end',
    replace: 'const last = first > latest ? first : latest;',
    by: 'const last = latest;',
  },
  {
    without: 'blocks are in order of the later of both moments: the last begin',
    replace: 'const last = first > latest ? first : latest;',
    by: 'const last = first;',
  },
  {
    without: 'no block ended before one that comes before it began',
    replace:
      'if (LAST - (table[head * FIELDS + END] as number) < start) this.#overlap(before, head);',
    by: '',
  },
  {
    without: 'of those before, the last begin counts',
    replace: 'if ((table[head * FIELDS + START] as number) <= start) continue;',
    by: '',
  },
  {
    without: 'the blocks of each key are apart',
    replace: 'const key = keyOf[head] as number; const before = (latest[key] as number) - 1;',
    by: 'const key = 0; const before = (latest[key] as number) - 1;',
  },
  {
    without: 'what is needed has a place',
    replace: 'if (placed[value] === 1 || !this.#isNeeded(value)) continue;',
    by: 'continue;',
  },
  {
    without: 'only what is needed must have a place',
    replace: 'if (placed[value] === 1 || !this.#isNeeded(value)) continue;',
    by: 'if (placed[value] === 1) continue;',
  },
  {
    without: 'what nobody put is an end in itself',
    replace: 'if (this.#table[value * FIELDS + SOURCE] === 0) this.#noSource(value); else',
    by: '',
  },
  {
    without: 'a circle of cas is one',
    replace: 'for (const value of circles) this.#circle(value);',
    by: '',
  },
  {
    without: 'an order has the reads',
    replace: 'for (const row of reads.get(value) ?? []) order.push(row);',
    by: '',
  },
  {
    without: 'reads of one value are in order of their begin',
    replace: 'rows.sort((a, b) => (call[a] as number) - (call[b] as number));',
    by: 'rows.sort((a, b) => (call[b] as number) - (call[a] as number));',
  },
];

const REVISIONS: readonly Mutation[] = [
  {
    without: 'each change has a revision of its own',
    replace: 'if (rows > 1 && (place & 1) === 1) return sameRevision(columns, ranks, row);',
    by: '',
  },
  {
    without: 'what has an answer says a revision',
    replace: 'if (ret[row] !== NEVER && (revision[row] as number) < 0)',
    by: 'if (length < 0)',
  },
  {
    without: 'a read comes after the change of its revision',
    replace: `const place = 2 * ((of[row] as number) - first) + ((puts[row] as number) < 0 ? 2 : 1);
      const at = places[place] as number;`,
    by: `const place = 2 * ((of[row] as number) - first) + ((puts[row] as number) < 0 ? 1 : 2);
      const at = places[place] as number;`,
  },
  {
    without: 'an unknown outcome has no place in the order of revisions',
    replace: `if (ret[row] === NEVER) continue;
      const place = 2 * ((of[row] as number) - first) + ((puts[row] as number) < 0 ? 2 : 1);
      const at = places[place] as number;`,
    by: `const place = 2 * ((of[row] as number) - first) + ((puts[row] as number) < 0 ? 2 : 1);
      const at = places[place] as number;`,
  },
  {
    without: 'revisions far apart are brought together rightly',
    replace: 'const rankOf = new Map(distinct.map((own, rank) => [own, rank]));',
    by: 'const rankOf = new Map(distinct.map((own) => [own, 0]));',
  },
  {
    without: 'a refusal did not see what it expected',
    replace:
      "if (needed < NONE && holds[own] === anythingBut(needed)) return { holds: false, row, why: 'value' };",
    by: '',
  },
  {
    without: 'what an operation needs is there',
    replace: 'if (needed >= 0 && holds[own] !== needed) {',
    by: 'if (row < 0) {',
  },
  {
    without: 'what nobody could have put is not there',
    replace: "if (revealed === undefined) return { holds: false, row, why: 'value' };",
    by: 'if (revealed === undefined) continue;',
  },
  {
    without: 'an unknown outcome may be what put it',
    replace: 'const revealed = unseen.reveal(needed, at);',
    by: 'const revealed = needed < 0 ? unseen.reveal(needed, at) : undefined;',
  },
  {
    without: 'what follows an unknown outcome had not ended when that began',
    replace: 'if ((call[one] as number) > latest) { latest',
    by: 'if (one < 0) { latest',
  },
  {
    without: 'the order keeps time',
    replace: 'if ((ret[row] as number) < latest)',
    by: 'if (row < 0)',
  },
  {
    without: 'the latest begin so far counts',
    replace: 'if (start > latest) { latest = start; latestRow = row; }',
    by: 'latest = start; latestRow = row;',
  },
  {
    without: 'a change leaves what it put',
    replace: 'if (put >= 0) holds[own] = put;',
    by: '',
  },
  {
    without: 'nothing happens twice in one chain',
    replace: '?.find((one) => !chain.has(one))',
    // It would go round for ever.
    by: "?.find((one) => { if (chain.has(one)) throw new Error('endless'); return true; })",
  },
  {
    without: 'an unknown cas finds what it needs',
    replace: 'if (needed < 0 || this.#holds[key[row] as number] === needed) break;',
    by: 'if (row >= 0) break;',
  },
  {
    without: 'nothing of unknown outcome happens twice',
    replace: '?.filter((one) => one !== row) ?? []',
    by: '?.filter((one) => one >= 0) ?? []',
  },
  {
    without: 'an order has those that were revealed',
    replace: 'if (more === 0) return sorted;',
    by: 'if (more >= 0) return sorted;',
  },
];

test.for(UNIQUE)('unique writes, without: $without', async (mutation) => {
  const source = new URL('unique-writes.ts', import.meta.url);
  const { uniqueWrites } = (await mutantOf(source, mutation)) as Unique;
  const problem =
    firstProblem([
      [8000, (seed) => uniqueProblem(seed, uniqueWrites)],
      [4000, (seed) => repeatedProblem(seed, uniqueWrites)],
    ]) ?? firstProblem([[400, (seed) => uniqueStoreProblem(seed, uniqueWrites)]]);
  expect(problem).toBeDefined();
});

test.for(REVISIONS)('revision witness, without: $without', async (mutation) => {
  const source = new URL('revision-witness.ts', import.meta.url);
  const { revisionWitness } = (await mutantOf(source, mutation)) as Revisions;
  const problem =
    firstProblem([[4000, (seed) => smallRevisionProblem(seed, revisionWitness)[1]]]) ??
    firstProblem([[1500, (seed) => revisionProblem(seed, revisionWitness)[1]]]);
  expect(problem).toBeDefined();
});

type Unique = typeof import('./unique-writes.ts');
type Revisions = typeof import('./revision-witness.ts');
type Law = (seed: number) => string | undefined;

/** The first seed on which something is wrong; a judge that breaks down is wrong too. */
function firstProblem(laws: readonly (readonly [seeds: number, law: Law])[]): string | undefined {
  const seeds = Math.max(...laws.map(([count]) => count));
  for (let seed = 0; seed < seeds; seed++)
    for (const [count, law] of laws) {
      const problem = seed < count ? problemWith(law, seed) : undefined;
      if (problem !== undefined) return problem;
    }
  return undefined;
}

function problemWith(law: Law, seed: number): string | undefined {
  try {
    return law(seed);
  } catch (error) {
    return messageOf(error);
  }
}
