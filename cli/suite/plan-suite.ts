/** Makes a plan of what the command line, the config and the test files say. */
import { relative, resolve } from 'node:path';
import { HarnessError, messageOf } from '../../harness/core/errors.ts';
import type { Seed } from '../../harness/core/prng.ts';
import { suggest } from '../../harness/core/suggest.ts';
import { parseDurationMs } from '../../harness/core/units.ts';
import type { RunConfig } from '../../harness/protocols/run.ts';
import type { TestRef } from '../../harness/protocols/suite.ts';
import type { Workload } from '../../harness/protocols/workload.ts';
import type { AttachConfig, SchismConfig } from '../config/config.ts';
import { type Layer, layered, type Origin, originsOf } from '../config/layers.ts';
import type { LoadedConfig } from '../config/load.ts';
import { INFRA_RETRIES_MAX, REPEATS_MAX, WORKERS_MAX } from '../config/schema.ts';
import type { Flags } from '../flags.ts';
import { resolveConfig } from '../options.ts';
import { BUILT_IN, type Catalogue, catalogueOf } from '../registry.ts';
import { CHOOSING } from '../regressions/tests.ts';
import { countOption } from '../stored.ts';
import { CHECK_HELP } from '../summaries.ts';
import { repeatOf, type SuiteCandidate, seedOfTest } from './candidates.ts';
import type { DeclaredExpectation } from './chaos-test.ts';
import { type Asked, type Chosen, chooseTests, outputOf } from './choose-tests.ts';
import type { PlannedTest, SuitePlan } from './plan.ts';
import { placeOf } from './select.ts';

/** One run that is no test. */
export interface PlannedRun {
  readonly config: RunConfig;
  /** With what the config says. */
  readonly flags: Flags;
  readonly attach?: AttachConfig;
  /** Absolute paths of what `config` is made of beside the built-in parts; none or one. */
  readonly modules: readonly string[];
  readonly origins: Readonly<Record<string, Origin>>;
}

/** A planned test with where each of its values was said. */
export interface ExplainedTest extends PlannedTest {
  readonly origins: Readonly<Record<string, Origin>>;
}

/** Resolves a run that is no suite. Throws `bad-option` or `bad-input`. */
export async function planRun({ flags, isGiven, loaded, env }: Asked): Promise<PlannedRun> {
  const { config: file } = loaded;
  // Nobody counts tests here, but a number that cannot be is a mistake all the same.
  numbersOf(flags, file);
  const catalogue = catalogueOf(file);
  const layers: readonly Layer[] = [{ origin: 'config', options: file }];
  const found = layered(flags, isGiven, layers, catalogue);
  const { system, workload } = found;
  const config = await resolveConfig(found.flags, system, workload, env, file.attach, catalogue);
  return {
    config,
    flags: { ...found.flags, output: outputOf(flags, isGiven, file) },
    ...(file.attach !== undefined && { attach: file.attach }),
    modules: configModules(loaded),
    origins: originsOf(config, flags, isGiven, found.origins, env),
  };
}

/**
 * Everything that will run, resolved before anything starts; undefined for a run that is no suite.
 * Throws `nothing-selected`, and `bad-option` or `bad-input` with the file, line and title of the test
 * that they are about.
 */
export async function planSuite(asked: Asked): Promise<SuitePlan | undefined> {
  const chosen = await chooseTests(asked);
  return chosen === undefined ? undefined : (await planChosen(asked, chosen)).plan;
}

/** The plan for what was chosen, and each of its tests once. Throws as `planSuite` does. */
export async function planChosen(
  asked: Asked,
  chosen: Chosen,
): Promise<{ readonly plan: SuitePlan; readonly explained: readonly ExplainedTest[] }> {
  const { flags, isGiven, loaded } = asked;
  const { config } = loaded;
  const { selected, seed } = chosen;
  const resolved = await resolveTests(asked, chosen);
  const tests = selected.tests.map((candidate) => plannedOf(candidate, resolved));
  const withChecks = tests.filter(({ checks }) => checks.length > 0);
  const files = new Set(withChecks.flatMap(({ ref }) => ref.file ?? []));
  const plan: SuitePlan = {
    tests,
    skipped: selected.skipped.map(({ ref, declared }) => ({
      ref,
      why: declared?.why ?? 'it is marked with test.skip',
    })),
    selected: selected.selected,
    found: chosen.found,
    ...(chosen.selection.shard !== undefined && { shard: chosen.selection.shard }),
    seed,
    ...(loaded.path !== undefined && { configFile: relative('', loaded.path) }),
    ...numbersOf(flags, config),
    passWithNoTests: flags.passWithNoTests ?? config.passWithNoTests ?? false,
    modules: [...configModules(loaded), ...[...files].map((file) => resolve(file))],
    output: outputOf(flags, isGiven, config),
  };
  return { plan, explained: [...resolved.values()] };
}

/** Each selected test once, by the id of its first repeat. Throws for all that cannot run, at once. */
async function resolveTests(
  asked: Asked,
  { beforeShard, catalogue, seed }: Chosen,
): Promise<ReadonlyMap<string, ExplainedTest>> {
  const resolved = new Map<string, ExplainedTest>();
  const wrong: WrongTest[] = [];
  for (const candidate of beforeShard) {
    const id = firstId(candidate.ref);
    if (resolved.has(id)) continue;
    try {
      resolved.set(id, await resolveTest(asked, candidate, catalogue, seed));
    } catch (error) {
      if (!(error instanceof HarnessError)) throw error;
      wrong.push({ place: placeOf(candidate.ref), error });
    }
  }
  const [first] = wrong;
  if (first === undefined) return resolved;
  const [message = '', ...others] = causesOf(wrong);
  const details = others.length === 0 ? {} : { details: others.join('\n') };
  throw new HarnessError(first.error.code, message, { ...details, cause: first.error });
}

interface WrongTest {
  readonly place: string;
  readonly error: HarnessError;
}

/** Each cause once: what is wrong in the config is wrong in every test. */
function causesOf(wrong: readonly WrongTest[]): readonly string[] {
  const causes = Map.groupBy(wrong, ({ error }) => messageOf(error));
  return [...causes].map(([cause, tests]) => {
    const more = tests.length - 1;
    const rest = more === 0 ? '' : ` (and ${more} more ${more === 1 ? 'test' : 'tests'})`;
    return `${tests[0]?.place}${rest}: ${cause}`;
  });
}

async function resolveTest(
  { flags, isGiven, loaded, env }: Asked,
  { ref, declared, project }: SuiteCandidate,
  catalogue: Catalogue,
  suiteSeed: Seed,
): Promise<ExplainedTest> {
  const isWhole = declared?.isWhole === true;
  const layers: Layer[] = isWhole ? [] : [{ origin: 'config', options: loaded.config }];
  if (project !== undefined) layers.push({ origin: 'project', options: project });
  if (declared !== undefined) layers.push({ origin: 'test', options: declared.options });
  // Of regressions these flags choose some, and make no others of them.
  const isOver = (flag: string): boolean => isGiven(flag) && !(isWhole && CHOOSING.includes(flag));
  const { system, workload, origins, ...found } = layered(flags, isOver, layers, catalogue);
  const { attach } = loaded.config;
  const own = await resolveConfig(found.flags, system, workload, env, attach, catalogue);
  const checks = declared?.options.checks ?? [];
  const id = firstId(ref);
  const isOwnSeed = !isGiven('seed') && origins.get('seed') === 'test';
  const ofProject = !isGiven('seed') && origins.get('seed') === 'project';
  const config: RunConfig = {
    ...own,
    seed: isOwnSeed ? own.seed : seedOfTest(ofProject ? (own.seed as Seed) : suiteSeed, id),
    test: ref,
    ...(checks.length > 0 && { ownChecks: checks.map(({ name }) => name) }),
  };
  return {
    ref,
    config,
    checks,
    ...(declared?.expects !== undefined && {
      expects: expectationOf(declared.expects, checks.length === 0 && isBuiltIn(workload)),
    }),
    ...(attach !== undefined && { attach }),
    origins: originsOf(config, flags, isGiven, origins, env),
  };
}

/** What checks of one's own may find, only they know; of ours a wrong name would wait for ever. */
function expectationOf(
  { within, ...expects }: DeclaredExpectation,
  isOurs: boolean,
): NonNullable<PlannedTest['expects']> {
  const kinds = Object.values(CHECK_HELP).flatMap(({ anomalies }) => Object.keys(anomalies));
  const asked = [...(expects.anomalies ?? []), ...(expects.anomaly ? [expects.anomaly] : [])];
  const wrong = asked.find((kind) => !kinds.includes(kind));
  if (isOurs && wrong !== undefined)
    throw new HarnessError(
      'bad-option',
      `anomaly: no check finds '${wrong}'${suggest(wrong, kinds)}; ` +
        `there are: ${[...new Set(kinds)].join(', ')}`,
    );
  return { ...expects, runs: Number.parseInt(within, 10) };
}

function isBuiltIn({ name }: Workload): boolean {
  return name.split('+').every((part) => BUILT_IN.workloads.some((each) => each.name === part));
}

/** `resolved` holds the first repeat that was selected; its seed is the first one's. */
function plannedOf(
  { ref }: SuiteCandidate,
  resolved: ReadonlyMap<string, ExplainedTest>,
): PlannedTest {
  const { origins: _, ...test } = resolved.get(firstId(ref)) as ExplainedTest;
  return ref.repeat === undefined ? test : repeatOf(test, ref.repeat);
}

function firstId({ id }: TestRef): string {
  return id.replace(/\.repeat-\d+$/, '');
}

/** The config, if runs are made of what it defines: else a worker need not load it. */
function configModules({ config, path }: LoadedConfig): readonly string[] {
  const { systems, workloads, nemeses } = config;
  const hasCode = [systems, workloads, nemeses].some((own) => own !== undefined);
  return path !== undefined && hasCode ? [path] : [];
}

type Numbers = Pick<SuitePlan, 'workers' | 'maxFailures' | 'infraRetries' | 'repeatForMs'>;

function numbersOf(flags: Flags, config: SchismConfig): Numbers {
  const { workers, maxFailures, infraRetries, repeatFor } = flags;
  if (flags.failFast === true && maxFailures !== undefined)
    throw new HarnessError('bad-option', '-x is --max-failures 1; give one of them');
  const jobs =
    workers === undefined ? config.workers : countOption(workers, '--workers', WORKERS_MAX);
  if (jobs === 0) throw new HarnessError('bad-option', '--workers: there must be at least 1');
  const most =
    maxFailures === undefined
      ? config.maxFailures
      : countOption(maxFailures, '--max-failures', REPEATS_MAX);
  return {
    workers: jobs ?? 1,
    maxFailures: flags.failFast === true ? 1 : (most ?? 0),
    infraRetries:
      infraRetries === undefined
        ? (config.infraRetries ?? 0)
        : countOption(infraRetries, '--infra-retries', INFRA_RETRIES_MAX),
    ...(repeatFor !== undefined && { repeatForMs: parseDurationMs(repeatFor, '--repeat-for') }),
  };
}
