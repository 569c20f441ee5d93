import { expect } from 'vitest';
import { Random, seedFrom } from '../../harness/core/prng.ts';
import type { History } from '../../harness/history/history.ts';
import type { CheckContext, CheckResult } from '../../harness/protocols/checker.ts';
import { recheckCertificate } from '../certificates/recheck.ts';

export function checkContext(partial: Partial<CheckContext> = {}): CheckContext {
  return {
    nodes: ['n1', 'n2', 'n3'],
    timing: { heartbeatMs: 100, electionMs: 1000 },
    promises: { linearizable: 'linearizable', serializable: 'serializable' },
    faults: [],
    requireFaults: false,
    logs: [],
    limits: { timeoutMs: 60_000, memoryBytes: 256 * 2 ** 20 },
    ...partial,
  };
}

/** A stream of chance for one test case. */
export function randomOf(seed: number): Random {
  return Random.stream(seedFrom(seed), 'test');
}

/** The kinds of anomaly, each once; every certificate must hold in a second opinion. */
export function provenKinds(result: CheckResult, history: History): string[] {
  for (const anomaly of result.anomalies) {
    const opinion = recheckCertificate(anomaly, history);
    expect(opinion, `${anomaly.kind}: ${anomaly.explanation}`).toBe(true);
    expect(anomaly.explanation).not.toMatch(/undefined|NaN|Infinity|\[object/);
  }
  return [...new Set(result.anomalies.map(({ kind }) => kind))];
}

/** Long sentences as they fit into a test file. */
export function folded(text: string): string {
  return text.replaceAll(/(.{1,84})(?: |$)/gm, '$1\n').trimEnd();
}
