/** Joins the suites of several shards into one. */
import { EXIT, HarnessError } from '../../harness/core/errors.ts';
import type { Explored, SuiteManifest, SuiteResult } from '../../harness/protocols/suite.ts';
import { worstExit } from '../../harness/runner/verdict.ts';

/** A suite that was found somewhere. */
export interface Part {
  /** As the user named it. */
  readonly source: string;
  readonly result: SuiteResult;
}

export interface Merged {
  readonly result: SuiteResult;
  /** A sentence for each thing that is missing. */
  readonly missing: readonly string[];
}

function bad(message: string): never {
  throw new HarnessError('bad-input', `merge: ${message}`);
}

/**
 * One suite of all parts, in the order of their shards. A shard that is missing counts as an
 * infrastructure error: what was not run did not pass. Throws `bad-input` for parts that are not of
 * one suite.
 */
export function mergeSuites(parts: readonly Part[], suite: string): Merged {
  const [first, ...others] = parts.toSorted(byShard);
  if (first === undefined) bad('there is nothing to merge');
  for (const part of others) requireAlike(first, part);
  requireDistinct([first, ...others]);
  const all = [first, ...others].map(({ result }) => result);
  const missing = missingShards(all.map(({ manifest }) => manifest));
  const interrupted = all.find((result) => result.interrupted !== undefined)?.interrupted;
  const tests = [
    ...new Map(all.flatMap((each) => each.tests.map((one) => [one.test.id, one]))).values(),
  ];
  const codes = [...all, ...tests].map(({ exitCode }) => exitCode);
  return {
    missing,
    result: {
      manifest: joined(all, suite),
      tests,
      exitCode: worstExit(missing.length > 0 ? [...codes, EXIT.infrastructure] : codes),
      wallMs: wallOf(all),
      ...(interrupted !== undefined && { interrupted }),
      ...exploredBy(all),
    },
  };
}

/** Shards explore side by side, each with a seed and a memory of its own. */
function exploredBy(all: readonly SuiteResult[]): Pick<SuiteResult, 'explored'> {
  const parts = all.flatMap(({ explored }) => explored ?? []);
  if (parts.length === 0) return {};
  const sum = (of: (one: Explored) => number): number =>
    parts.reduce((total, one) => total + of(one), 0);
  return {
    explored: {
      runs: sum(({ runs }) => runs),
      ms: Math.max(...parts.map(({ ms }) => ms)),
      operations: sum(({ operations }) => operations),
      fresh: sum(({ fresh }) => fresh),
      situations: sum(({ situations }) => situations),
      undecided: sum(({ undecided }) => undecided),
      findings: sum(({ findings }) => findings),
    },
  };
}

function byShard(a: Part, b: Part): number {
  return (a.result.manifest.shard?.index ?? 0) - (b.result.manifest.shard?.index ?? 0);
}

/** Parts of one suite were made by the same program, of the same tests. */
function requireAlike(one: Part, other: Part): void {
  const differing: readonly (readonly [
    what: string,
    of: (suite: SuiteManifest) => string | number,
  ])[] = [
    ['version of schism', ({ version }) => version],
    ['config', ({ config }) => config ?? 'none'],
    ['number of shards', ({ shard }) => shard?.total ?? 'none'],
    ['number of selected tests', ({ shard, selected }) => (shard === undefined ? 0 : selected)],
  ];
  for (const [what, of] of differing) {
    const [a, b] = [of(one.result.manifest), of(other.result.manifest)];
    if (a === b) continue;
    bad(`another ${what}: ${a} in ${one.source}, ${b} in ${other.source}`);
  }
}

function requireDistinct(parts: readonly Part[]): void {
  const shards = new Map<number, string>();
  const tests = new Map<string, string>();
  for (const { source, result } of parts) {
    const { shard } = result.manifest;
    const before = shard === undefined ? undefined : shards.get(shard.index);
    if (shard !== undefined && before !== undefined)
      bad(`shard ${shard.index}/${shard.total} stands in ${before} and in ${source}`);
    if (shard !== undefined) shards.set(shard.index, source);
    for (const { test, outcome } of result.tests) {
      // What is marked with `test.skip` is no shard's turn, so every shard tells of it.
      if (shard !== undefined && outcome === 'not-run' && isSkipped(test.id, parts)) continue;
      const there = tests.get(test.id);
      if (there !== undefined) bad(`test ${test.id} stands in ${there} and in ${source}`);
      tests.set(test.id, source);
    }
  }
}

function isSkipped(id: string, parts: readonly Part[]): boolean {
  const found = parts.flatMap(({ result }) => result.tests.filter(({ test }) => test.id === id));
  return found.every(({ outcome, runs }) => outcome === 'not-run' && runs.length === 0);
}

function missingShards(manifests: readonly SuiteManifest[]): readonly string[] {
  const total = manifests[0]?.shard?.total ?? 0;
  const there = new Set(manifests.map(({ shard }) => shard?.index));
  return Array.from({ length: total }, (_, at) => at + 1)
    .filter((index) => !there.has(index))
    .map((index) => `shard ${index}/${total} is missing`);
}

function joined(all: readonly SuiteResult[], suite: string): SuiteManifest {
  const manifests = all.map(({ manifest }) => manifest);
  const [first] = manifests;
  if (first === undefined) bad('there is nothing to merge');
  const { shard: _, ...rest } = first;
  return {
    ...rest,
    suite,
    startedAt: manifests.map(({ startedAt }) => startedAt).toSorted()[0] ?? first.startedAt,
    seed: [...new Set(manifests.map(({ seed }) => seed))].join(', '),
    selected:
      first.shard === undefined
        ? manifests.reduce((sum, { selected }) => sum + selected, 0)
        : first.selected,
    mergedFrom: manifests.map(({ shard, suite: id }) =>
      shard === undefined ? id : `${shard.index}/${shard.total}`,
    ),
  };
}

/** From the first start to the last end; the clocks of several machines tell no better. */
function wallOf(all: readonly SuiteResult[]): number {
  const spans = all.map(({ manifest, wallMs }) => {
    const startMs = Date.parse(manifest.startedAt);
    return { startMs, endMs: startMs + wallMs };
  });
  const endMs = Math.max(...spans.map((span) => span.endMs));
  return endMs - Math.min(...spans.map((span) => span.startMs));
}
