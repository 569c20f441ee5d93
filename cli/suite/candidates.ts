/** Every test of every file in every project, each with an id of its own. */
import { relative } from 'node:path';
import { Random, type Seed, seedFrom } from '../../harness/core/prng.ts';
import type { TestRef } from '../../harness/protocols/suite.ts';
import type { ProjectConfig } from '../config/config.ts';
import type { DeclaredTest } from './chaos-test.ts';
import type { TestFile } from './collect.ts';
import type { PlannedTest } from './plan.ts';
import type { Candidate } from './select.ts';
import { TEST_FILE } from './test-api.ts';

/** A test that may run. */
export interface SuiteCandidate extends Candidate {
  /** Absent: the config itself is the test. */
  readonly declared?: DeclaredTest;
  readonly project?: ProjectConfig;
}

/** Letters that an id may have of a title; a longer title is cut. */
const ID_LENGTH_MAX = 100;

/**
 * The tests of all files, under each project in turn; where there is no file, one test for each
 * project. Ids depend on the files below `testDir` and the projects alone, not on the working folder.
 */
export function candidatesOf(
  files: readonly TestFile[],
  projects: readonly ProjectConfig[],
  testDir: string,
  ownTitle: string,
): readonly SuiteCandidate[] {
  const ids = new Set<string>();
  const distinct = (text: string): string => {
    const id = idFrom(text);
    let free = id;
    for (let copy = 2; ids.has(free); copy++) free = `${id}.${copy}`;
    ids.add(free);
    return free;
  };
  const under: readonly (ProjectConfig | undefined)[] =
    projects.length === 0 ? [undefined] : projects;
  return under.flatMap((project) => {
    const beside = project === undefined ? {} : { project };
    const ofProject = project === undefined ? {} : { project: project.name };
    const suffix = project === undefined ? '' : `/${project.name}`;
    if (files.length === 0) {
      const ref: TestRef = { id: distinct(`${ownTitle}${suffix}`), title: ownTitle, ...ofProject };
      return [{ ref, tags: [], ...beside }];
    }
    return files.flatMap(({ path, file, tests }) => {
      const stem = relative(testDir, path).replace(TEST_FILE, '');
      return tests.map((declared): SuiteCandidate => {
        const { title, line, mark, options } = declared;
        const id = distinct(`${stem}/${title}${suffix}`);
        const ref: TestRef = { id, title, file, ...(line !== undefined && { line }), ...ofProject };
        return {
          ref,
          tags: options.tags ?? [],
          ...(mark !== undefined && { mark }),
          declared,
          ...beside,
        };
      });
    });
  });
}

/** Letters, digits, `.`, `_`, `-` and `/`; no part of it leads out of a folder. */
function idFrom(text: string): string {
  const parts = text
    .replaceAll('\\', '/')
    .split('/')
    .map((part) => part.replaceAll(/[^A-Za-z0-9._-]+/g, '-').replaceAll(/^[-.]+|[-.]+$/g, ''))
    .filter((part) => part !== '');
  const id = parts.join('/').slice(0, ID_LENGTH_MAX).replace(/\/$/, '');
  return id === '' ? 'test' : id;
}

/** The same seed for a test of a suite, whatever else is selected. */
export function seedOfTest(suiteSeed: Seed, id: string): Seed {
  return drawn(suiteSeed, `test/${id}`);
}

/** Of the `repeat`-th run of a test, from 1. */
export function seedOfRepeat(first: number, repeat: number): Seed {
  return repeat === 1 ? seedFrom(first) : drawn(seedFrom(first), `repeat/${repeat}`);
}

function drawn(seed: Seed, stream: string): Seed {
  return seedFrom(Random.stream(seed, stream).int(0, 2 ** 32 - 1));
}

/** The `repeat`-th of a test, made of its first: the same but for id and seed. */
export function repeatOf(first: PlannedTest, repeat: number): PlannedTest {
  const ref = repeatedRef(first.ref, repeat);
  const seed = seedOfRepeat(first.config.seed, repeat);
  return { ...first, ref, config: { ...first.config, seed, test: ref } };
}

/** The id of a test stays that of its first repeat, with a number behind it. */
export function repeatedRef(ref: TestRef, repeat: number): TestRef {
  const id = ref.id.replace(/\.repeat-\d+$/, '');
  return { ...ref, id: `${id}.repeat-${repeat}`, repeat };
}
