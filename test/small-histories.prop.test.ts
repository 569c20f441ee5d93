/** What is left of whole runs when their histories are shrunk: few operations, and all of it true. */
import { describe, expect, test } from 'vitest';
import { recheckCertificate } from '../checkers/certificates/recheck.ts';
import { checkContext, randomOf } from '../checkers/testkit/context.ts';
import { excerptOf, type SmallHistory, shrinkHistory } from '../cli/shrink/small-history.ts';
import { MEMORY_BUGS } from '../cluster/systems/memory-bugs.ts';
import { nanos } from '../harness/core/units.ts';
import type { History } from '../harness/history/history.ts';
import type { Anomaly, Checker, Removals } from '../harness/protocols/checker.ts';
import { reads } from '../workloads/reads.ts';
import { register } from '../workloads/register.ts';
import { together } from '../workloads/together.ts';
import { cleanWords, SIMULATED } from './planted.ts';
import { recordedRun } from './recorded-run.ts';
import { virtualRun } from './virtual-run.ts';

const both = together([register, reads]);
const OPTIONS = {
  clients: 1,
  nodes: [],
  rate: 0,
  clientTimeoutMs: 1000,
  readModes: ['linearizable', 'serializable'],
  capabilities: ['register', 'hash'],
  own: {},
} as const;
/** Those that say what may be missing. */
const CHECKERS = both.checkers(OPTIONS).filter((checker) => 'removals' in checker);

function removalsOf(checker: Checker, history: History): Removals {
  if (checker.removals === undefined) throw new Error(`${checker.name} allows no removals`);
  return checker.removals(history);
}

async function anomaliesOf(checker: Checker, history: History): Promise<readonly Anomaly[]> {
  return (await checker.check(history, checkContext())).anomalies;
}

async function shrunk(history: History, checker: Checker, target: Anomaly): Promise<SmallHistory> {
  const { kind, key } = target;
  const small = await shrinkHistory(history, {
    find: async (one) =>
      (await anomaliesOf(checker, one)).find((found) => found.kind === kind && found.key === key),
    removals: (one) => removalsOf(checker, one),
    clock: { now: () => nanos(0) },
    deadline: nanos(1),
  });
  if (small === undefined) throw new Error('what was found once is found again');
  return small;
}

/** Shrinks the first violation of each check; the kinds that were. */
async function shrinkAll(history: History): Promise<string[]> {
  const kinds: string[] = [];
  for (const checker of CHECKERS) {
    const [target] = await anomaliesOf(checker, history);
    if (target === undefined) continue;
    const small = await shrunk(history, checker, target);
    const count = [...small.history.operations()].length;
    expect({ kind: target.kind, count, few: count <= 20 }).toMatchObject({ few: true });
    expect([small.anomaly, recheckCertificate(small.anomaly, small.history)]).toEqual([
      small.anomaly,
      true,
    ]);
    for (const [at, from] of small.kept.entries())
      expect({ ...small.history.op(at), index: from }).toEqual(history.op(from));
    kinds.push(target.kind);
  }
  return kinds;
}

test.each(Object.keys(MEMORY_BUGS))(
  'the in-process store with the bug %s',
  async (bug) => {
    let found = 0;
    for (let seed = 0; seed < 12 && found < 3; seed++) {
      const faults = ['partition', 'kill', 'pause'];
      const { history } = await virtualRun({ seed, bug, workload: both, faults, clients: 20 });
      found += (await shrinkAll(history)).length;
    }
    expect(found).toBeGreaterThan(0);
  },
  120_000,
);

const SOME: ReadonlySet<string> = new Set(['stale-leader-read', 'dirty-read', 'no-truncate']);

test.each(SIMULATED.filter(({ bug }) => SOME.has(bug)))(
  'raftkv with the bug $bug',
  async (planted) => {
    const { history } = await recordedRun([...cleanWords(planted), '--bug', planted.bug]);
    const kinds = await shrinkAll(history);
    expect(planted.expected.some((kind) => kinds.includes(kind))).toBe(true);
  },
);

describe('of a store that is right', () => {
  test('any part that may be left looks right, too', async () => {
    for (let seed = 0; seed < 10; seed++) {
      const faults = ['partition', 'kill', 'pause'];
      const { history } = await virtualRun({ seed, workload: both, faults, durationMs: 1500 });
      for (const checker of CHECKERS) {
        const { operations, ends } = removalsOf(checker, history);
        const random = randomOf(seed);
        const last = ends ? random.int(0, history.length) : history.length;
        const goes = new Set([...operations].filter(() => random.chance(0.5)));
        const kept = Array.from({ length: last }, (_, at) => at).filter(
          (at) => history.isClient(at) && !goes.has(at) && !goes.has(history.pairOf(at)),
        );
        expect(await anomaliesOf(checker, excerptOf(history, kept))).toEqual([]);
      }
    }
  }, 120_000);
});
