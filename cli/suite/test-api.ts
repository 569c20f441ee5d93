/** `test('name', { ... })`: what a test file calls while it is loaded. */
import { fileURLToPath } from 'node:url';
import { getCallSites } from 'node:util';
import { HarnessError } from '../../harness/core/errors.ts';
import { parseTestOptions } from '../config/schema.ts';
import type { ChaosTestOptions, DeclaredTest, DeclareTest } from './chaos-test.ts';

/** The name of a test file. */
export const TEST_FILE: RegExp = /\.chaos\.(?:ts|mts|js|mjs)$/;

/** How far up the stack the call may be, where a file declares its tests through helpers. */
const FRAMES_MAX = 50;

/** Declared tests by the absolute path of their file. */
type Declared = Map<string, DeclaredTest[]>;

/**
 * A test file may get another copy of this package than the command line that loads it, an installed
 * one beside a linked one: so what is declared is kept where all copies find it.
 */
const SHARED: unique symbol = Symbol.for('schism.declared-tests');

function declared(): Declared {
  const holder = globalThis as { [SHARED]?: Declared };
  holder[SHARED] ??= new Map();
  return holder[SHARED];
}

/** What the file at this absolute path has declared so far. */
export function testsOf(path: string): readonly DeclaredTest[] {
  return declared().get(path) ?? [];
}

/** Declares a chaos test. Throws `bad-option` for options that cannot be. */
export const test: DeclareTest = Object.assign(
  (title: string, options: ChaosTestOptions): void => {
    declare('test', title, options);
  },
  {
    expectViolation: (title: string, options: ChaosTestOptions): void => {
      declare('test.expectViolation', title, options);
    },
    only: (title: string, options: ChaosTestOptions): void => {
      declare('test.only', title, options);
    },
    skip: (title: string, options: ChaosTestOptions): void => {
      declare('test.skip', title, options);
    },
  },
);

type Way = 'test' | 'test.expectViolation' | 'test.only' | 'test.skip';

function declare(way: Way, title: unknown, given: unknown): void {
  const { path, line } = callOf(way);
  const shown = typeof title === 'string' ? `${way}('${title}')` : way;
  const where = line === undefined ? shown : `line ${line}: ${shown}`;
  if (typeof title !== 'string' || title.trim() === '')
    throw new HarnessError('bad-option', `${where}: a test begins with its title, a text`);
  const there = declared().get(path) ?? [];
  const same = there.find((other) => other.title === title);
  if (same !== undefined) {
    const before = same.line === undefined ? '' : `, on line ${same.line}`;
    throw new HarnessError('bad-option', `${where}: there is a test of this title${before}`);
  }
  const { expects, options } = parseTestOptions(given, where, way === 'test.expectViolation');
  const mark = way === 'test.only' ? 'only' : way === 'test.skip' ? 'skip' : undefined;
  const found: DeclaredTest = {
    title,
    options,
    ...(expects !== undefined && { expects }),
    ...(mark !== undefined && { mark }),
    ...(line !== undefined && { line }),
  };
  declared().set(path, [...there, found]);
}

/** Which test file the call stands in: the nearest on the stack, whoever imported it. */
function callOf(way: Way): { readonly path: string; readonly line?: number } {
  for (const { scriptName, lineNumber } of getCallSites(FRAMES_MAX)) {
    if (!TEST_FILE.test(scriptName)) continue;
    const path = scriptName.startsWith('file:') ? fileURLToPath(scriptName) : scriptName;
    return { path, line: lineNumber };
  }
  throw new HarnessError(
    'bad-option',
    `${way}() was called outside of a test file; its name ends in .chaos.ts, .mts, .js or .mjs`,
  );
}
