/** Which of the tests there are somebody asked for. */
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import { HarnessError } from '../../harness/core/errors.ts';
import { freshSeed, parseSeed, type Seed } from '../../harness/core/prng.ts';
import { suggest } from '../../harness/core/suggest.ts';
import type { ProjectConfig, SchismConfig } from '../config/config.ts';
import type { LoadedConfig } from '../config/load.ts';
import { REPEATS_MAX } from '../config/schema.ts';
import type { Flags } from '../flags.ts';
import { isCi } from '../options.ts';
import { type Catalogue, catalogueOf } from '../registry.ts';
import { regressionTests } from '../regressions/tests.ts';
import { countOption } from '../stored.ts';
import { candidatesOf, repeatedRef, type SuiteCandidate } from './candidates.ts';
import { findTestFiles, loadTestFiles } from './collect.ts';
import { lastFailedOf } from './last-failed.ts';
import {
  nothingSelected,
  parseShard,
  type Selected,
  type Selection,
  selectTests,
} from './select.ts';

/** What somebody asked for: the words of the command line, and the config under them. */
export interface Asked {
  /** As they were given: without the config's. */
  readonly flags: Flags;
  /** Tells a flag of the command line from one that has its default. */
  readonly isGiven: (flag: string) => boolean;
  /** Which tests: parts of paths and titles. */
  readonly filters: readonly string[];
  readonly loaded: LoadedConfig;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The tests that were selected, before anything of them is resolved. */
export interface Chosen {
  readonly selection: Selection;
  readonly selected: Selected<SuiteCandidate>;
  /** Before the shard was cut out. */
  readonly beforeShard: readonly SuiteCandidate[];
  readonly catalogue: Catalogue;
  readonly found: number;
  readonly seed: Seed;
}

/** Undefined for a run that is no suite. Throws as `planSuite` does. */
export async function chooseTests(asked: Asked): Promise<Chosen | undefined> {
  const there = await testsThere(asked);
  return there === undefined ? undefined : selectFrom(asked, there);
}

/** The tests there are, before anybody chose among them. */
interface There {
  readonly all: readonly SuiteCandidate[];
  /** Where they were looked for, for people. */
  readonly where: string;
}

async function testsThere(asked: Asked): Promise<There | undefined> {
  const { flags, loaded, isGiven } = asked;
  const { config, path } = loaded;
  const repeats = repeatsOf(flags);
  const repeated = (tests: readonly SuiteCandidate[]): readonly SuiteCandidate[] =>
    tests.flatMap((candidate) => repeatsOfCandidate(candidate, repeats));
  if (flags.regressions !== undefined) {
    const { tests, where } = await regressionTests(asked, flags.regressions);
    return { all: repeated(tests), where };
  }
  const isSelecting = asked.filters.length > 0 || SELECTING.some(isGiven);
  const home = path === undefined ? resolve() : dirname(path);
  const testDir = config.testDir ?? home;
  const isLooking = path !== undefined || isSelecting;
  const isDefault = path !== undefined && config.testDir === undefined;
  const places = { isDefault, store: outputOf(flags, isGiven, config) };
  const files = isLooking ? await findTestFiles(testDir, places) : [];
  const hasTests = files.length > 0 || config.testDir !== undefined;
  if (!hasTests && !isSelecting && repeats === undefined && config.projects === undefined)
    return undefined;
  const projects = projectsOf(config, flags.project);
  // Nobody looks by name for the one test that has none.
  const byName = [...asked.filters, flags.grep, flags.lastFailed].some((by) => by !== undefined);
  const isOwnTest = !hasTests && (config.projects !== undefined || !byName);
  const isAny = isOwnTest || files.length > 0;
  const declared = isAny
    ? candidatesOf(await loadTestFiles(files), projects, testDir, titleOf(asked))
    : [];
  const shown = relative('', testDir) || '.';
  const where = isDefault ? `in ${shown} or below its chaos/` : `below ${shown}`;
  return { all: repeated(declared), where };
}

async function selectFrom(asked: Asked, { all, where }: There): Promise<Chosen> {
  const { flags, loaded, isGiven, env } = asked;
  const { config } = loaded;
  const selection: Selection = {
    filters: asked.filters.map(fromHere),
    ...(flags.grep !== undefined && { grep: flags.grep }),
    ...(flags.grepInvert !== undefined && { grepInvert: flags.grepInvert }),
    ...(flags.lastFailed !== undefined && {
      lastFailed: await lastFailedOf(outputOf(flags, isGiven, config), flags.lastFailed),
    }),
    ...(flags.shard !== undefined && { shard: parseShard(flags.shard) }),
    forbidOnly: flags.forbidOnly ?? config.forbidOnly ?? isCi(env),
  };
  const { shard: _, ...unsharded } = selection;
  const { tests: beforeShard, skipped } = selectTests(all, unsharded);
  if (flags.requireRegressions === true) requirePlayable(skipped);
  const isAllowed = flags.passWithNoTests ?? config.passWithNoTests ?? false;
  if (beforeShard.length === 0 && !isAllowed) {
    const why = cannotRun(skipped) ?? nothingSelected(all, selection, where);
    throw new HarnessError('nothing-selected', why);
  }
  const seed = isGiven('seed') ? flags.seed : config.seed;
  return {
    selection,
    selected: selectTests(all, selection),
    beforeShard,
    catalogue: catalogueOf(config),
    found: all.length,
    seed: seed === undefined ? freshSeed() : parseSeed(String(seed)),
  };
}

/** Throws `unsupported` for what was asked for and cannot run here. */
function requirePlayable(skipped: readonly SuiteCandidate[]): void {
  const missing = skipped.flatMap(({ ref, declared }) =>
    declared?.why === undefined ? [] : [`${ref.title} cannot be played here: ${declared.why}`],
  );
  const [first, ...rest] = missing;
  if (first === undefined) return;
  const details = rest.length === 0 ? {} : { details: rest.join('\n') };
  throw new HarnessError('unsupported', `--require-regressions: ${first}`, details);
}

/** What was found and cannot run here, with the reasons; undefined: somebody only marked it. */
function cannotRun(skipped: readonly SuiteCandidate[]): string | undefined {
  const reasons = skipped.flatMap(({ ref, declared }) =>
    declared?.why === undefined ? [] : [`${ref.title}: ${declared.why}`],
  );
  return reasons.length === 0 ? undefined : `nothing of it can run here: ${reasons.join('; ')}`;
}

/** Flags that choose among tests: with them it is a suite, be there tests or not. */
const SELECTING: readonly string[] = [
  'project',
  'grep',
  'grepInvert',
  'shard',
  'lastFailed',
  'list',
];

/** How often each test is run; undefined: once, and nobody asked for more. */
function repeatsOf({ repeatEach, repeatFor }: Flags): number | undefined {
  if (repeatEach !== undefined && repeatFor !== undefined)
    throw new HarnessError('bad-option', '--repeat-for: give it alone, without --repeat-each');
  if (repeatFor !== undefined) return 1;
  if (repeatEach === undefined) return undefined;
  const times = countOption(repeatEach, '--repeat-each', REPEATS_MAX);
  if (times === 0) throw new HarnessError('bad-option', '--repeat-each: 0 runs show nothing');
  return times === 1 ? undefined : times;
}

function repeatsOfCandidate(
  candidate: SuiteCandidate,
  times: number | undefined,
): readonly SuiteCandidate[] {
  if (times === undefined) return [candidate];
  return Array.from({ length: times }, (_, at) => ({
    ...candidate,
    ref: repeatedRef(candidate.ref, at + 1),
  }));
}

/** Paths as test files are named: from the working folder. */
function fromHere(filter: string): string {
  return (isAbsolute(filter) ? relative('', filter) : filter).replaceAll('\\', '/');
}

/** What a test is called that the config itself is. */
function titleOf({ flags, isGiven, loaded }: Asked): string {
  const { workload = flags.workload } = isGiven('workload') ? {} : loaded.config;
  return (typeof workload === 'string' ? workload.split(',') : workload).join('+');
}

function projectsOf(
  { projects = [] }: SchismConfig,
  asked: readonly string[] | undefined,
): readonly ProjectConfig[] {
  if (asked === undefined) return projects;
  const names = projects.map(({ name }) => name);
  const wanted = asked.flatMap((text) => text.split(',')).map((name) => name.trim());
  const wrong = wanted.find((name) => !names.includes(name));
  if (wrong === undefined) return projects.filter(({ name }) => wanted.includes(name));
  const there = names.length === 0 ? 'the config has none' : `there are: ${names.join(', ')}`;
  throw new HarnessError(
    'bad-option',
    `--project: unknown project '${wrong}'${suggest(wrong, names)}; ${there}`,
  );
}

/** Where runs are kept. */
export function outputOf(
  flags: Flags,
  isGiven: Asked['isGiven'],
  { output }: SchismConfig,
): string {
  return isGiven('output') || output === undefined ? flags.output : output;
}
