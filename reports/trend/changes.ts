import type {
  Changes,
  FindingChange,
  FindingState,
  SuiteResult,
} from '../../harness/protocols/suite.ts';
import { wilson } from '../rate.ts';
import { inOrder, type Night, nightOf, trialsIn, union } from './nights.ts';

const ORDER: readonly FindingState[] = ['new', 'ongoing', 'rare', 'resolved'];

/** What became of each finding, that of `tonight` and those of earlier suites: new ones first. */
export function changesOf(tonight: SuiteResult, earlier: readonly SuiteResult[]): Changes {
  const now = nightOf(tonight);
  // Ids are short, and those of several machines may be the same.
  const isOther = ({ manifest: { suite, startedAt } }: SuiteResult): boolean =>
    suite !== now.suite || startedAt !== now.startedAt;
  const others = inOrder(earlier).filter(isOther);
  const before = others.map(nightOf);
  const nights = [...before, now];
  const all = new Set(nights.flatMap(({ findings }) => [...findings.keys()]));
  const findings = [...all].map((fingerprint) => changeOf(fingerprint, nights, now));
  return {
    nights: before.length,
    findings: findings.toSorted(
      (a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || (a.last < b.last ? 1 : -1),
    ),
  };
}

function changeOf(fingerprint: string, nights: readonly Night[], now: Night): FindingChange {
  const seen = nights.filter(({ findings }) => findings.has(fingerprint));
  const sightings = seen.flatMap(({ findings }) => findings.get(fingerprint) ?? []);
  const tests = sightings.reduce<readonly string[]>((sum, one) => union(sum, one.tests), []);
  const found = sightings.reduce((sum, one) => sum + one.found, 0);
  const lastAt = nights.findLastIndex(({ findings }) => findings.has(fingerprint));
  const trials = (some: readonly Night[]): number =>
    some.reduce((sum, night) => sum + trialsIn(night, tests), 0);
  const [until, clean] = [trials(nights.slice(0, lastAt + 1)), trials(nights.slice(lastAt + 1))];
  const { low, high } = wilson(found, Math.max(found, until));
  const needed = cleanRunsNeeded(low);
  const tonight = now.findings.get(fingerprint);
  return {
    fingerprint,
    state: stateOf(tonight !== undefined, seen.length, clean >= needed),
    kinds: sightings.reduce<readonly string[]>((sum, one) => union(sum, one.kinds), []),
    tests: sightings.reduce<readonly string[]>((sum, one) => union(sum, one.titles), []),
    found,
    of: Math.max(found, until) + clean,
    low,
    high,
    clean,
    needed,
    first: seen[0]?.startedAt ?? now.startedAt,
    last: seen.at(-1)?.startedAt ?? now.startedAt,
    ...(tonight !== undefined && { run: tonight.run }),
  };
}

/**
 * After n clean runs the rate is below 3 ÷ n, 95 times of 100 (Hanley and Lippman-Hand, 1983): so many
 * that this lies below the least rate that what was seen before allows.
 */
export function cleanRunsNeeded(low: number): number {
  return Math.ceil(3 / Math.max(low, 1e-6));
}

function stateOf(isTonight: boolean, nights: number, isGone: boolean): FindingState {
  if (isTonight) return nights > 1 ? 'ongoing' : 'new';
  return isGone ? 'resolved' : 'rare';
}
