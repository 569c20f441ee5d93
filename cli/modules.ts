/** Code of one's own: a config with stores, workloads and faults, and test files with checks. */
import { dirname, relative, resolve } from 'node:path';
import { HarnessError } from '../harness/core/errors.ts';
import { suggest } from '../harness/core/suggest.ts';
import type { Checker } from '../harness/protocols/checker.ts';
import type { RunConfig } from '../harness/protocols/run.ts';
import type { TestRef } from '../harness/protocols/suite.ts';
import { findConfig, loadConfig } from './config/load.ts';
import { BUILT_IN, type Catalogue, catalogueOf } from './registry.ts';
import { findTestFiles, loadTestFile } from './suite/collect.ts';
import { TEST_FILE } from './suite/test-api.ts';

/** What a run is made of and judged by, beside what its configuration says. */
export interface OwnCode {
  readonly catalogue: Catalogue;
  /** Of its test. */
  readonly checks: readonly Checker[];
}

/**
 * Loads configs for what runs are made of, and of the test files the one that declares `test`. The
 * worker that judges does the same, so both find the same. `modules` are absolute paths, and come of
 * the command line alone: nothing that is stored names code to load.
 */
export async function loadModules(modules: readonly string[], test?: TestRef): Promise<OwnCode> {
  const configs = modules.filter((path) => !TEST_FILE.test(path));
  const [config, ...more] = await Promise.all(configs.map(loadConfig));
  if (more.length > 0) throw new HarnessError('bad-input', 'there can be one config only');
  const catalogue = config === undefined ? BUILT_IN : catalogueOf(config);
  const files = modules.filter((path) => TEST_FILE.test(path));
  const file = fileOf(files, test, dirname(configs[0] ?? ''));
  if (file === undefined) return { catalogue, checks: [] };
  const found = (await loadTestFile(file)).find(({ title }) => title === test?.title);
  return { catalogue, checks: found?.options.checks ?? [] };
}

/**
 * The file as it is named from here, or from the config's folder. Otherwise the one that ends so, as
 * long as there is no other: the checks of a wrong file would judge as if they were right.
 */
function fileOf(
  files: readonly string[],
  test: TestRef | undefined,
  home: string,
): string | undefined {
  const same = files.filter((path) => isFileOf(path, test));
  const named = (from: string): string | undefined =>
    same.find((path) => path === resolve(from, test?.file ?? ''));
  return named('') ?? named(home) ?? (same.length === 1 ? same[0] : undefined);
}

/** A run may have been made in another folder, and its file be named from there. */
function isFileOf(path: string, test: TestRef | undefined): boolean {
  if (test?.file === undefined) return false;
  if (path === resolve(test.file)) return true;
  const inside = test.file.split('/').filter((part) => part !== '..' && part !== '.');
  return path.split(/[/\\]/).slice(-inside.length).join('/') === inside.join('/');
}

/** What of a stored run says whether code of one's own belongs to it. */
export type NeedsCode = Pick<RunConfig, 'test' | 'ownChecks' | 'workload' | 'system' | 'faults'>;

/**
 * The modules for a run that was stored: the config that the caller named, or for a run that needs
 * one that of the working folder, and the test file below it that the run came of. Throws `bad-input`
 * for a run of a workload that none of them defines.
 */
export async function modulesFor(
  given: string | undefined,
  stored: NeedsCode,
): Promise<readonly string[]> {
  const { test, ownChecks = [] } = stored;
  if (given === undefined && isBuiltIn(stored) && ownChecks.length === 0) return [];
  const { config, path } = await findConfig(given);
  const catalogue = catalogueOf(config);
  const unknown = workloadsOf(stored).find((name) => !has(catalogue.workloads, name));
  if (unknown !== undefined) {
    const where = path === undefined ? 'here' : `in ${relative('', path)}`;
    const names = catalogue.workloads.map(({ name }) => name);
    throw new HarnessError(
      'bad-input',
      `there is no workload '${unknown}' ${where}${suggest(unknown, names)}; ` +
        'give the config that defines it with --config',
    );
  }
  if (path === undefined) return [];
  const isDefault = config.testDir === undefined;
  const testDir = config.testDir ?? dirname(path);
  const files = ownChecks.length === 0 ? [] : await findTestFiles(testDir, { isDefault });
  const file = fileOf(files, test, dirname(path));
  return file === undefined ? [path] : [path, file];
}

function isBuiltIn(stored: NeedsCode): boolean {
  const { systems, workloads, nemeses } = BUILT_IN;
  return (
    has(systems, stored.system) &&
    workloadsOf(stored).every((name) => has(workloads, name)) &&
    stored.faults.every((fault) => Object.hasOwn(nemeses, fault))
  );
}

function workloadsOf({ workload }: NeedsCode): readonly string[] {
  return workload.split('+');
}

function has(all: readonly { readonly name: string }[], wanted: string): boolean {
  return all.some(({ name }) => name === wanted);
}
