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
    replace:
      'if (((table[source] as number) & isPut) !== 0) this.#other[keyOf[put] as number] = 1;',
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
    replace: 'if ((taker & isCas) !== 0) this.#twoWinners(needed, row); else',
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
    replace: 'table[at + END] = later(table[at + END] as number, LAST - end);',
    by: 'table[at + END] = LAST - end;',
  },
  {
    without: 'the last read to begin counts',
    replace: 'table[at + START] = later(table[at + START] as number, (call[row] as number) + 1);',
    by: 'table[at + START] ||= (call[row] as number) + 1;',
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
    by: 'if (source === 0) { this.#begin(value); continue; }',
  },
  {
    without: 'a cas heads no block',
    replace: 'const isHead = taken >> 31;',
    by: 'const isHead = -1;',
  },
  {
    without: 'the end of the write counts',
    replace: '| (end & isHead);',
    by: '| (NEVER & isHead);',
  },
  {
    without: 'what a key begins with is there before all',
    replace: 'this.#addReads(value, value, NONE, NONE);',
    by: 'this.#addReads(value, value, LAST, NONE);',
  },
  {
    without: 'the begin of the write counts',
    replace: 'later(latest, call[row] as number)',
    by: 'isHead ? latest : later(latest, call[row] as number)',
  },
  {
    without: 'no read ends before its write begins',
    replace: 'if (readEnd < latest) this.#tooEarly(value, latest, readEnd);',
    by: '',
  },
  {
    without: 'the end of a read counts for its block',
    replace: 'earlier(first, readEnd)',
    by: 'first',
  },
  {
    without: 'the begin of a read counts for its block',
    replace: 'later(latest, readStart) + 1',
    by: 'latest + 1',
  },
  {
    without: 'what takes a value follows its reads',
    replace: 'if (end < latest) this.#tooEarly(taken, latest, end);',
    by: '',
  },
  {
    without: 'the end of a cas counts for its block',
    replace: 'table[at + END] = later(table[at + END] as number, LAST - end);',
    by: 'if (isCas === 0) table[at + END] = later(table[at + END] as number, LAST - end);',
  },
  {
    without: 'the begin of a cas counts for its block',
    replace: 'later(latest, call[row] as number)',
    by: 'isHead ? (call[row] as number) : latest',
  },
  {
    without: 'a block goes on with what a cas put',
    replace: 'if (!this.#add(value, row, needs[row] as number)) late.push(value);',
    by: 'if ((needs[row] as number) < 0) this.#add(value, row, NONE);',
  },
  {
    without: 'a value whose number is lower than that of the one before it has its place, too',
    replace: 'if (!this.#add(value, row, needs[row] as number)) late.push(value);',
    by: 'this.#add(value, row, needs[row] as number);',
  },
  {
    without: 'so have those that follow it',
    replace: 'if (taker < 0) break; value = puts[taker] as number;',
    by: 'break;',
  },
  {
    without: 'blocks are in order of the later of both moments: the first end',
    replace: 'const last = later(this.#firstEnd(value), this.#lastStart(value));',
    by: 'const last = this.#lastStart(value);',
  },
  {
    without: 'blocks are in order of the later of both moments: the last begin',
    replace: 'const last = later(this.#firstEnd(value), this.#lastStart(value));',
    by: 'const last = this.#firstEnd(value);',
  },
  {
    without: 'no block ended before one that comes before it began',
    replace: 'if (this.#firstEnd(head) < start) this.#overlap(latest[key] as number, head);',
    by: '',
  },
  {
    without: 'of those before, the last begin counts',
    replace: 'starts[key] = later(start, own);',
    by: 'starts[key] = own;',
  },
  {
    without: 'the blocks of each key are apart',
    replace: 'const key = keyOf[head] as number; const start = starts[key] as number;',
    by: 'const key = 0; const start = starts[key] as number;',
  },
  {
    without: 'what is needed has a place',
    replace: 'if (block === 0 && this.#isNeeded(value)) {',
    by: 'if (block < 0) {',
  },
  {
    without: 'only what is needed must have a place',
    replace: 'if (block === 0 && this.#isNeeded(value)) {',
    by: 'if (block === 0) {',
  },
  {
    without: 'what nobody put is an end in itself',
    replace: 'if (table[placeOf(value) + SOURCE] === 0) this.#noSource(value); else',
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
    replace: 'if (changes > 1) return sameRevision(columns, ranks, first + (place >> 1));',
    by: '',
  },
  {
    without: 'what has an answer says a revision',
    replace: 'if (ret[row] !== NEVER && (revision[row] as number) < 0)',
    by: 'if (length < 0)',
  },
  {
    without: 'a read comes after the change of its revision',
    replace: 'places[place] = sum; places[place + 1] = sum + changes;',
    by: 'places[place] = sum + reads; places[place + 1] = sum;',
  },
  {
    without: 'an unknown outcome has no place in the order of revisions',
    replace: `if (ret[row] === NEVER) continue;
      const place = placeOf((of[row] as number) - first, puts[row] as number);
      const at = places[place] as number;`,
    by: `const place = placeOf((of[row] as number) - first, puts[row] as number);
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
    replace: 'if ((((holds[own] as number) ^ needed) & ~(needed >> 31)) !== 0) {',
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
    replace: 'for (const one of revealed) latest = Math.max(latest, call[one] as number);',
    by: '',
  },
  {
    without: 'the order keeps time',
    replace: 'if ((ret[row] as number) < latest)',
    by: 'if (row < 0)',
  },
  {
    without: 'the latest begin so far counts',
    replace: 'latest = later(latest, call[row] as number);',
    by: 'latest = call[row] as number;',
  },
  {
    without: 'a change leaves what it put',
    replace: 'holds[own] = (put & ~isRead) | ((holds[own] as number) & isRead);',
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
