/** Made-up violations of other kinds than a stale read, each over a history of a few operations. */
import type { JsonValue } from '../../harness/core/json.ts';
import { nanosFromMs } from '../../harness/core/units.ts';
import { HistoryBuilder } from '../../harness/history/history.ts';
import type { Anomaly, CheckResult } from '../../harness/protocols/checker.ts';
import { type FixtureRun, failRun } from './fixture-result.ts';

/** Client, function, value asked, value answered, from and to in milliseconds, node. */
type Row = readonly [number, string, JsonValue, JsonValue, number, number, string];

interface Told {
  readonly checker: string;
  readonly kind: string;
  readonly covered: string;
  readonly explanation: string;
}

function violation(
  rows: readonly Row[],
  { checker, kind, covered, explanation }: Told,
): FixtureRun {
  const builder = new HistoryBuilder();
  const ends = rows.flatMap((row) => [
    { row, type: 'invoke' as const, ms: row[4] },
    { row, type: 'ok' as const, ms: row[5] },
  ]);
  const ops: number[] = [];
  for (const { row, type, ms } of ends.toSorted((a, b) => a.ms - b.ms)) {
    const [process, f, asked, answered, , , node] = row;
    const value = type === 'invoke' ? asked : answered;
    const draft = { process, type, f, key: 'k1', value, phase: 'main' as const, node };
    ops.push(builder.append(draft, nanosFromMs(ms)).index);
  }
  const anomaly: Anomaly = { kind, key: 'k1', ops, certificate: {}, explanation };
  const check: CheckResult = {
    checker,
    verdict: 'invalid',
    anomalies: [anomaly],
    covered,
    details: {},
  };
  const { result } = failRun({ seconds: 6, clients: 3, rate: 30 });
  const counts = { ok: rows.length, fail: 0, info: 0, open: 0 };
  return {
    history: builder.build(),
    result: {
      ...result,
      checks: [check],
      reasons: [`${checker}: ${explanation}`],
      counts,
      phases: [{ phase: 'main', startNanos: 0, endNanos: nanosFromMs(5000) }],
    },
  };
}

/** Two clients were told that they had swapped the same value away. */
export function splitBrainRun(): FixtureRun {
  return violation(
    [
      [1, 'write', 7, 7, 1000, 1004, 'n1'],
      [2, 'cas', [7, 8], [7, 8], 2000, 2011, 'n1'],
      [3, 'cas', [7, 9], [7, 9], 2002, 2020, 'n3'],
    ],
    {
      checker: 'linearizable',
      kind: 'split-brain-cas',
      covered: '1 of 1 keys: 1 write, 2 cas',
      explanation:
        'Clients c2 and c3 were both told they won: c2 changed k1 from 7 to 8 at n1, and c3 changed ' +
        'it from 7 to 9 at n3. 7 was written only once, so only one of them can have found it.',
    },
  );
}

/** A write that was acknowledged, and that no node has at the end. */
export function lostWriteRun(): FixtureRun {
  return violation(
    [
      [1, 'write', 5, 5, 1000, 1003, 'n2'],
      [2, 'write', 6, 6, 1500, 1506, 'n1'],
      [4, 'read', null, 5, 4100, 4103, 'n1'],
      [5, 'read', null, 5, 4101, 4104, 'n2'],
      [6, 'read', null, 5, 4102, 4105, 'n3'],
    ],
    {
      checker: 'linearizable',
      kind: 'lost-write',
      covered: '1 of 1 keys: 2 write, 3 read',
      explanation:
        'c2 was told at 1.506 s that k1 = 6 was stored. It is gone: at the end all of n1, n2 and n3 ' +
        'answered 5, and nobody wrote it again.',
    },
  );
}

/** Three operations that have no order; nothing shorter can be said. */
export function noOrderRun(): FixtureRun {
  return violation(
    [
      [1, 'acquire', 'c1', 'c1', 1000, 1003, 'n1'],
      [2, 'acquire', 'c2', 'c2', 1005, 1009, 'n2'],
      [1, 'release', 'c1', 'c1', 1010, 1014, 'n1'],
    ],
    {
      checker: 'linearizable',
      kind: 'not-linearizable',
      covered: '1 of 1 keys: 2 acquire, 1 release',
      explanation:
        'We tried every order of 3 operations; none works. In whatever order the others come, c2 ' +
        'acquire c2, answered at 1.009 s, does not fit: after c1 acquire c1, c1 held it.',
    },
  );
}
