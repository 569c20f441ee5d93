/**
 * Takes away each condition of each rule, one at a time, and compiles what is left: random histories
 * must show that it is wrong. What no history can tell from the real thing is not needed.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { invariant } from '../../harness/core/invariant.ts';
import { Random, seedFrom } from '../../harness/core/prng.ts';
import { Engine } from './engine.ts';
import { firstDisagreement } from './engine-fuzz.ts';
import { compileEngine, instantiate } from './engine-module.ts';

/** As much of the compiler as is used. Its own types would declare its language's globals for all of us. */
interface Compiler {
  main(
    args: readonly string[],
    host: {
      readFile(name: string): string | null;
      writeFile(name: string, contents: Uint8Array | string): void;
      listFiles(): readonly string[];
    },
  ): Promise<{ readonly error: Error | null }>;
}

const COMPILER: string = 'assemblyscript/asc';
const FOLDER = join(import.meta.dirname, 'engine');
const PROBLEMS = 200_000;

interface Mutation {
  readonly without: string;
  readonly file: string;
  readonly replace: string;
  readonly by: string;
}

const MUTATIONS: readonly Mutation[] = [
  {
    without: 'R, N: only a read is done for good where it changes nothing',
    file: 'choices.ts',
    replace: 'const done = doneOf(c) | fitting(sight);',
    by: 'const done = doneOf(c) | fitting(sight) | keeping(sight);',
  },
  {
    without: 'N: what keeps this state may still be used later',
    file: 'choices.ts',
    replace: 'for (let left = placeable(c); left != 0;',
    by: 'for (let left = mayDiscard(c) ? 0 : placeable(c); left != 0;',
  },
  {
    without: 'A: what is done cannot be hidden as well',
    file: 'choices.ts',
    replace: 'optional |= pendingOverwrites & ~done & ~target;',
    by: 'optional |= pendingOverwrites & ~target;\n    done &= ~optional;',
  },
  {
    without: 'A: only overwrites are legal wherever they are hidden',
    file: 'choices.ts',
    replace: 'optional |= pendingOverwrites & ~done & ~target;',
    by: 'optional |= pending & ~pendingReads & ~done & ~target;',
  },
  {
    without: 'C: only reads that were in flight then have credit',
    file: 'choices.ts',
    replace: 'creditOf(c) & ~done;',
    by: 'pendingReads & ~done;',
  },
  {
    without: 'C: credit is worth something as long as an overwrite may be hidden',
    file: 'choices.ts',
    replace: '(optional & pendingOverwrites) == 0 ? 0 :',
    by: '(optional & pendingReads) == 0 ? 0 :',
  },
  {
    without: 'C: a read must fit what was hidden',
    file: 'choices.ts',
    replace: 'const read = credit & fitting(look(next(state, kindOfSlot(slot))));',
    by: 'const read = credit;',
  },
  {
    without: 'C: what was hidden for a read cannot be used again',
    file: 'choices.ts',
    replace: 'const spent = (<u64>1) << slot;',
    by: 'const spent: u64 = 0;',
  },
  {
    without: 'C: what is discarded may have been read',
    file: 'choices.ts',
    replace: 'if (credit != 0 && isOverwrite(kind)) {',
    by: 'if (credit != 0 && isOverwrite(kind) && kind < 0) {',
  },
  {
    without: 'S: the one that completes first goes first',
    file: 'choices.ts',
    replace: '(left)) < completion) return true;',
    by: '(left)) > completion) return true;',
  },
  {
    without: 'S: only operations of the same kind are equal',
    file: 'choices.ts',
    replace: 'candidates & slotsLike(slot)',
    by: 'candidates',
  },
  {
    without: 'S: what must happen is not equal to what may',
    file: 'choices.ts',
    replace: '(optional & bit) != 0 ? open : open & ~optional;',
    by: 'open;',
  },
  {
    without: 'U: an overwrite that keeps the state may hide others',
    file: 'choices.ts',
    replace: 'else if (mayAbsorb(c, optional)) worth |= pendingOverwrites;',
    by: '',
  },
  {
    without: 'U: an overwrite that keeps the state may give credit',
    file: 'choices.ts',
    replace: 'if ((others & ~optional) != 0) return true;',
    by: 'if (others != 0 || true) return (others & ~optional) != 0;',
  },
  {
    without: 'U: a read may need one of unknown outcome before the next overwrite',
    file: 'choices.ts',
    replace: '(used < 0 ? target : ~(<u64>0)) & ~done',
    by: 'target & ~done',
  },
  {
    without: 'U: what keeps the state that is passed through counts as done there',
    file: 'choices.ts',
    replace: ' | (keeping(sight) & others & ~optional);',
    by: ';',
  },
  {
    without: 'U: one of unknown outcome may depend on the state',
    file: 'choices.ts',
    replace: ' || openClassOf(firstChanger(to)) >= 0;',
    by: ';',
  },
  {
    without: 'U: it needs credit',
    file: 'choices.ts',
    replace: '(RULE_N | RULE_A | RULE_C)) != (RULE_N | RULE_A | RULE_C)',
    by: '(RULE_N | RULE_A)) != (RULE_N | RULE_A)',
  },
  {
    without: 'supplies: no more are used than there are',
    file: 'choices.ts',
    replace: 'return group < 0 || countOf(countsOf(c), group) < supplyOf(group);',
    by: 'return true;',
  },
  {
    without: 'supplies: of a group there are as many as of all its kinds',
    file: 'window.ts',
    replace: 'store<i32>(sum, load<i32>(sum) + more);',
    by: 'store<i32>(sum, max(load<i32>(sum), load<i32>(place)));',
  },
  {
    without: 'better: the other used at least as much of everything',
    file: 'configurations.ts',
    replace: 'return atMost(countsOf(a), countsOf(b));',
    by: 'return true;',
  },
  {
    without: 'better: what is optional in the other is so here',
    file: 'configurations.ts',
    replace: 'if ((optionalOf(b) & ~optional) != 0) return false;',
    by: '',
  },
  {
    without: 'better: what is done in the other is done or optional here',
    file: 'configurations.ts',
    replace: 'if ((doneOf(b) & ~(done | optional)) != 0) return false;',
    by: '',
  },
  {
    without: 'better: what is done here and not in the other is a read',
    file: 'configurations.ts',
    replace: 'if ((done & ~doneOf(b) & ~readsNow) != 0) return false;',
    by: '',
  },
  {
    without: 'better: what has credit in the other has it here, or is done',
    file: 'configurations.ts',
    replace: 'if ((creditOf(b) & ~(creditOf(a) | done)) != 0) return false;',
    by: '',
  },
  {
    without: 'walk: an optional operation may be discarded as well',
    file: 'search.ts',
    replace: 'if (optionalOf(c) != 0) return false;',
    by: '',
  },
  {
    without: 'walk: one of unknown outcome may be used first',
    file: 'search.ts',
    replace: 'steps < end && openClasses == 0',
    by: 'steps < end',
  },
  {
    without: 'walk: another one in flight may be placed first',
    file: 'search.ts',
    replace: 'if ((pending & ~pendingReads & ~done) != bit) break;',
    by: 'if ((pending & ~pendingReads & ~done & bit) == 0) break;',
  },
  {
    without: 'walk: reads that fit on the way are done',
    file: 'search.ts',
    replace: 'done |= fitting(look(state));',
    by: '',
  },
  {
    without: 'walk: nobody else is here',
    file: 'search.ts',
    replace: 'if (loose != 1 || waiting != 0',
    by: 'if (loose < 1 || waiting != 0',
  },
  {
    without: 'stretch: what is in flight may still be placed',
    file: 'search.ts',
    replace: 'emit(state, reads, others, 0,',
    by: 'emit(state, reads | others, 0, 0,',
  },
  {
    without: 'stretch: what is in flight may have been done before',
    file: 'search.ts',
    replace: 'emit(state, reads, others, 0,',
    by: 'emit(state, reads, 0, 0,',
  },
  {
    without: 'stretch: a read in flight may have been done before',
    file: 'search.ts',
    replace: 'emit(state, reads, others, 0,',
    by: 'emit(state, 0, others, 0,',
  },
  {
    without: 'stretch: it begins in any state',
    file: 'search.ts',
    replace: 'state < starts && outcome',
    by: 'state < 1 && outcome',
  },
  {
    without: 'dash: what it takes back is no part of its order',
    file: 'dash.ts',
    replace: 'aim();\n  eraseTo(lengthAt(c));',
    by: 'aim();',
  },
  {
    without: 'dash: it goes back to where choices are left',
    file: 'dash.ts',
    replace: 'if (isSpent(c)) spare = c;',
    by: 'if (true) spare = c;',
  },
  {
    without: 'dash: the window goes back with it',
    file: 'dash.ts',
    replace: 'moveTo(completionOf(c));\n  aim();\n  eraseTo',
    by: 'aim();\n  eraseTo',
  },
  {
    without: 'dash: with other reads to come it is somewhere else',
    file: 'dash.ts',
    replace: ' + creditOf(c);',
    by: ';',
  },
  {
    without: 'sight: who came back does not remember what he left',
    file: 'window.ts',
    replace: 'return e < recentFrom || e > at',
    by: 'return e > at',
  },
  {
    without: 'sight: a slot that was taken again is looked at again',
    file: 'window.ts',
    replace: 'later <= at; later++',
    by: 'later < at; later++',
  },
];

test.for(MUTATIONS)('$without', async ({ file, replace, by }) => {
  const engine = await engineOf(file, [[replace, by]]);
  const random = Random.stream(seedFrom(23), 'mutation');
  expect(firstDisagreement(random, PROBLEMS, engine)).toBeDefined();
});

/** No state has room in the table, and the cache has room for one answer. */
const FORGETFUL: readonly Edit[] = [
  ['const DENSE_BYTES: i32 = 1 << 18;', 'const DENSE_BYTES: i32 = 0;'],
  ['const CACHE_ENTRIES_MAX: i32 = 1 << 18;', 'const CACHE_ENTRIES_MAX: i32 = 1;'],
  ['let entries = 1 << 10;', 'let entries = 1;'],
];

test('what the engine forgets of the model it asks again', async () => {
  const engine = await engineOf('transitions.ts', FORGETFUL);
  const random = Random.stream(seedFrom(24), 'mutation');
  expect(firstDisagreement(random, 3000, engine)).toBeUndefined();
});

test.for([
  ['state', 'load<i32>(at) == state + 1', 'load<i32>(at) != 0'],
  ['kind', '&& load<i32>(at, 4) == kind', ''],
] as const)('what is kept is the answer for one %s', async ([, replace, by]) => {
  const engine = await engineOf('transitions.ts', [...FORGETFUL, [replace, by]]);
  const random = Random.stream(seedFrom(23), 'mutation');
  expect(firstDisagreement(random, PROBLEMS, engine)).toBeDefined();
});

/** What is replaced, which is there exactly once, and by what. */
type Edit = readonly [replace: string, by: string];

async function engineOf(file: string, edits: readonly Edit[]): Promise<Engine> {
  return new Engine(instantiate(compileEngine(await compiled(file, edits))));
}

async function compiled(file: string, edits: readonly Edit[]): Promise<Uint8Array> {
  const sources = new Map(
    readdirSync(FOLDER).map((name) => [name, readFileSync(join(FOLDER, name), 'utf8')]),
  );
  for (const [replace, by] of edits) {
    const source = sources.get(file) ?? '';
    invariant(source.split(replace).length === 2, `${file} has '${replace}' exactly once`);
    sources.set(file, source.replace(replace, by));
  }
  let wasm: Uint8Array | undefined;
  const args = ['index.ts', '-o', 'engine.wasm', '--runtime', 'stub', '--noAssert', '-O1'];
  const compiler = (await import(COMPILER)) as Compiler;
  const { error } = await compiler.main([...args, '--use', 'abort='], {
    readFile: (name) => sources.get(name) ?? null,
    writeFile: (_, contents) => {
      if (typeof contents !== 'string') wasm = contents;
    },
    listFiles: () => [],
  });
  invariant(error === null && wasm !== undefined, 'it compiles without this condition');
  return wasm;
}
